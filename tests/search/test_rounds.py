from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from tinysearch.data.splits import Split
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.training import Training
from tinysearch.search.racing import Verdict
from tinysearch.search.rounds import Round, fold_of, next_round, words_after, words_after_all, words_before
from tinysearch.search.settings import RunSettings
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import recipe

IMAGES = 6_000
ONCE = recipe("default", epochs=1)
AsRecord = Callable[..., Record]
Measure = Callable[[Training], float | None]


def settings(**given: Any) -> RunSettings:
    return RunSettings(Budget(10_000), recipe("default"), **given)


def again(training: Training, searched: Sequence[Record], score: float | None) -> Record:
    """Return a revalidation; one that failed without a score."""
    of = next(one for one in searched if one.key == training.key)
    measurement = Measurement((Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0, metrics={"loss": 1 - (score or 0)}),), 1.0)
    if score is None:
        measurement = Measurement(failure="out of memory")
    return dataclasses.replace(
        of, purpose="revalidation", trial=None, position=None, seed=training.seed, measurement=measurement
    )


def carry_out(
    searched: Sequence[Record], how: RunSettings, measure: Measure, known: Iterable[Record] = (), images: int = IMAGES
) -> tuple[list[Record], Round | None, list[list[str]]]:
    """Train round by round; return all records, the last round, and whom each round trained."""
    records = [*searched, *known]
    rounds: list[list[str]] = []
    while (now := next_round(records, how, images)) is not None and now.left:
        rounds.append([one.name for one in now.left])
        records += [again(one, searched, measure(one)) for one in now.left]
    return records, now, rounds


@pytest.fixture
def candidates(as_record: AsRecord) -> Callable[..., list[Record]]:
    """Return a function that makes records of a search with some scores, of networks that become larger."""

    def make(*scores: float) -> list[Record]:
        networks = [Architecture((Conv(filters),), Head("average")) for filters in range(1, len(scores) + 1)]
        return [
            dataclasses.replace(
                as_record(network, score, trial),
                key=(key := Candidate(network, ONCE).key),
                name=key,
                recipe=ONCE.to_dict(),
            )
            for trial, (network, score) in enumerate(zip(networks, scores, strict=True))
        ]

    return make


@pytest.fixture
def close(candidates: Callable[..., list[Record]]) -> list[Record]:
    """Twenty candidates, the best first, of which no one can tell by one training who is the best."""
    return candidates(*(0.995 - 0.0002 * number for number in range(20)))


def lucky(seed: int) -> Measure:
    """Return what measures with an error that is made of the training, whatever the order."""

    def measure(training: Training) -> float:
        rng = random.Random(f"{training.key} {training.seed} {seed}")  # noqa: S311
        return 0.99 + rng.gauss(0, 0.0008)

    return measure


def test_no_revalidation_holds_out_what_the_search_held_out() -> None:
    folds = [fold_of(seed) for seed in range(1, 19)]
    assert folds == 2 * list(range(1, 10))


@pytest.mark.parametrize("seed", range(12))
def test_there_are_at_most_half_as_many_trainings_as_trials(seed: int, close: list[Record]) -> None:
    for trials in (1, 2, 3, 4, 7, 20):
        records, _, rounds = carry_out(close[:trials], settings(), lucky(seed))
        assert len(records) - trials <= trials // 2
        assert len(rounds) <= 3


def test_baselines_race_but_are_no_trials(close: list[Record]) -> None:
    baselines = [dataclasses.replace(one, trial=None, origin="baseline") for one in close[:2]]
    _, _, rounds = carry_out([*baselines, *close[2:6]], settings(), lucky(1))
    assert sum(map(len, rounds)) == 2
    assert rounds[0] == [one.name for one in close[:2]]


def test_all_of_a_round_are_validated_on_one_fold_and_those_of_the_next_are_among_them(close: list[Record]) -> None:
    records = list(close)
    before = [one.key for one in close]
    sizes = []
    for number in range(1, 4):
        now = next_round(records, settings(seed=7), IMAGES)
        assert now is not None
        assert {(one.seed, one.fold, one.purpose) for one in now.left} == {
            (7 + number, fold_of(7 + number), "revalidation")
        }
        keys = [one.key for one in now.left]
        assert set(keys) <= set(before)
        before = keys
        sizes.append(len(keys))
        records += [again(one, close, 0.993) for one in now.left]
    assert sizes == [5, 3, 2]
    assert next_round(records, settings(seed=7), IMAGES).verdict.why == "spent"  # type: ignore[union-attr]


