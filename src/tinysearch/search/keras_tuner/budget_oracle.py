"""A parameter budget for any KerasTuner oracle."""

from __future__ import annotations

import functools
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner

from tinysearch.errors import BudgetError, TinySearchWarning
from tinysearch.report.figures import counted
from tinysearch.search.keras_tuner import rejections_file
from tinysearch.search.keras_tuner.acquisition import by_acquisition
from tinysearch.search.keras_tuner.budget_filter import BudgetFilter, CostFunction, Counted
from tinysearch.search.keras_tuner.chief_oracle import ChiefOracle
from tinysearch.search.keras_tuner.counted_trial import CountedTrial
from tinysearch.search.keras_tuner.counting import BuiltCount, cost_of
from tinysearch.search.keras_tuner.grid import restore_order
from tinysearch.search.keras_tuner.locks import released_after_errors
from tinysearch.search.keras_tuner.smallest import is_below
from tinysearch.search.keras_tuner.values import random_values, with_values
from tinysearch.search.keras_tuner.wrapped_oracle import Values
from tinysearch.space.budget import Budget

# Number of draws that Bayesian optimization chooses from if its optimum is over the budget.
_CHOICE = 200
# Number of proposals of another oracle that may be rejected before one is drawn at random.
_AGAIN = 5
# Seconds without output after which a progress line is printed while draws are rejected.
_SILENCE = 10


