from __future__ import annotations

import dataclasses
import math

import pytest

from tinysearch.errors import ArchitectureError, BudgetError
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import FLASH_MARGIN, Budget
from tinysearch.space.cost import Cost, cost, flash_bytes
from tinysearch.space.devices import DEVICES, device, limits, named
from tinysearch.space.task import Task

NETWORK = Architecture((Conv(4, norm="before"),), Head("average"))


def test_every_device_has_its_source_and_leaves_room_for_a_program() -> None:
    for name, one in DEVICES.items():
        assert device(name) is one
        assert one.source
        assert 0 < one.max_flash <= one.flash - 512
        assert 0 < one.max_ram <= one.ram - 512


def test_an_unknown_device_is_refused_with_those_that_are_known() -> None:
    words = r"the devices are attiny1614, .*esp32; for any other chip, .* `max_flash=` and `max_ram=`.*'toaster'"
    with pytest.raises(BudgetError, match=words):
        device("toaster")
    with pytest.raises(BudgetError, match="did you mean 'rp2040'"):
        device("RP2041")
    assert device("RP2040") is device("rp2040")
    # Another chip of that family has another size.
    with pytest.raises(BudgetError, match=r"got 'stm32g0'$"):
        device("stm32g0")


def test_a_device_is_known_by_its_limits_on_the_processor_that_they_were_counted_for() -> None:
    assert all(named(one.max_flash, one.max_ram, one.counted_as) is one for one in DEVICES.values())
    assert named(1, 1, "avr") is None
    # A Cortex-M0 of 16 and 2 kB, of which a quarter is left free, has the limits of an attiny1614.
    small = device("attiny1614")
    assert named(small.max_flash, small.max_ram, "cortex-m0plus") is None


def test_a_budget_knows_its_device_and_flash_is_counted_for_it() -> None:
    chip = device("arduino-uno")
    own = Budget(1_000, flash_bytes=chip.max_flash, peak_activation_bytes=chip.max_ram, device="Arduino-Uno")
    assert (own.device, own.processor, own.of_device) == ("arduino-uno", "avr", chip)
    assert Budget.from_dict(own.to_dict()) == own
    assert "device='arduino-uno'" in repr(own)
    # With limits of one's own it is still for that processor, but they say nothing of what the device has.
    other = dataclasses.replace(own, peak_activation_bytes=800)
    assert (other.device, other.processor, other.of_device) == ("arduino-uno", "avr", None)
    with pytest.raises(BudgetError, match="'toaster'"):
        Budget(1_000, device="toaster")


def test_a_device_that_was_not_written_down_is_the_one_with_these_limits() -> None:
    chip = device("arduino-uno")
    earlier = {"params": 1_000, "flash_bytes": chip.max_flash, "peak_activation_bytes": chip.max_ram}
    assert Budget.from_dict({**earlier, "processor": "avr"}).device == "arduino-uno"
    assert Budget.from_dict(earlier).device is None
    assert Budget.from_dict({"params": 9, "flash_bytes": 3_145_728, "peak_activation_bytes": 399_360}).device == "esp32"
    assert Budget.from_dict({"params": 1_000}) == Budget(1_000)


@pytest.mark.parametrize(
    ("bound", "words"), [("flash_bytes", "bytes of flash"), ("peak_activation_bytes", "bytes of RAM for activations")]
)
def test_flash_and_memory_can_be_bounded(bound: str, words: str) -> None:
    counted = cost(NETWORK, Task())
    need = getattr(counted, bound)
    enough = math.ceil(need / (1 - FLASH_MARGIN)) if bound == "flash_bytes" else need
    assert Budget(10_000, **{bound: enough}).check(counted).accepted
    verdict = Budget(10_000, **{bound: need - 1}).check(counted)
    assert (verdict.accepted, verdict.reason) == (False, bound)
    assert verdict.message == f"{need:,} {words} are above the limit of {need - 1:,}"


def test_a_cortex_gives_an_array_whole_words() -> None:
    counted = dataclasses.replace(cost(NETWORK, Task()), peak_activation_bytes=127)
    assert not Budget(10_000, peak_activation_bytes=127).check(counted).accepted
    assert Budget(10_000, peak_activation_bytes=128).check(counted).accepted
    assert Budget(10_000, peak_activation_bytes=127, processor="avr").check(counted).accepted


def test_real_numbers_take_more_flash_and_a_larger_buffer() -> None:
    of = {values: cost(NETWORK, Task(values=values)) for values in ("bytes", "levels", "real")}
    assert [one.image_bytes for one in of.values()] == [784, 784, 4 * 784]
    assert of["bytes"].flash_bytes < of["levels"].flash_bytes < of["real"].flash_bytes - 2_500
    assert of["bytes"].avr_flash_bytes < of["levels"].avr_flash_bytes < of["real"].avr_flash_bytes - 500
    limit = math.ceil(of["levels"].flash_bytes / (1 - FLASH_MARGIN))
    accepted = {values: Budget(10_000, flash_bytes=limit).check(one).accepted for values, one in of.items()}
    assert accepted == {"bytes": True, "levels": True, "real": False}
    with pytest.raises(ArchitectureError, match="bytes, levels, real; got 'float'"):
        Task(values="float")


