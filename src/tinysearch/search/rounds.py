"""Rounds of a race between the candidates of a search: which are trained again on which fold, and which has won.

All candidates of a round are validated on the same fold, so that they are comparable whether it is hard or easy.
Candidates whose mean may still exceed the leader's enter the next round; see ``racing``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinysearch.data.splits import FOLDS
from tinysearch.report import figures
from tinysearch.results.ranking import best_below, ranked
from tinysearch.results.record import ACCURACY, Record
from tinysearch.results.standing import Standing
from tinysearch.results.training import Training
from tinysearch.search.racing import FEWEST, SLIM, Floats, Verdict, decide, unit_of, variances_of
from tinysearch.search.settings import RunSettings

# Identity of a training: key of the candidate and seed.
Identity = tuple[str, int]

# A round is worth its trainings if the best is expected to rise by this much, in validation images.
WORTH = 0.1
# Number of the best candidates whose mean is the accuracy of good candidates, so that one lucky candidate matters less.
BEST = 5


def fold_of(seed: int, folds: int = FOLDS) -> int:
    """Return the fold of the training images, of a number of folds, that a revalidation with a seed holds out.

    It is never 0, which the search holds out.

    >>> [fold_of(seed) for seed in (0, 1, 2, 9, 10)]
    [9, 1, 2, 9, 1]
    """
    return 1 + (seed - 1) % (folds - 1)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a race: its trainings and the reason for them.

    Args:
        number: Number of the round, from 1.
        planned: All trainings of the round; empty if the race has finished.
        left: Planned trainings without a record yet.
        verdict: The decision of ``racing``.
        entrants: Number of candidates in the race before this round.
        perfect: Number of candidates without a mistake on the validation images of the search, if that ended the race.
        below: Bound on parameters of the race; None if the run has a single race.
        trained: Key and seed of each training that the race has run or plans.
    """

    number: int
    planned: tuple[Training, ...]
    left: tuple[Training, ...]
    verdict: Verdict
    entrants: int
    perfect: int = 0
    below: int | None = None
    trained: frozenset[Identity] = frozenset()


def next_round(records: Iterable[Record], settings: RunSettings, images: int) -> Round | None:
    """Return the first incomplete round, or one without trainings if all races have finished.

    This is a pure function: it replays the rounds from the first one, and each follows from the search and the rounds
    before it. So the trainings depend neither on interruptions nor on the order in which results arrive.

    Args:
        records: Records of a run.
        settings: Settings of the run.
        images: Number of validation images of a training.

    Returns:
        None if there is nothing to decide: the run has a single fold, or no candidate was trained for all epochs.
    """
    everything = list(records)
    most = sum(record.purpose == "search" and record.trial is not None for record in everything) // 2
    bounds: Sequence[int | None] = settings.budgets or (None,)
    trained: frozenset[Identity] = frozenset()
    last: Round | None = None
    for place, bound in enumerate(bounds):
        below = [one for one in everything if bound is None or one.cost.params < bound]
        # Later races share the trainings that a race does not use.
        share = (most - len(trained)) // (len(bounds) - place)
        now = _race(below, settings, images, share, trained)
        if now is None:
            continue
        last = replace(now, below=bound)
        if now.left:
            break
        trained |= now.trained
    return last


def _race(
    everything: Sequence[Record], settings: RunSettings, images: int, most: int, free: frozenset[Identity]
) -> Round | None:
    """Return the first incomplete round of a race.

    Args:
        everything: Records of all candidates that may take part.
        settings, images: See ``next_round``.
        most: Maximum number of trainings of the race.
        free: Trainings of earlier races, which this race can use without counting them.
    """
    searched = [record for record in everything if record.purpose == "search"]
    known = {(record.key, record.seed): record for record in everything if record.purpose == "revalidation"}
    standings = [one for one in ranked(searched) if not (one.is_shortened or one.first.pruned or one.value is None)]
    if not settings.rounds or not standings:
        return None
    contenders = [one.first for one in standings]
    # A custom objective may still distinguish candidates with an accuracy of 1.
    perfect = sum(one.first.val_accuracy == 1 and one.value == standings[0].value for one in standings)
    if perfect > 1 and contenders[0].val_accuracy == 1:
        return Round(1, (), (), Verdict((), "alike", perfect), len(contenders), perfect)
    scores = np.array([one.score for one in standings])
    values = scores[:, None]
    error, shared, image = _units(standings, scores, images, same=_same_images(settings))
    trained: set[Identity] = set()
    for number in range(1, settings.rounds + 1):
        seed = settings.seed + number
        rounds, room = settings.rounds + 1 - number, most - len(trained - free)
        verdict = decide(values, error, scores, worth=WORTH * image, rounds=rounds, room=room, shared=shared)
        chosen = [contenders[one] for one in verdict.chosen]
        fold = fold_of(seed, settings.split.folds)
        planned = tuple(Training.again(one, "revalidation", seed, fold) for one in chosen)
        trained.update((one.key, one.seed) for one in planned)
        if not planned or not trained <= known.keys():
            # Trainings from when the run had fewer trials or another number of folds count towards the limit.
            planned = planned[: max(0, room - len(known.keys() - trained - free))]
            left = tuple(one for one in planned if (one.key, one.seed) not in known)
            return Round(number, planned, left, verdict, len(contenders), trained=frozenset(trained))
        again = np.array([known[one.key, one.seed].score for one in planned])
        if np.isneginf(again).all():
            break
        values = np.column_stack([values[list(verdict.chosen)], again])
        values[:, -1] = _filled(values)
        contenders = chosen
    over = Verdict((), "spent", len(contenders))
    return Round(settings.rounds + 1, (), (), over, len(contenders), trained=frozenset(trained))


