from __future__ import annotations

import signal
import threading

import pytest

from tinysearch.runtime.interrupts import Interrupts


def test_ctrl_c_takes_effect_after_the_block_and_not_within() -> None:
    done = []

    def work() -> None:
        with Interrupts() as interrupts:
            with interrupts.deferred():
                signal.raise_signal(signal.SIGINT)
                done.append("the block")
            done.append("more")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the block"]


def test_outside_of_the_block_it_takes_effect_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)


def test_handlers_are_what_they_were_afterwards() -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with Interrupts() as interrupts:
        with pytest.raises(ValueError, match="of the block"), interrupts.deferred():
            raise ValueError("of the block")
        assert signal.getsignal(signal.SIGINT) != before[signal.SIGINT]
    assert {one: signal.getsignal(one) for one in before} == before


def test_other_threads_go_through_it() -> None:
    done = []

    def work() -> None:
        with Interrupts() as interrupts, interrupts.deferred():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
