"""The stages of a run in order: search, revalidation of the leaders, evaluation of the winner."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tinysearch.errors import NoTestImagesError, TinySearchError
from tinysearch.report import figures
from tinysearch.results.callback import Callback, Ending, Stage
from tinysearch.results.record import Record
from tinysearch.runtime.backend import load_keras_tuner
from tinysearch.search.coordinator import Coordinator, TimeIsUpError
from tinysearch.search.evaluation import evaluate, winners_of, with_other_seeds
from tinysearch.search.forecasting import forecast
from tinysearch.search.outcome import RunOutcome
from tinysearch.search.outline import idle, outline
from tinysearch.search.revalidation import RevalidationPlan
from tinysearch.search.rounds import Round, words_after, words_after_all, words_before
from tinysearch.search.run import SearchRun
from tinysearch.search.search_plan import SearchPlan
from tinysearch.search.workload import workload
from tinysearch.workers.executor import Executor

if TYPE_CHECKING:
    from tinysearch.search.keras_tuner.tuner import BudgetTuner

STAGES = ("search", "revalidation", "evaluation")


class Stages:
    """Runner of the stages of a run, all of them or one by one.

    Args:
        run: Run whose lock is held, and still held afterwards.
        executor: Executor that trains the candidates; it is left open.
        callback: Callback that receives events.
    """

    def __init__(self, run: SearchRun, executor: Executor, callback: Callback) -> None:
        self._run = run
        self._executor = executor
        self._callback = callback
        self._tuner: BudgetTuner | None = None
        self._over: list[str] = []

    @property
    def tuner(self) -> BudgetTuner | None:
        """KerasTuner's view of the search; None before the search has begun."""
        return self._tuner

    def carry_out(self, stages: Sequence[str] = STAGES) -> RunOutcome:
        """Run stages, by default all.

        The leaders are revalidated if the run has more than one fold, and the winner is evaluated if the run asks for
        evaluations and the dataset has test images. The two stages do not depend on each other. The time limit of the
        run applies to all stages together.

        Args:
            stages: Any of ``"search"``, ``"revalidation"`` and ``"evaluation"``.

        Raises:
            StoreWriteError: if a result of the search cannot be stored.
            CostMismatchError: if Keras and the arithmetic disagree.
            WorkerError: if candidates cannot be trained at all.
        """
        run = self._run
        outcome = self.search() if "search" in stages else self._before()
        ending: Ending = outcome.ending
        problem: TinySearchError | None = None
        if ending in ("finished", "exhausted") and outcome.best is not None:
            ending, problem = self._after_search(stages, ending)
        left = self._left()
        if not left:
            run.store.finish(run.name)
        missing = tuple(one for one in left if one in stages)
        # These include revalidations of earlier calls.
        records = (*run.history.records(), *run.store.records(run.name, purpose="revalidation"))
        return dataclasses.replace(outcome, records=records, ending=ending, problem=problem, missing=missing)

    def _after_search(self, stages: Sequence[str], ending: Ending) -> tuple[Ending, TinySearchError | None]:
        """Run the requested stages after the search; return how they ended, and the error if there was one."""
        if "search" in stages:
            self._over.append("search")
        try:
            if "revalidation" in stages:
                self.revalidate()
                self._over.append("revalidation")
            if "evaluation" in stages:
                self.evaluate(other_seeds="search" not in stages)
                self._over.append("evaluation")
        except KeyboardInterrupt:
            return "interrupted", None
        except TimeIsUpError:
            return "time limit", None
        except TinySearchError as error:
            if not (isinstance(error, NoTestImagesError) and "search" in stages):
                return ending, error
            self._callback.on_note(f"no test figures: {error}")
            self._over.append("evaluation")
        return ending, None

    def search(self) -> RunOutcome:
        """Train all candidates of the search that are not in the store yet.

        Ctrl-C ends the running trainings and gives the outcome the ending ``"interrupted"``; all finished trainings are
        in the store.

        Raises:
            StoreWriteError: if a result cannot be stored.
            CostMismatchError: if Keras and the arithmetic disagree.
            WorkerError: if candidates cannot be trained at all.
        """
        run, executor, history = self._run, self._executor, self._run.history
        memory = executor.note(run.dataset.train.pixels.nbytes, run.resources)
        told = (run.dataset.fallback, *run.dataset.notes, *run.dataset.warnings)
        left_out = () if run.resumed else run.left_out
        for note in (*told, *left_out, memory, idle(run, executor.capacity)):
            if note:
                self._callback.on_note(note)
        run.models.tidy()
        run.store.reopen(run.name)
        run.store.note_rejections(run.name, {})
        left = run.planned - history.done
        ending: Ending = "finished"
        plan: SearchPlan | None = None
        with self._shown(self._search_stage()):
            try:
                if left and (run.until is None or time.monotonic() < run.until):
                    executor.prepare(min(left, executor.capacity), run.resources)
                plan, tuner = self._search_plan()
                tuner.search()
            except KeyboardInterrupt:
                ending = "interrupted"
            except TimeIsUpError:
                ending = "time limit"
        exhausted = None if plan is None else plan.exhausted
        if ending == "finished" and exhausted is not None:
            ending = "exhausted"
        if ending == "finished" and plan is not None and plan.out_of_time and history.done < run.planned:
            ending = "time limit"
        if ending == "exhausted" and exhausted is not None:
            run.store.note_rejections(run.name, exhausted.rejections)
        return RunOutcome(run.name, tuple(history.records()), ending, dict(history.rejections))

    def revalidate(self) -> list[Record]:
        """Train the leaders of the search again on other folds, as long as this may find a better one; see ``rounds``.

        Returns:
            The records of the run without evaluations.

        Raises:
            StoreWriteError: if a result cannot be stored.
            WorkerError: if nothing can be trained.
            TimeIsUpError: if the time limit is reached, or would be before another training is done.
            KeyboardInterrupt: on Ctrl-C; all finished trainings are in the store.
        """
        run, executor = self._run, self._executor
        stages: list[Stage] = []

        def begin(now: Round) -> None:
            if stages:
                self._callback.on_stage_end(stages.pop())
            if not now.left:
                words = words_after(now, plan.records, plan.images)
                if run.settings.budgets:
                    words = words_after_all(plan.records, run.settings.budgets)
                self._callback.on_decision(words)
                return
            stage = Stage(
                "revalidation",
                run.name,
                len(now.left),
                now.left[0].epochs,
                min(len(now.left), executor.capacity),
                text=words_before(now, run.settings),
                objective=run.settings.objective,
            )
            stages.append(stage)
            self._callback.on_stage_start(stage)

        plan = RevalidationPlan(run, executor, begin)
        try:
            Coordinator(run.store, executor, self._callback, run.until).carry_out(plan)
        finally:
            if stages:
                self._callback.on_stage_end(stages.pop())
        return plan.records

    def evaluate(self, *, other_seeds: bool = False) -> list[Record]:
        """Train each winner on all training images with as many seeds as the run asks for, and score it.

        Args:
            other_seeds: Whether seeds with which an evaluation failed before are replaced by others.

        Raises:
            NoTestImagesError: if there are no test images.
            TimeIsUpError: if the time limit is reached, or would be before all evaluations are done.
            TinySearchError: see ``evaluation.evaluate``.
        """
        run, executor = self._run, self._executor
        seeds = run.settings.evaluate
        if seeds == 0:
            return []
        planned = winners_of(run.store, run.name, run.dataset, range(seeds))
        if other_seeds:
            planned = with_other_seeds(run.store, planned)
        names = list(dict.fromkeys(one.name for one in planned))
        left = sum(run.store.training(run.name, one.key, one.seed, "evaluation") is None for one in planned)
        winner = run.store.training(run.name, planned[-1].key, run.settings.seed, "search")
        if left and winner is not None and not run.has_time(math.ceil(left / executor.capacity), winner):
            raise TimeIsUpError
        one = len(names) == 1
        who = f"the winner, {names[0]}" if one else f"the winners, {', '.join(names)}"
        text = (
            f"evaluating {who}: {'it' if one else 'each'} is trained on all training images with "
            f"{figures.counted(seeds, 'seed')}, and scored on the test images"
        )
        if not left:
            text = f"{who}, {'was' if one else 'were'} evaluated before; nothing is trained"
        workers = min(executor.capacity, len(planned))
        stage = Stage(
            "evaluation",
            run.name,
            len(planned),
            planned[0].epochs,
            workers,
            text=text,
            objective=run.settings.objective,
        )
        return evaluate(
            run.store,
            planned,
            run.dataset,
            executor,
            self._callback,
            stage,
            resources=run.resources,
            held=run.lock,
            until=run.until,
        )

    def _search_plan(self) -> tuple[SearchPlan, BudgetTuner]:
        load_keras_tuner()
        from tinysearch.search.keras_tuner.hypermodel import SpaceHyperModel
        from tinysearch.search.keras_tuner.oracle import ProposerOracle
        from tinysearch.search.keras_tuner.tuner import BudgetTuner

        run, executor = self._run, self._executor
        oracle = ProposerOracle(run.proposer, run.history, lambda: plan.may_begin())
        images = len(run.dataset.training_data().train)
        self._tuner = BudgetTuner(
            oracle,
            SpaceHyperModel(run.space, run.settings.recipe, images=images),
            run.models,
            lambda tuner: Coordinator(run.store, executor, self._callback, run.until).carry_out(plan),
        )
        plan = SearchPlan(run, self._tuner, executor)
        return plan, self._tuner

    def _search_stage(self) -> Stage:
        run = self._run
        return Stage(
            "search",
            run.name,
            run.planned,
            run.settings.recipe.epochs,
            self._executor.capacity,
            run.history.done,
            records=run.history.records(),
            rejections=run.history.rejections,
            plan=outline(run, self._executor.capacity),
            objective=run.settings.objective,
            forecast=forecast(run, self._executor),
        )

    @contextmanager
    def _shown(self, stage: Stage) -> Iterator[None]:
        self._callback.on_stage_start(stage)
        try:
            yield
        finally:
            self._callback.on_stage_end(stage)

    def _before(self) -> RunOutcome:
        """Return the outcome of the earlier search; reopen the run if its settings ask for more trainings now."""
        run = self._run
        if self._left():
            run.store.reopen(run.name)
        return RunOutcome(run.name, tuple(run.history.records()), "finished", dict(run.history.rejections))

    def _left(self) -> tuple[str, ...]:
        """Return the stages that the settings of the run ask for and that have trainings left."""
        if all(one in self._over for one in STAGES):
            return ()
        return tuple(one for one in workload(self._run).stages if one not in self._over)