def words_before(now: Round, settings: RunSettings) -> str:
    """Return a description of the trainings of a round, with the reason for them."""
    where = "with another seed" if _same_images(settings) else "with another fold held out"
    count, most = len(now.planned), settings.rounds
    able = f"{now.verdict.able} of {now.entrants} candidates may be the best"
    who = "all of them are" if count == now.verdict.able else "the first is" if count == 1 else f"the first {count} are"
    leaders = "the leaders" if now.below is None else f"the leaders below {now.below:,} parameters"
    rounds = f"round {now.number} of at most {most}" if most > 1 else "in one round"
    return f"revalidating {leaders}, {rounds}: {able}; {who} trained again {where}"


def words_after(last: Round, records: Sequence[Record], images: int) -> str:
    """Return a description of the winner, with the reason for the end of the race.

    Args:
        last: Last round, which has no trainings.
        records: Records of the run.
        images: Number of validation images of a training.
    """
    leader = ranked([one for one in records if one.purpose != "evaluation"])[0]
    value = figures.validated(leader.value, leader.val_seeds, leader.metric)
    count = sum(record.purpose == "revalidation" for record in records)
    wins = f"{leader.first.name} leads with {value}"
    nothing = "no difference that these data can show"
    if last.perfect:
        return (
            f"{nothing}: {last.perfect} candidates classify all {images:,} validation images correctly; {wins}, "
            f"as the smallest of them"
        )
    if last.verdict.why == "alike":
        return f"{nothing} between the first {last.verdict.able} candidates: {wins}"
    if last.entrants == 1:
        trained = len({record.key for record in records if record.purpose == "search"})
        only = "the only candidate" if trained == 1 else "the only candidate that was trained for all epochs"
        return f"{leader.first.name}, {only}, has {value}"
    if last.verdict.why == "alone":
        return f"{wins}: every other candidate has a chance of less than {100 * SLIM:.0f} % of being better"
    if not count:
        return f"{wins}; only runs of at least {2 * FEWEST} trials revalidate their leaders"
    return f"{wins} after {figures.counted(count, 'revalidation')}"


def words_after_all(records: Sequence[Record], budgets: Sequence[int]) -> str:
    """Return a description of the winners of the races below several budgets.

    Args:
        records: Records of the run.
        budgets: Budgets of the run.
    """
    searched = [one for one in records if one.purpose != "evaluation"]
    count = sum(record.purpose == "revalidation" for record in records)
    words = [
        f"below {budget:,} parameters {one.first.name} with {figures.validated(one.value, one.val_seeds, one.metric)}"
        for budget, one in best_below(searched, budgets).items()
    ]
    how = f"after {figures.counted(count, 'revalidation')}" if count else "by one training each"
    return f"the best {how}: {'; '.join(words)}"


def _filled(values: Floats) -> Floats:
    """Return the scores on the last fold, with failures imputed from the standing on the previous folds."""
    before, last = values[:, :-1].mean(axis=1), values[:, -1]
    failed = np.isneginf(last)
    return np.where(failed, last[~failed].mean() + before - before[~failed].mean(), last)


def _same_images(settings: RunSettings) -> bool:
    """Return whether the data have a validation part of their own, which all trainings are validated on."""
    return settings.split.kind == "given"


def _units(
    standings: Sequence[Standing[Record]], scores: Floats, images: int, *, same: bool
) -> tuple[float, float, float]:
    """Return, in units of the objective, the error of a training, the shared part of the error, and one image's worth.

    The error of an accuracy is known; that of another objective is derived from it, see ``unit_of``.
    """
    accuracies = np.array([one.first.val_accuracy or 0.0 for one in standings])
    variances = variances_of(float(np.mean(accuracies[:BEST])), images)
    # With other images the luck of the images averages out; with the same images it does not.
    error, shared = (variances.seed, variances.images) if same else (variances.seed + variances.images, 0.0)
    unit = 1.0 if standings[0].metric == ACCURACY else unit_of(scores, accuracies)
    return math.sqrt(error) * unit, math.sqrt(shared) * unit, unit / images
