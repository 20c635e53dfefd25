from __future__ import annotations

import signal
import threading

import pytest

from tinysearch.search.interrupts import held_back


def test_ctrl_c_takes_effect_after_the_block_and_not_within() -> None:
    done = []

    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("the block")
        done.append("more")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the block"]


def test_handlers_are_what_they_were_afterwards() -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with held_back(), held_back():
        pass
    with pytest.raises(ValueError, match="of the block"), held_back():
        raise ValueError("of the block")
    assert {one: signal.getsignal(one) for one in before} == before


def test_without_an_interruption_nothing_happens() -> None:
    with held_back():
        pass


def test_other_threads_go_through_it() -> None:
    done = []

    def work() -> None:
        with held_back():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