def test_flash_of_what_is_too_large_for_the_code_is_not_known() -> None:
    assert cost(NETWORK, Task((180, 180, 1), 10)).flash_bytes is not None
    large = cost(NETWORK, Task((200, 200, 1), 10))
    assert (large.flash_bytes, large.avr_flash_bytes) == (None, None)
    assert not Budget(10_000, flash_bytes=1_000_000).check(large).accepted
    assert cost(Architecture((Conv(4, stride=2),), Head("average")), Task((200, 200, 1), 10)).flash_bytes is not None


def test_flash_that_the_prediction_may_miss_is_not_within_the_limit() -> None:
    counted = cost(NETWORK, Task())
    verdict = Budget(10_000, flash_bytes=counted.flash_bytes).check(counted)
    assert (verdict.accepted, verdict.reason) == (False, "flash_bytes")
    assert "the prediction may be 1% off" in verdict.message


def test_what_was_recorded_before_flash_was_counted_may_be_above_any_limit_of_it() -> None:
    older = dataclasses.replace(cost(NETWORK, Task()), flash_bytes=None)
    assert Budget(10_000).check(older).accepted
    verdict = Budget(10_000, flash_bytes=1_000_000).check(older)
    assert (verdict.accepted, verdict.reason) == (False, "flash_bytes")
    assert "not known" in verdict.message


def test_the_limits_of_a_device_are_its_own_unless_others_are_given() -> None:
    assert limits("arduino-uno") == {"max_flash": 24_576, "max_ram": 1_536}
    assert limits("arduino-uno", 9, None) == {"max_flash": 9, "max_ram": 1_536}


def test_shared_weights_take_no_flash_again_but_each_application_has_its_own_scales() -> None:
    once, twice = (
        cost(Architecture((Conv(9), Conv(9, repeat=times)), Head("average")), Task()).flash_bytes for times in (1, 2)
    )
    assert once is not None
    assert twice is not None
    # A structure, biases and multipliers, shifts, and a call, in whole words.
    assert twice - once == 52 + 8 * 9 + 12 + 12


def test_the_flash_of_a_cortex_m0_is_the_one_that_a_cost_has() -> None:
    assert cost(NETWORK, Task()).flash_bytes == flash_bytes(NETWORK, Task(), "cortex-m0plus")
    assert flash_bytes(NETWORK, Task(), "cortex-m4") != flash_bytes(NETWORK, Task(), "cortex-m0plus")


def test_what_was_recorded_before_flash_was_counted_is_read() -> None:
    plain = cost(NETWORK, Task()).to_dict()
    assert Cost.from_dict(plain).flash_bytes == plain.pop("flash_bytes")
    assert Cost.from_dict(plain).image_bytes == plain.pop("image_bytes") == 784
    older = Cost.from_dict(plain)
    assert older.flash_bytes is None
    assert older.image_bytes is None
    assert older == dataclasses.replace(cost(NETWORK, Task()), flash_bytes=None)


def test_flash_on_an_avr_is_counted_where_the_limits_are_those_of_one() -> None:
    counted = cost(NETWORK, Task())
    assert counted.flash_on("avr") == counted.avr_flash_bytes == flash_bytes(NETWORK, Task(), "avr")
    assert counted.flash_bytes < counted.avr_flash_bytes
    # Between the two: enough for a Cortex-M0+, and not for an AVR.
    between = (counted.flash_bytes + counted.avr_flash_bytes) // 2
    assert Budget(10_000, flash_bytes=between).check(counted).accepted
    avr = Budget(10_000, flash_bytes=between, processor="avr")
    assert avr.check(counted).reason == "flash_bytes"
    assert avr.excess(counted) == counted.avr_flash_bytes / between
    assert avr.limits[-1] == f"at most {between:,} bytes of flash of an AVR"
    assert avr.limited == {"flash_bytes"}
    assert Budget(**avr.to_dict()) == avr
    assert "processor" not in Budget(10_000).to_dict()
    older = dataclasses.replace(counted, avr_flash_bytes=None)
    assert "are not known" in avr.check(older).message
    with pytest.raises(BudgetError, match="cortex-m0plus or avr; got 'xtensa'"):
        Budget(10_000, processor="xtensa")


def test_devices_count_flash_for_their_processor() -> None:
    counted = {name: device(name).counted_as for name in DEVICES}
    assert {name for name, one in counted.items() if one == "avr"} == {"attiny1614", "arduino-uno"}
    assert {counted["stm32f030f4"], counted["arduino-nano-33"], counted["esp32"]} == {"cortex-m0plus"}
