from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinysearch.results.record import Record
from tinysearch.search.history import TrialHistory
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

AsRecord = Callable[..., Record]


def candidate(position: int) -> Candidate:
    return Candidate(Architecture((Conv(position + 1),), Head("average")), Recipe())


def record(as_record: AsRecord, position: int) -> Record:
    return replace(as_record(candidate(position).architecture, position / 100, position), rejections={"params": 1})


def test_with_one_worker_everything_before_is_known(as_record: AsRecord) -> None:
    history = TrialHistory(lag=1)
    for position in range(4):
        assert history.open
        assert [one.trial for one in history.known()] == list(range(position))
        assert history.pending() == []
        history.propose(candidate(position), {})
        assert not history.open
        history.record(position, record(as_record, position))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_a_proposal_may_know_does_not_depend_on_which_training_is_done_first(
    order: tuple[int, ...], as_record: AsRecord
) -> None:
    history = TrialHistory(lag=3)
    for position in range(3):
        assert history.known() == []
        assert history.pending() == [candidate(one) for one in range(position)]
        history.propose(candidate(position), {})
    for count, done in enumerate(order, start=1):
        history.record(done, record(as_record, done))
        assert history.open == (0 in order[:count])
    assert [one.trial for one in history.known()] == [0]
    assert history.pending() == [candidate(1), candidate(2)]


def test_gaps_of_a_resumed_run_are_proposed_again_and_what_follows_them_is_not_known_before(
    as_record: AsRecord,
) -> None:
    history = TrialHistory(3, {position: record(as_record, position) for position in (0, 1, 3, 4)})
    assert (history.position, history.done) == (2, 4)
    assert history.keys == {candidate(0).key, candidate(1).key}
    assert [one.trial for one in history.known()] == []
    history.propose(candidate(2), {"params": 1})
    assert history.position == 5
    assert history.keys == {candidate(position).key for position in range(5)}
    assert not history.open
    history.record(2, record(as_record, 2))
    assert history.open
    assert [one.trial for one in history.known()] == [0, 1, 2]
    assert history.pending() == [candidate(3), candidate(4)]
    assert history.rejections == {"params": 5}
    assert [one.trial for one in history.records()] == [0, 1, 2, 3, 4]


def test_the_keys_of_all_that_was_proposed_are_known_at_once() -> None:
    history = TrialHistory(lag=8)
    history.propose(candidate(0), {"duplicate": 2})
    assert history.keys == {candidate(0).key}
    assert history.rejections == {"duplicate": 2}