class BudgetOracle(ChiefOracle):
    """Wraps a KerasTuner oracle so that no trial is ever at or above a budget.

    The model of each draw is counted before a trial is created. A draw that is over the budget or cannot be built is
    rejected and replaced; it does not count towards ``max_trials`` and is not a failed trial. ``rejections`` has the
    number of distinct rejected draws by reason, which is also printed before each trial. The first error of a model
    that cannot be built is printed once. The wrapped oracle does everything else, including its files;
    ``rejections.json`` is added to the project folder.

    Parameters are Keras's *Total params*, including non-trainable ones. The same hyperparameters must always give the
    same model: a hypermodel that makes random choices itself cannot be counted in advance.

    Args:
        oracle: The oracle to wrap: random search, Bayesian optimization, Hyperband, grid search or your own. Only use
            the wrapper from then on.
        budget: Exclusive upper bound on the total parameters, or a ``tinysearch.Budget``.
        hypermodel: The hypermodel that is given to the tuner; required unless ``cost`` is given.
        cost: A function from hyperparameters to the number of parameters, or to a ``tinysearch.Cost``, which is
            required if the budget limits more than parameters. By default the model is built symbolically and counted,
            or, for tinysearch's own hypermodel, counted by arithmetic.
        attempts: Number of consecutive draws without a new candidate within the budget after which the search ends.

    Raises:
        BudgetError: if the budget is not legal or nothing can be counted; from ``create_trial``, if no model within the
            budget is found at all; when a search is resumed, if one of its trials is not within the budget.
    """

    _OWN = (*ChiefOracle._OWN, "attempts", "filter", "params", "_asked", "_draw", "_ended", "_lock", "_next", "_record")
    _OWN += ("_said", "_told")

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        budget: float | str | Budget,
        hypermodel: keras_tuner.HyperModel | Callable[[Any], Any] | None = None,
        *,
        cost: CostFunction | None = None,
        attempts: int = 1_000,
    ) -> None:
        # KerasTuner's own constructor is not called, because the wrapped oracle has all that it would set.
        if not isinstance(oracle, keras_tuner.Oracle) or isinstance(oracle, BudgetOracle):
            raise BudgetError(f"BudgetOracle takes a keras_tuner.Oracle that has no budget yet, got {oracle!r}")
        self.oracle, self.attempts = oracle, attempts
        self.filter = BudgetFilter(Budget.of(budget), cost or cost_of(hypermodel, budget))
        self.params: dict[str, int] = {}
        self._lock = threading.RLock()
        self._told, self._ended, self._said = 0, False, 0.0
        self._asked, self._draw, self._record = oracle.populate_space, oracle._random_values, oracle._record_values
        if type(oracle)._random_values is keras_tuner.Oracle._random_values:
            self._draw = functools.partial(random_values, oracle)
        # Oracles update their state before they return a draw, so it is filtered where they draw it.
        oracle.populate_space, oracle._random_values = self._populate, self._random_within
        oracle._record_values = self._record_unchanged
        # After 20 draws of known values, KerasTuner considers a space exhausted.
        oracle._max_collisions = max(oracle._max_collisions, attempts)
        if isinstance(oracle, keras_tuner.oracles.GridSearchOracle):
            self._next = oracle._get_next_combination
            oracle._get_next_combination = self._next_within
        if oracle.trials:
            self._adopt()

    def __repr__(self) -> str:
        """Show the wrapped oracle, the budget and the trials."""
        trials = counted(len(self.oracle.trials), "trial")
        about = f"{type(self.oracle).__name__}, {' and '.join(self.budget.limits)}, {trials}"
        return f"<BudgetOracle: {about}, {self.filter.rejections.total():,} rejected>"

    @property
    def budget(self) -> Budget:
        """The budget."""
        return self.filter.budget

    @property
    def rejections(self) -> dict[str, int]:
        """Number of distinct values that were rejected, by reason: ``"params"``, ``"cannot be built"``, ..."""
        return dict(self.filter.rejections)

    def create_trial(self, tuner_id: str) -> keras_tuner.engine.trial.Trial:
        """Create a trial within the budget; if there is none, its status says so, as in KerasTuner.

        Raises:
            BudgetError: if no model within the budget is found for the first trial.
        """
        self._said = time.monotonic()
        try:
            with released_after_errors(self.oracle):
                return self._created(tuner_id)
        except Exception as error:
            return self.stopped_by(error)

    def _created(self, tuner_id: str) -> keras_tuner.engine.trial.Trial:
        trial = self.oracle.create_trial(tuner_id)
        with self._lock:
            if trial.status == "RUNNING" and trial.trial_id not in self.params:
                self._began(trial)
        if trial.status == "STOPPED" and self.filter.rejections:
            if not self.oracle.trials:
                raise self.filter.nothing_fits()
            if self._ended:
                self._ended = False
                why = self.filter.ended(len(self.oracle.trials), self.attempts)
                if isinstance(self.oracle, keras_tuner.oracles.HyperbandOracle):
                    why += "; the bracket is not full, so nothing in it is trained further"
                warnings.warn(why, TinySearchWarning, stacklevel=3)
        return trial

    def get_best_trials(self, num_trials: int = 1) -> list[keras_tuner.engine.trial.Trial]:
        """Return the best trials; their summaries include the parameters, see ``results_summary`` of a tuner."""
        best = self.oracle.get_best_trials(num_trials)
        return [CountedTrial(one, self.params[one.trial_id]) if one.trial_id in self.params else one for one in best]

    def save(self) -> None:
        """Save the wrapped oracle and the rejections."""
        self.oracle.save()
        with self._lock:
            rejections_file.write(str(self.oracle._project_dir), self.rejections, self.params)

    def reload(self) -> None:
        """Load a saved search, even one without a budget.

        Raises:
            BudgetError: if one of its trials is not within the budget.
        """
        self.oracle.reload()
        self._adopt()

    def _adopt(self) -> None:
        """Take over the trials of an earlier search, and count those whose parameters are not stored."""
        if isinstance(self.oracle, keras_tuner.oracles.GridSearchOracle):
            restore_order(self.oracle)
        if isinstance(self.filter.cost, BuiltCount):
            self.filter.cost.build_defaults(self.oracle.get_space())
        rejections, kept = rejections_file.read(str(self.oracle._project_dir))
        self.filter.rejections.update(rejections)
        self._told = self.filter.rejections.total()
        for trial in self.oracle.trials.values():
            again = trial.status == "RUNNING" or trial.trial_id in self.oracle._retry_queue
            params = None if again else kept.get(trial.trial_id)
            found = Counted(params, None)
            if params is None or self.filter.needs_costs:
                found = self.filter.look(trial.hyperparameters.copy())
            if found.params is None:
                continue
            if (over := self.filter.over(found)) is not None:
                raise BudgetError(
                    f"trial {trial.trial_id} in {self.oracle._project_dir} {over}, so this search cannot continue "
                    f"there; give the tuner another project_name, or overwrite=True"
                )
            self.params[trial.trial_id] = found.params

    def _began(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """Store the size of a new trial, and print the rejections before it."""
        found = self.filter.look(trial.hyperparameters.copy())
        if (params := found.params) is None or found.reason is not None:
            raise BudgetError(f"{self.oracle!r} changed values after they were counted: {trial.hyperparameters.values}")
        self.params[trial.trial_id] = params
        rejected = self.filter.rejections.total()
        if self.oracle.verbose:
            for line in (self.filter.began(params, rejected - self._told), *self.filter.tell_failure()):
                print(f"Budget: {line}")  # noqa: T201 (KerasTuner prints)
        self._told = rejected
        self.save()

    # Replacements of methods of the wrapped oracle, called while its lock is held.

    def _populate(self, trial_id: str) -> Values:
        for _ in range(_AGAIN):
            response: Values = self._asked(trial_id)
            if response["status"] != "RUNNING":
                return response
            hyperparameters = self._completed(response["values"] or {})
            if self._accepts(hyperparameters):
                return {**response, "values": hyperparameters.values}
            match self.oracle:
                case keras_tuner.oracles.GridSearchOracle():
                    return self._response(self._next_within(hyperparameters.values))
                case keras_tuner.oracles.BayesianOptimizationOracle():
                    return self._response(self._best_within())
        return self._response(self._random_within())

    @staticmethod
    def _response(values: Values | None) -> Values:
        return {"status": "STOPPED" if values is None else "RUNNING", "values": values}

    def _random_within(self) -> Values | None:
        """Draw at random until a new draw is within the budget; None if that fails."""
        for _ in range(self.attempts):
            values = self._draw()
            if values is None:
                break
            hyperparameters = self._completed(values)
            if self._accepts(hyperparameters):
                return dict(hyperparameters.values)
        found = None if self.oracle.trials else self._smallest_within()
        self._ended = found is None
        return found

    def _best_within(self) -> Values | None:
        """Return the best of some random draws by acquisition that is within the budget."""
        draws = [values for values in (self._draw() for _ in range(_CHOICE)) if values is not None]
        for values in by_acquisition(self.oracle, draws):
            hyperparameters = self._completed(values)
            if self._accepts(hyperparameters):
                return dict(hyperparameters.values)
        return self._random_within()

    def _next_within(self, values: Values) -> Values | None:
        """Return the next combination of a grid that is within the budget."""
        combination: Values | None = self._next(with_values(self.oracle.hyperparameters, values).values)
        while combination is not None:
            hyperparameters = self._completed(combination)
            if self._accepts(hyperparameters):
                return dict(hyperparameters.values)
            # A grid may be long, with models that fit at its end, so it ends early only if no small model is found.
            doubtful = not self.oracle.trials and self.filter.rejections.total() == self.attempts
            if doubtful and self._smallest_within() is None:
                return None
            combination = self._next(with_values(self.oracle.hyperparameters, hyperparameters.values).values)
        return None

    def _record_unchanged(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """Record the values of a trial unchanged.

        KerasTuner draws them anew, without a seed, if hyperparameters share a name under several conditions.
        """
        values = dict(trial.hyperparameters.values)
        self._record(trial)
        trial.hyperparameters.values = values

    def _completed(self, values: Mapping[str, Any]) -> keras_tuner.HyperParameters:
        """Return hyperparameters with all active values: KerasTuner would draw missing ones without a seed."""
        return with_values(self.oracle.hyperparameters, values, self._sampled)

    def _sampled(self, one: Any) -> Any:
        self.oracle._seed_state += 1
        return one.random_sample(self.oracle._seed_state - 1)

    def _accepts(self, hyperparameters: keras_tuner.HyperParameters) -> bool:
        declared = len(hyperparameters.space)
        self._look(hyperparameters)
        accepted = self.filter.accepts(hyperparameters)
        if len(hyperparameters.space) > declared:
            self.oracle.update_space(hyperparameters)
        return accepted

    def _look(self, hyperparameters: keras_tuner.HyperParameters) -> Counted:
        if self.oracle.verbose and time.monotonic() - self._said > _SILENCE:
            self._said = time.monotonic()
            print(f"Budget: {self.filter.progress()}")  # noqa: T201
        return self.filter.look(hyperparameters)

    def _smallest_within(self) -> Values | None:
        """Return values within the budget that a descent to small models finds, or None."""
        starts = [{}] if self.filter.smallest is None else [self.filter.smallest[1], {}]
        is_below(self.oracle.hyperparameters, starts, lambda one: self._look(one).params, self.budget.params)
        if self.filter.smallest is None:
            return None
        hyperparameters = self._completed(self.filter.smallest[1])
        return dict(hyperparameters.values) if self._accepts(hyperparameters) else None
