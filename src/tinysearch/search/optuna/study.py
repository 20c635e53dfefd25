"""An Optuna study that contains the history of a run and is asked for the next trial."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tinysearch.errors import SpaceError
from tinysearch.results.record import Record
from tinysearch.space import choices
from tinysearch.space.architecture import Architecture
from tinysearch.space.leaves import Integers, Leaf
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate

_GENERATION = ":generation"


@dataclass(frozen=True, slots=True)
class PastTrial:
    """One trial: its choices, their distributions, and its score, which is None if the trial failed or is pending."""

    values: Mapping[str, Any]
    distributions: Mapping[str, Any]
    score: float | None
    pending: bool = False


class StudyReplay:
    """A study in memory that contains the history of a run and asks its sampler for new trials.

    All samplers of Optuna named in ``optuna.strategy`` except ``CmaEsSampler`` and ``QMCSampler`` decide by the trials
    in the study, so the trials are simply added. Genetic samplers also store a generation with each trial, which is
    computed, see ``generations``. Any other sampler may keep state of its own, so the history is replayed to it: it is
    asked for each trial, receives the choices that were actually trained, and is told the score after as many further
    trials as in the run.

    Pending candidates are running trials, failed ones are failed trials.

    Args:
        sampler: A new sampler.
        translation: Translates between architectures and Optuna's parameters.
    """

    def __init__(self, sampler: Any, translation: Translation) -> None:
        import optuna

        self._study = cast(Any, optuna.create_study(direction="maximize", sampler=sampler))
        # An exhausted sampler stops the study, which Optuna allows only in its own loop. Whatever the sampler suggests
        # after that is known.
        self._study.stop = lambda: None
        self._sampler = sampler
        self._translation = translation
        self._asked: Any = None

    def replay(self, past: Sequence[PastTrial]) -> None:
        """Add the trained and then the pending trials to the study; call it once, before ``ask``."""
        lag = sum(trial.pending for trial in past)
        if decides_by_trials(self._sampler):
            self._add(past, lag)
        else:
            self._repeat(past, lag)

    def ask(self) -> Architecture:
        """Return the architecture that the sampler suggests next; the previous suggestion counts as failed.

        Raises:
            ShapeError, SpaceError: if the choices do not make an architecture.
        """
        from optuna.trial import TrialState

        if self._asked is not None:
            self._study.tell(self._asked, state=TrialState.FAIL)
        self._asked = self._study.ask()
        return self._translation.suggested(self._asked)

    def _add(self, past: Sequence[PastTrial], lag: int) -> None:
        from optuna.samplers import BaseGASampler
        from optuna.trial import TrialState, create_trial

        notes: list[dict[str, Any]] = [{} for _ in past]
        if isinstance(self._sampler, BaseGASampler):
            size = self._sampler.population_size or 1
            key = f"{type(self._sampler).__name__}{_GENERATION}"
            ended = [trial.score is not None for trial in past]
            notes = [{key: generation} for generation in generations(ended, size, lag)]
        for trial, note in zip(past, notes, strict=True):
            if trial.pending:
                state = TrialState.RUNNING
            else:
                state = TrialState.FAIL if trial.score is None else TrialState.COMPLETE
            self._study.add_trial(
                create_trial(
                    state=state,
                    value=trial.score,
                    params=dict(trial.values),
                    distributions=dict(trial.distributions),
                    system_attrs=note,
                )
            )

    def _repeat(self, past: Sequence[PastTrial], lag: int) -> None:
        asked: list[Any] = []
        for index, trial in enumerate(past):
            if index > lag:
                self._tell(asked[index - lag - 1], past[index - lag - 1])
            self._study.enqueue_trial(dict(trial.values))
            asked.append(self._study.ask(dict(trial.distributions)))
        for index in range(max(0, len(past) - lag - 1), len(past)):
            if not past[index].pending:
                self._tell(asked[index], past[index])

    def _tell(self, trial: Any, past: PastTrial) -> None:
        from optuna.trial import TrialState

        if past.score is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, past.score)


class Translation:
    """Translates between the architectures of a space and Optuna's parameters, which are named as in ``encode``.

    Args:
        space: The search space.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        # A path always has the same options, and all trials share its distribution.
        self._distributions: dict[str, Any] = {}
        # A proposal translates hundreds of records, nearly all of them the same as for the previous proposal.
        self._parameters = functools.lru_cache(maxsize=4_096)(self._encoded)

    def ended(self, history: Sequence[Record]) -> Iterator[PastTrial]:
        """Yield the trials of records; records whose architectures are not members of the space are left out."""
        for record in history:
            if (parameters := self._parameters(record.architecture)) is not None:
                yield PastTrial(*parameters, record.score if math.isfinite(record.score) else None)

    def pending(self, candidates: Sequence[Candidate]) -> Iterator[PastTrial]:
        """Yield the trials of candidates whose records are not known."""
        for candidate in candidates:
            if (parameters := self._parameters(candidate.architecture)) is not None:
                yield PastTrial(*parameters, None, pending=True)

    def suggested(self, trial: Any) -> Architecture:
        """Return the architecture that a trial suggests, define-by-run: a choice is suggested when it is needed."""
        values: dict[str, Any] = {}

        def suggest(path: str, leaf: Leaf) -> Any:
            if isinstance(leaf, Integers):
                values[path] = trial.suggest_int(path, leaf.low, leaf.high, step=leaf.step)
            else:
                values[path] = trial.suggest_categorical(path, leaf.options)
            return values[path]

        choices.draw(self._space.tree, suggest)
        return self._space.decode(values)

    def _encoded(self, architecture: Architecture) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        try:
            values = self._space.encode(architecture)
        except SpaceError:
            return None
        active: dict[str, Any] = {}

        def note(path: str, leaf: Leaf) -> Any:
            if path not in self._distributions:
                self._distributions[path] = distribution(leaf)
            active[path] = self._distributions[path]
            return values[path]

        choices.draw(self._space.tree, note)
        return values, active