@pytest.mark.parametrize("folds", [2, 3, 4, 10])
def test_no_candidate_is_validated_on_more_folds_than_were_asked_for(folds: int, close: list[Record]) -> None:
    records, _, rounds = carry_out(close, settings(folds=folds), lucky(3))
    assert 1 <= len(rounds) <= folds - 1
    counts = [sum(one.key == other.key for one in records) for other in close]
    assert max(counts) <= folds


@pytest.mark.parametrize(("groups", "used"), [(2, [1]), (3, [1, 2]), (10, [1, 2, 3])])
def test_no_fold_is_used_twice_where_there_are_few_groups(groups: int, used: list[int], close: list[Record]) -> None:
    how = settings(data={"split": Split("groups", folds=groups).to_dict()})
    records, folds = list(close), []
    while (now := next_round(records, how, IMAGES)) is not None and now.left:
        folds += sorted({one.fold for one in now.left})
        records += [again(one, close, lucky(3)(one)) for one in now.left]
    assert folds
    assert folds == used[: len(folds)]


def test_one_fold_or_no_candidate_needs_no_race(close: list[Record]) -> None:
    assert next_round(close, settings(folds=1), IMAGES) is None
    assert next_round([], settings(), IMAGES) is None


def test_whoever_leads_by_more_than_chance_is_the_winner_at_once(candidates: Callable[..., list[Record]]) -> None:
    records = candidates(0.99, 0.97, 0.96, 0.95, 0.94)
    _, last, rounds = carry_out(records, settings(), lucky(0))
    assert rounds == []
    assert last is not None
    assert last.verdict.why == "alone"
    assert "every other candidate has a chance of less than 5 %" in words_after(last, records, IMAGES)


def test_a_candidate_that_is_alone_leads_nobody(candidates: Callable[..., list[Record]]) -> None:
    (one,) = records = candidates(0.97)
    _, last, _ = carry_out(records, settings(), lucky(0))
    assert last is not None
    assert words_after(last, records, IMAGES) == f"{one.name}, the only candidate, has 97.00 %"
    other = dataclasses.replace(candidates(0.9, 0.9)[1], measurement=Measurement(failure="killed"))
    _, last, _ = carry_out([one, other], settings(), lucky(0))
    assert last is not None
    said = f"{one.name}, the only candidate that was trained for all epochs, has 97.00 %"
    assert words_after(last, [one, other], IMAGES) == said


@pytest.mark.parametrize(("again_by", "said"), [(1, "after 1 revalidation"), (2, "after 2 revalidations")])
def test_revalidations_are_counted_in_the_singular_too(close: list[Record], again_by: int, said: str) -> None:
    over = Round(4, (), (), Verdict((), "spent", 20), 20)
    records = [*close, *(again(Training.again(one, "revalidation", 1, 9), close, 0.995) for one in close[:again_by])]
    assert words_after(over, records, IMAGES).endswith(said)
    assert words_after_all(records, (10_000,)).startswith(f"the best {said}: below 10,000 parameters ")


@pytest.mark.parametrize(
    ("count", "folds", "said"),
    [
        (1, 4, "round 1 of at most 3: 3 of 20 candidates may be the best; the first is trained again"),
        (2, 2, "in one round: 3 of 20 candidates may be the best; the first 2 are trained again"),
        (3, 2, "in one round: 3 of 20 candidates may be the best; all of them are trained again"),
    ],
)
def test_a_round_is_announced_in_the_singular_too(close: list[Record], count: int, folds: int, said: str) -> None:
    planned = tuple(Training.again(one, "revalidation", 1, 9) for one in close[:count])
    now = Round(1, planned, planned, Verdict(tuple(range(count)), "open", 3), 20)
    assert words_before(now, settings(folds=folds)) == f"revalidating the leaders, {said} with another fold held out"


def test_where_candidates_make_no_mistake_nothing_is_trained_and_the_words_say_so(
    candidates: Callable[..., list[Record]],
) -> None:
    records = candidates(0.99, 1.0, 1.0, 1.0, 0.98, 1.0)
    _, last, rounds = carry_out(records, settings(), lucky(0), images=180)
    assert rounds == []
    assert last is not None
    words = words_after(last, records, 180)
    assert words.startswith("no difference that these data can show: 4 candidates classify all 180 ")
    # Of equals the smallest leads.
    assert records[1].name in words


def test_an_objective_may_tell_apart_who_makes_no_mistake(candidates: Callable[..., list[Record]]) -> None:
    def by_loss(record: Record, loss: float) -> Record:
        point = dataclasses.replace(record.measurement.curve[-1], metrics={"loss": loss})
        measurement = dataclasses.replace(record.measurement, curve=(point,))
        return dataclasses.replace(record, objective="loss", direction="min", measurement=measurement)

    records = [
        by_loss(one, loss) for one, loss in zip(candidates(1.0, 1.0, 1.0, 1.0), (0.4, 0.2, 0.3, 0.5), strict=True)
    ]
    now = next_round(records, settings(), 180)
    assert now is not None
    assert now.perfect == 0
    assert "classify all" not in words_after(now, records, 180)
    same = [by_loss(one, 0.2) for one in records]
    alike = next_round(same, settings(), 180)
    assert alike is not None
    assert alike.perfect == 4


