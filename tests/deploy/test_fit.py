"""Whether what was built is within the limits of the run that it comes from."""

from __future__ import annotations

from tinysearch.deploy.fit import Bound, Fit, Limits, Prediction, fits, limits_of, verdict
from tinysearch.deploy.toolchain import PROCESSORS
from tinysearch.space.budget import Budget
from tinysearch.space.devices import DEVICES, device

SIZES = {
    "cortex-m0plus -Os": {"flash": 5_200, "ram": 1_488},
    "cortex-m0plus -O2": {"flash": 5_700, "ram": 1_488},
    "cortex-m4 -Os": {"flash": 5_000, "ram": 1_488},
}


def limits(**bounds: int) -> Limits:
    return Limits("a", Budget(bounds.pop("params", 1_000), **bounds))


def test_each_build_is_measured_against_each_limit() -> None:
    found = fits(limits(flash_bytes=5_100, peak_activation_bytes=1_488), 900, SIZES, {})
    assert [(one.build, one.fits) for one in found] == [
        ("the network", True),
        ("cortex-m0plus -Os", False),
        ("cortex-m0plus -O2", False),
        ("cortex-m4 -Os", True),
    ]
    assert found[0].bounds == (Bound("parameters", 900, 999),)
    assert found[1].words == "cortex-m0plus -Os does not fit: 100 bytes of flash over the limit (5,200 of 5,100)"
    assert found[3].words == "cortex-m4 -Os fits: 5,000 of 5,100 bytes of flash, 1,488 of 1,488 bytes of RAM"
    assert found[1].to_dict()["bounds"][0] == {"of": "bytes of flash", "taken": 5_200, "limit": 5_100, "over": 100}


def test_a_build_for_speed_is_only_spoken_of_if_it_does_not_fit_and_does_not_decide() -> None:
    roomy = fits(limits(flash_bytes=6_000), 900, SIZES, {})
    assert [one.build for one in roomy] == ["the network", "cortex-m0plus -Os", "cortex-m4 -Os"]
    tight = fits(limits(flash_bytes=5_300), 900, SIZES, {})
    assert [one.build for one in tight if not one.fits] == ["cortex-m0plus -O2"]
    assert all(one.fits for one in tight if one.decides)


def test_what_was_not_measured_is_predicted_and_that_is_said() -> None:
    predicted = {"cortex-m0plus": Prediction(9_000, 1_000), "cortex-m4": Prediction(None, 4_000)}
    found = fits(limits(flash_bytes=8_000, peak_activation_bytes=2_000), 900, {}, predicted)
    assert found[1].words.endswith("1,000 bytes of flash over the limit (9,000 of 8,000), predicted and not measured")
    assert [bound.of for bound in found[2].bounds] == ["bytes of RAM"]
    measured = fits(limits(flash_bytes=8_000), 900, SIZES, predicted)
    assert all(one.measured for one in measured)


def test_a_limit_on_flash_that_bounds_parameters_alone_is_shown_once() -> None:
    found = fits(limits(params=6_000, flash_bytes=6_000), 900, SIZES, {})
    assert "the network" not in {one.build for one in found}


def test_the_verdict_names_run_and_device() -> None:
    chip = device("arduino-uno")
    own = Limits("uno", Budget(1_000, flash_bytes=chip.max_flash, peak_activation_bytes=chip.max_ram, device=chip.name))
    lines = verdict([own], fits(own, 900, SIZES, {}), 576)
    assert lines[0] == (
        "limits of run uno: fewer than 1,000 parameters, 24,576 bytes of flash, 1,536 bytes of RAM (arduino-uno):"
    )
    assert lines[1:4] == [f"  {one.words}" for one in fits(own, 900, SIZES, {})]
    # Flash was measured on other processors than that of this device.
    assert "not checked: arduino-uno has another processor (AVR, ATmega328P)" in lines[4]
    assert lines[5].endswith(
        "takes 576 bytes more, 16 more than arduino-uno has; write images to model_input() instead"
    )
    small = verdict([own], fits(own, 900, SIZES, {}), 48)[5]
    assert small.endswith("which leaves 512 of the 2,048 bytes of arduino-uno for the stack and your program")
    tight = verdict([own], fits(own, 900, SIZES, {}), 528)[5]
    assert tight.endswith(
        "leaves 32 of the 2,048 bytes of arduino-uno for the stack and your program: too little; "
        "write images to model_input() instead"
    )