def distribution(leaf: Leaf) -> Any:
    """Return a choice as a distribution of Optuna, which has no weights of the prior."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(leaf, Integers):
        return IntDistribution(leaf.low, leaf.high, step=leaf.step)
    return CategoricalDistribution(leaf.options)


def generations(ended: Sequence[bool], size: int, lag: int) -> list[int]:
    """Return the generation of each trial, as Optuna's genetic samplers count when they are asked for a trial.

    A trial belongs to the latest generation that has trials with a score or, if these fill a population, to the next.

    Args:
        ended: For each trial in order, whether it has a score.
        size: Number of trials in a population.
        lag: Number of pending trials when a trial is asked for.

    >>> generations([True, True, False, True, True], size=2, lag=0)
    [0, 0, 1, 1, 1]
    >>> generations([True, True, True, True, True], size=2, lag=1)
    [0, 0, 0, 1, 1]
    """
    found: list[int] = []
    latest, scored = 0, 0
    for index in range(len(ended)):
        known = index - lag - 1
        if known >= 0 and ended[known]:
            scored = scored + 1 if found[known] == latest else 1 if found[known] > latest else scored
            latest = max(latest, found[known])
        found.append(latest if scored < size else latest + 1)
    return found


def decides_by_trials(sampler: Any) -> bool:
    """Return whether a sampler of Optuna depends on the trials of its study alone, not on how often it was asked."""
    from optuna import samplers

    names = ("BruteForceSampler", "GPSampler", "NSGAIIISampler", "NSGAIISampler", "RandomSampler", "TPESampler")
    return type(sampler) in [getattr(samplers, name) for name in names]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress Optuna's messages from this thread; other threads and Optuna's verbosity are not affected."""
    thread = threading.get_ident()

    def others(message: logging.LogRecord) -> bool:
        return message.thread != thread or message.name.partition(".")[0] != "optuna"

    logger: logging.Logger | None = logging.getLogger("optuna")
    handlers: list[logging.Handler] = []
    while logger is not None:
        handlers += logger.handlers
        logger = logger.parent if logger.propagate else None
    for handler in handlers:
        handler.addFilter(others)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(others)
