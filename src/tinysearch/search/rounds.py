"""The rounds of a race between the candidates of a search: who is trained again on which fold, and who has won.

All candidates of a round are validated on the same fold, so that they can be compared whether it is hard or easy. Who
may still be better than the leader by the mean is in the next round; see ``racing``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinysearch.data.splits import FOLDS, Split
from tinysearch.report import figures
from tinysearch.results.ranking import best_below, ranked
from tinysearch.results.record import ACCURACY, Record
from tinysearch.results.standing import Standing
from tinysearch.results.training import Training
from tinysearch.search.racing import FEWEST, SLIM, Floats, Verdict, decide, unit_of, variances_of
from tinysearch.search.settings import RunSettings

# Of a training: key of the candidate and seed.
Identity = tuple[str, int]

# A round is worth its trainings if the best is expected to rise by this much, in validation images.
WORTH = 0.1
# How accurate good candidates of a search are is told by so many of them, so that it is not the luck of one.
BEST = 5


def fold_of(seed: int) -> int:
    """Return which fold of the training images a revalidation with a seed holds out, counted from the end.

    Never 0, which is the last one: that is held out by the search.

    >>> [fold_of(seed) for seed in (0, 1, 2, 9, 10)]
    [9, 1, 2, 9, 1]
    """
    return 1 + (seed - 1) % (FOLDS - 1)


@dataclass(frozen=True, slots=True)
class Round:
    """What is to be trained next, and why.

    Args:
        number: Of the round, from 1.
        planned: All its trainings; none if the race is over.
        left: Those of them that are not known yet.
        verdict: What decided.
        entrants: How many candidates were in the race before.
        perfect: How many candidates make no mistake on the validation images of the search, if that ended the race.
        below: The bound on parameters of the race, where there are several.
        trained: What the race has trained or plans to: keys and seeds.
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
    """Return the first round that is not complete, or one without trainings if all races are over.

    A pure function: rounds are gone through from the first one, and each follows from the search and the rounds before
    it. So what is trained depends neither on interruptions nor on the order in which results come.

    Args:
        records: Those of a run.
        settings: Those of the run.
        images: How many images a training is validated on.

    Returns:
        None if there is nothing to decide: the run asks for one fold, or no candidate was trained for all epochs.
    """
    everything = list(records)
    most = sum(record.purpose == "search" and record.trial is not None for record in everything) // 2
    bounds: Sequence[int | None] = settings.budgets or (None,)
    trained: frozenset[Identity] = frozenset()
    last: Round | None = None
    for place, bound in enumerate(bounds):
        below = [one for one in everything if bound is None or one.cost.params < bound]
        # What a race leaves over is for those after it.
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
    """Return the first round of a race that is not complete.

    Args:
        everything: Records of all who may take part.
        settings, images: See ``next_round``.
        most: How many trainings it may have.
        free: Trainings of races before it, which it has as well.
    """
    searched = [record for record in everything if record.purpose == "search"]
    known = {(record.key, record.seed): record for record in everything if record.purpose == "revalidation"}
    standings = [one for one in ranked(searched) if not (one.is_shortened or one.first.pruned or one.value is None)]
    if settings.folds == 1 or not standings:
        return None
    contenders = [one.first for one in standings]
    # An objective of one's own may still tell them apart.
    perfect = sum(one.first.val_accuracy == 1 and one.value == standings[0].value for one in standings)
    if perfect > 1 and contenders[0].val_accuracy == 1:
        return Round(1, (), (), Verdict((), "alike", perfect), len(contenders), perfect)
    scores = np.array([one.score for one in standings])
    values = scores[:, None]
    error, shared, image = _units(standings, scores, images, same=_same_images(settings))
    trained: set[Identity] = set()
    for number in range(1, settings.folds):
        seed = settings.seed + number
        rounds, room = settings.folds - number, most - len(trained - free)
        verdict = decide(values, error, scores, worth=WORTH * image, rounds=rounds, room=room, shared=shared)
        chosen = [contenders[one] for one in verdict.chosen]
        planned = tuple(Training.again(one, "revalidation", seed, fold_of(seed)) for one in chosen)
        trained.update((one.key, one.seed) for one in planned)
        if not planned or not trained <= known.keys():
            # What was trained when there were fewer trials, or another number of folds, is not trained for nothing.
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
    return Round(settings.folds, (), (), over, len(contenders), trained=frozenset(trained))


def words_before(now: Round, settings: RunSettings) -> str:
    """Return what is about to be trained, and why."""
    where = "with another seed" if _same_images(settings) else "with another fold held out"
    count, most = len(now.planned), settings.folds - 1
    able = f"{now.verdict.able} of {now.entrants} candidates may be the best"
    who = "all of them are" if count == now.verdict.able else "the first is" if count == 1 else f"the first {count} are"
    leaders = "the leaders" if now.below is None else f"the leaders below {now.below:,} parameters"
    rounds = f"round {now.number} of at most {most}" if most > 1 else "in one round"
    return f"revalidating {leaders}, {rounds}: {able}; {who} trained again {where}"


def words_after(last: Round, records: Sequence[Record], images: int) -> str:
    """Return who has won, and why the race is over.

    Args:
        last: Has no trainings.
        records: Those of the run.
        images: How many images a training is validated on.
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
    """Return who has won the races below several budgets.

    Args:
        records: Those of the run.
        budgets: Those of the run.
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
    """Return the last fold, with what failed as good among the others as it was on the folds before."""
    before, last = values[:, :-1].mean(axis=1), values[:, -1]
    failed = np.isneginf(last)
    return np.where(failed, last[~failed].mean() + before - before[~failed].mean(), last)


def _same_images(settings: RunSettings) -> bool:
    """Whether the data have a validation part, which all trainings are validated on."""
    return Split.from_dict(settings.data.get("split", {})).kind == "given"


def _units(
    standings: Sequence[Standing[Record]], scores: Floats, images: int, *, same: bool
) -> tuple[float, float, float]:
    """Return the error of a training, what trainings of a candidate share, and the worth of an image, in its objective.

    How large the error of an accuracy is, is known; that of another objective follows from it, see ``unit_of``.
    """
    accuracies = np.array([one.first.val_accuracy or 0.0 for one in standings])
    variances = variances_of(float(np.mean(accuracies[:BEST])), images)
    # Other images bring other luck; that with the same ones does not go away.
    error, shared = (variances.seed, variances.images) if same else (variances.seed + variances.images, 0.0)
    unit = 1.0 if standings[0].metric == ACCURACY else unit_of(scores, accuracies)
    return math.sqrt(error) * unit, math.sqrt(shared) * unit, unit / images