def test_of_a_device_only_builds_for_its_processor_count() -> None:
    nano = device("arduino-nano-33")
    own = Limits(
        "nano", Budget(1_000, flash_bytes=nano.max_flash, peak_activation_bytes=nano.max_ram, device=nano.name)
    )
    assert [one.build for one in fits(own, 900, SIZES, {})] == ["the network", "cortex-m4 -Os"]
    assert not any("not checked" in line for line in verdict([own], fits(own, 900, SIZES, {})))
    chip = device("arduino-uno")
    uno = Limits("uno", Budget(1_000, flash_bytes=chip.max_flash, peak_activation_bytes=chip.max_ram, device=chip.name))
    built = {**SIZES, "atmega328p -Os": {"flash": 24_600, "ram": 1_488}}
    lines = verdict([uno], fits(uno, 900, built, {}))
    assert len(lines) == 3
    assert lines[2].startswith("  atmega328p -Os does not fit: 24 bytes of flash over the limit")
    predicted = fits(
        uno, 900, SIZES, {"cortex-m0plus": Prediction(5_000, 1_488), "atmega328p": Prediction(24_000, 1_488)}
    )
    assert [(one.build, one.measured) for one in predicted[1:]] == [("atmega328p -Os", False)]


def test_limits_of_an_avr_that_is_no_device_of_the_table_are_those_of_an_avr() -> None:
    own = Limits("mine", Budget(1_000, flash_bytes=20_480, processor="avr"))
    assert own.device is None
    assert own.words.endswith("20,480 bytes of flash of an AVR")
    built = {**SIZES, "atmega328p -Os": {"flash": 20_500, "ram": 1_488}}
    assert [one.build for one in fits(own, 900, built, {})] == ["the network", "atmega328p -Os"]
    # Of a run with limits of its own, what was built for the device of another run does not count.
    other = Limits("other", Budget(1_000, flash_bytes=20_480))
    assert [one.build for one in fits(other, 900, built, {})] == ["the network", "cortex-m0plus -Os", "cortex-m4 -Os"]


def test_a_device_with_limits_of_ones_own_is_still_that_device() -> None:
    own = Limits("mine", Budget(1_000, peak_activation_bytes=2_000, device="esp32"))
    lines = verdict([own], fits(own, 900, SIZES, {}), 576)
    assert lines[0].endswith("2,000 bytes of RAM:")
    assert any("not checked: esp32 has another processor (Xtensa LX6)" in line for line in lines)
    # Of what is left for the image nothing is known.
    assert lines[-1].endswith("takes 576 bytes more")
    nano = Limits("nano", Budget(1_000, peak_activation_bytes=2_000, device="arduino-nano-33"))
    assert [one.build for one in fits(nano, 900, SIZES, {})] == ["the network", "cortex-m4 -Os"]


def test_limits_like_those_of_a_device_with_another_processor_are_not_its_own() -> None:
    chip = device("attiny1614")
    own = Limits("mine", Budget(1_000, flash_bytes=chip.max_flash, peak_activation_bytes=chip.max_ram))
    assert own.core is None
    assert "attiny" not in own.words


def test_each_device_names_a_processor_that_is_built_for_or_none() -> None:
    assert {one.core for one in DEVICES.values()} == {*PROCESSORS, None}


def test_a_network_that_takes_more_than_the_device_has_is_not_helped_by_its_image() -> None:
    chip = device("stm32f030f4")
    own = Limits("f0", Budget(1_000, flash_bytes=chip.max_flash, peak_activation_bytes=chip.max_ram, device=chip.name))
    last = verdict([own], own.build("cortex-m0plus -Os", 5_000, 10_784, measured=True), 6_912)[-1]
    assert last.endswith("a buffer for the image takes 6,912 bytes more")


def test_a_limit_that_is_not_of_a_device_is_not_one_on_the_image() -> None:
    own = limits(peak_activation_bytes=1_500)
    last = verdict([own], fits(own, 900, SIZES, {}), 576)[-1]
    assert last == "  RAM is without the image and the stack: a buffer for the image takes 576 bytes more"


def test_without_limits_there_is_no_verdict() -> None:
    assert verdict(limits_of({}), (), 576) == []


def test_limits_that_were_not_checked_are_not_passed_over() -> None:
    own = limits(flash_bytes=8_000)
    lines = verdict([own], own.network(900))
    assert lines[-1] == "  not checked: limits on flash and RAM apply only to C code"


def test_runs_with_the_same_limits_are_one() -> None:
    alike = limits_of({"a": Budget(1_000), "b": Budget(1_000), "c": Budget(2_000)})
    assert [one.run for one in alike] == ["a", "c"]


def test_a_fit_without_anything_over_the_limit_fits() -> None:
    assert Fit("a", "cortex-m4 -Os", (Bound("bytes of RAM", 5, 5),)).fits
    assert not Fit("a", "cortex-m4 -Os", (Bound("bytes of RAM", 6, 5),)).fits
