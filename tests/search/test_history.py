from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinysearch.results.record import Record
from tinysearch.search.history import Ledger
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

AsRecord = Callable[..., Record]


def candidate(position: int) -> Candidate:
    return Candidate(Architecture((Conv(position + 1),), Head("average")), Recipe())


def record(as_record: AsRecord, position: int) -> Record:
    return replace(as_record(candidate(position).architecture, position / 100, position), rejections={"params": 1})


def test_with_one_worker_everything_before_is_known(as_record: AsRecord) -> None:
    ledger = Ledger(workers=1)
    for position in range(4):
        assert ledger.open
        assert [one.trial for one in ledger.history()] == list(range(position))
        assert ledger.pending() == []
        ledger.propose(candidate(position), {})
        assert not ledger.open
        ledger.record(position, record(as_record, position))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_a_proposal_may_know_does_not_depend_on_which_training_is_done_first(
    order: tuple[int, ...], as_record: AsRecord
) -> None:
    ledger = Ledger(workers=3)
    for position in range(3):
        assert ledger.history() == []
        assert ledger.pending() == [candidate(one) for one in range(position)]
        ledger.propose(candidate(position), {})
    for count, done in enumerate(order, start=1):
        ledger.record(done, record(as_record, done))
        assert ledger.open == (0 in order[:count])
    assert [one.trial for one in ledger.history()] == [0]
    assert ledger.pending() == [candidate(1), candidate(2)]


def test_gaps_of_a_resumed_run_are_proposed_again_and_what_follows_them_is_not_known_before(
    as_record: AsRecord,
) -> None:
    ledger = Ledger(3, {position: record(as_record, position) for position in (0, 1, 3, 4)})
    assert (ledger.position, ledger.done) == (2, 4)
    assert ledger.keys == {candidate(0).key, candidate(1).key}
    assert [one.trial for one in ledger.history()] == []
    ledger.propose(candidate(2), {"params": 1})
    assert ledger.position == 5
    assert ledger.keys == {candidate(position).key for position in range(5)}
    assert not ledger.open
    ledger.record(2, record(as_record, 2))
    assert ledger.open
    assert [one.trial for one in ledger.history()] == [0, 1, 2]
    assert ledger.pending() == [candidate(3), candidate(4)]
    assert ledger.rejections == {"params": 5}
    assert [one.trial for one in ledger.records()] == [0, 1, 2, 3, 4]


def test_the_keys_of_all_that_was_proposed_are_known_at_once() -> None:
    ledger = Ledger(workers=8)
    ledger.propose(candidate(0), {"duplicate": 2})
    assert ledger.keys == {candidate(0).key}
    assert ledger.rejections == {"duplicate": 2}