def test_where_nothing_can_be_gained_nothing_is_trained(candidates: Callable[..., list[Record]]) -> None:
    # None is perfect, but all make one mistake in 20 images, where one image is much.
    few = candidates(0.95, 0.95, 0.95, 0.95)
    _, last, rounds = carry_out(few, settings(), lucky(0), images=20)
    assert rounds == []
    assert last is not None
    assert (last.verdict.why, last.perfect) == ("alike", 0)
    assert words_after(last, few, 20).startswith("no difference that these data can show between the first 4 ")
    # On more images the same accuracies are worth a race.
    _, _, rounds = carry_out(few, settings(), lucky(0))
    assert rounds


def test_a_harder_fold_puts_nobody_in_front_who_was_not_trained_on_it(close: list[Record]) -> None:
    records, _, rounds = carry_out(close, settings(), lambda training: lucky(4)(training) - 0.01)
    trained = {one.key for one in records if one.purpose == "revalidation"}
    assert len(trained) == len(rounds[0])
    assert ranked(records)[0].first.key in trained
    easier, _, _ = carry_out(close, settings(), lucky(4))
    assert ranked(easier)[0].first.key == ranked(records)[0].first.key


def test_the_winner_is_among_the_last_round(close: list[Record]) -> None:
    for seed in range(20):
        records, _, rounds = carry_out(close, settings(), lucky(seed))
        assert ranked(records)[0].first.name in rounds[-1]


@pytest.mark.parametrize("seed", range(8))
def test_interruptions_and_the_order_of_results_change_nothing(seed: int, close: list[Record]) -> None:
    how = settings(folds=4)
    whole, _, _ = carry_out(close, how, lucky(seed))
    rng = random.Random(seed)  # noqa: S311
    records = list(close)
    while (now := next_round(records, how, IMAGES)) is not None and now.left:
        one = rng.choice(now.left)
        records.append(again(one, close, lucky(seed)(one)))
        rng.shuffle(records)
    found = {(one.key, one.seed, one.score) for one in records}
    assert found == {(one.key, one.seed, one.score) for one in whole}


def test_a_failure_has_no_part_in_the_mean_and_is_not_tried_again(close: list[Record]) -> None:
    failing = close[0].key
    records, _, rounds = carry_out(
        close, settings(), lambda one: None if one.key == failing and one.seed == 1 else lucky(1)(one)
    )
    assert failing in rounds[0]
    assert len({(one.key, one.seed, one.purpose) for one in records}) == len(records)
    assert [one.seed for one in records if one.failed] == [1]
    (standing,) = [one for one in ranked(records) if one.first.key == failing]
    assert standing.val_seeds == sum(one.key == failing and not one.failed for one in records)


def test_if_all_fail_the_race_is_over_and_the_leader_of_the_search_wins(close: list[Record]) -> None:
    records, last, rounds = carry_out(close, settings(), lambda training: None)
    assert len(rounds) == 1
    assert last is not None
    assert ranked(records)[0].first.key == close[0].key


def test_what_failed_was_stopped_or_is_an_evaluation_is_not_in_the_race(close: list[Record]) -> None:
    failed = dataclasses.replace(close[0], measurement=Measurement(failure="out of memory"))
    stopped = dataclasses.replace(close[1], recipe={**close[1].recipe, "epochs": 5})
    evaluated = dataclasses.replace(close[2], purpose="evaluation", seed=1)
    now = next_round([failed, stopped, evaluated, *close[3:]], settings(), IMAGES)
    assert now is not None
    assert now.entrants == 17
    assert {close[0].key, close[1].key, close[2].key}.isdisjoint(one.key for one in now.left)


def test_more_trials_bring_a_new_race_that_pays_for_what_was_trained_before(close: list[Record]) -> None:
    first, _, _ = carry_out(close[10:], settings(trials=10), lucky(2))
    before = [one for one in first if one.purpose == "revalidation"]
    assert before
    records, _, rounds = carry_out(close, settings(), lucky(2), known=before)
    assert sum(map(len, rounds)) + len(before) <= 10
    assert set(rounds[0]) <= {one.name for one in close[:10]}
    assert ranked(records)[0].first.key in {one.key for one in close[:10]}


