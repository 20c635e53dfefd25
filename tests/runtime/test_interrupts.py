from __future__ import annotations

import gc
import signal
import sys
import threading
import warnings

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


def test_what_is_lost_in_the_collection_of_garbage_is_raised_again() -> None:
    def interrupted(phase: str, info: dict[str, int]) -> None:
        gc.callbacks.remove(interrupted)
        signal.raise_signal(signal.SIGINT)

    with Interrupts() as interrupts, warnings.catch_warnings():
        # Python tells of an exception that it does not raise, and pytest warns of it.
        warnings.simplefilter("ignore", pytest.PytestUnraisableExceptionWarning)
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        gc.callbacks.append(interrupted)
        try:
            gc.collect()
        finally:
            sys.unraisablehook = hook
        with interrupts.deferred():
            interrupts.renew()
        with pytest.raises(KeyboardInterrupt):
            interrupts.renew()
        # Once is enough.
        interrupts.renew()


def test_a_handler_that_raises_nothing_is_called_once() -> None:
    called = []
    before = signal.signal(signal.SIGINT, lambda number, _: called.append(number))
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            interrupts.renew()
    finally:
        signal.signal(signal.SIGINT, before)
    assert called == [signal.SIGINT]


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