@pytest.mark.parametrize("scale", [1.0, 250.0])
def test_an_objective_that_is_to_be_small_races_alike(scale: float, close: list[Record]) -> None:
    def by_loss(record: Record) -> Record:
        (last,) = record.measurement.curve
        point = dataclasses.replace(last, metrics={"loss": scale * (1 - last.val_accuracy)})  # type: ignore[operator]
        measurement = dataclasses.replace(record.measurement, curve=(point,))
        return dataclasses.replace(record, objective="loss", direction="min", measurement=measurement)

    searched = [by_loss(one) for one in close]
    by_accuracy, _, expected = carry_out(close, settings(), lucky(5))
    records = list(searched)
    rounds = []
    while (now := next_round(records, settings(), IMAGES)) is not None and now.left:
        rounds.append([one.name for one in now.left])
        records += [by_loss(again(one, searched, lucky(5)(one))) for one in now.left]
    assert rounds == expected
    assert ranked(records)[0].first.key == ranked(by_accuracy)[0].first.key


def test_the_words_say_who_is_trained_again_and_why(close: list[Record]) -> None:
    now = next_round(close, settings(), IMAGES)
    assert now is not None
    words = words_before(now, settings())
    assert words.startswith("revalidating the leaders, round 1 of at most 3: ")
    assert f"{now.verdict.able} of 20 candidates may be the best; the first 5 are trained again" in words
    assert "fold" in words
    given = settings(data={"split": {"kind": "given", "held": 100}})
    assert "with another seed" in words_before(now, given)


def test_means_are_those_of_the_trainings(close: list[Record]) -> None:
    records, _, _ = carry_out(close, settings(), lucky(6))
    first = ranked(records)[0]
    assert first.value == pytest.approx(np.mean([one.score for one in records if one.key == first.first.key]))


# Several budgets


def sized(searched: Sequence[Record], *params: int) -> list[Record]:
    """Return records as if their networks had so many parameters, in turn."""
    return [
        dataclasses.replace(one, cost=dataclasses.replace(one.cost, params=params[place % len(params)]))
        for place, one in enumerate(searched)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_below_each_budget_there_is_a_race_and_all_have_half_as_many_trainings_as_trials(
    seed: int, close: list[Record]
) -> None:
    how = settings(budgets=(1_000, 3_000, 10_000))
    searched = sized(close, 900, 2_000, 9_000)
    records, last, rounds = carry_out(searched, how, lucky(seed))
    assert last is not None
    assert not last.left
    again = [one for one in records if one.purpose == "revalidation"]
    assert len(again) <= len(close) // 2
    assert len({(one.key, one.seed) for one in again}) == len(again)
    # Each race begins with the leaders of all that are below its budget.
    firsts = {searched[place].name for place in (0, 1, 2)}
    assert firsts <= {name for names in rounds for name in names}


def test_a_training_that_two_races_ask_for_is_done_once(close: list[Record]) -> None:
    how = settings(budgets=(1_000, 10_000))
    # The smallest are the best below both.
    searched = sized(close[:10], 900) + sized(close[10:], 9_000)
    records, _, rounds = carry_out(searched, how, lucky(1))
    again = [one for one in records if one.purpose == "revalidation"]
    assert len({(one.key, one.seed) for one in again}) == len(again)
    assert sum(map(len, rounds)) == len(again)
    # What the first race has left is for the second.
    alone, _, _ = carry_out(searched[:10], settings(), lucky(1))
    assert len(again) >= len(alone) - 10


@pytest.mark.parametrize("seed", range(6))
def test_races_go_on_where_they_were_interrupted(seed: int, close: list[Record]) -> None:
    how = settings(budgets=(1_000, 3_000, 10_000))
    searched = sized(close, 900, 2_000, 9_000)
    whole, _, _ = carry_out(searched, how, lucky(seed))
    for kept in range(len(searched), len(whole)):
        assert carry_out(searched, how, lucky(seed), whole[len(searched) : kept])[0] == whole


def test_a_budget_that_nothing_is_below_has_no_race(close: list[Record]) -> None:
    records, last, _ = carry_out(sized(close, 9_000), settings(budgets=(10, 10_000)), lucky(0))
    assert last is not None
    assert last.below == 10_000
    assert len(records) > len(close)


def test_what_is_said_names_the_budgets(candidates: Callable[..., list[Record]]) -> None:
    how = settings(budgets=(1_000, 10_000))
    searched = sized(candidates(0.995, 0.9955), 900, 9_000)
    now = next_round(searched, how, IMAGES)
    assert now is not None
    assert now.below == 10_000
    assert words_before(now, how).startswith("revalidating the leaders below 10,000 parameters, round 1 of at most 3: ")
    assert words_after_all(searched, how.budgets) == (
        f"the best by one training each: below 1,000 parameters {searched[0].name} with 99.50 %; "
        f"below 10,000 parameters {searched[1].name} with 99.55 %"
    )
