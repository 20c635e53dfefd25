"""Small devices and their limits on the flash and memory of a network.

Sizes come from the makers' data sheets. A network may not use all of it: a quarter of the flash and a quarter of the
memory, at least 512 bytes of each, is left for the program, its stack and the input's second copy.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.errors import BudgetError, meant
from tinysearch.space.footprint import AVR, CORTEX


@dataclass(frozen=True, slots=True)
class Device:
    """A device with its sizes of flash and memory.

    Args:
        name: Name on the command line.
        processor: Name of its processor.
        core: Target of the builds that measure the C code, see ``tinysearch.deploy.toolchain``; None if no such build
            exists.
        flash: Size of its flash in bytes.
        ram: Bytes of its memory that a program can use for arrays.
        source: The data sheet with these sizes.
    """

    name: str
    processor: str
    core: str | None
    flash: int
    ram: int
    source: str

    @property
    def counted_as(self) -> str:
        """Processor that flash is predicted for, see ``Budget``."""
        return AVR if self.processor.startswith("AVR") else CORTEX[0]

    @property
    def max_flash(self) -> int:
        """Bytes of flash that a network may use."""
        return self.flash - max(512, self.flash // 4)

    @property
    def max_ram(self) -> int:
        """Bytes of memory that a network may use."""
        return self.ram - max(512, self.ram // 4)

    def leaves(self, flash: int | None, ram: int | None) -> bool:
        """Return whether these limits equal ``max_flash`` and ``max_ram``."""
        return (flash, ram) == (self.max_flash, self.max_ram)


# Least similarity of a name to be suggested: another chip of the same family has another size.
_NEAR = 0.8
# Approximate stack of the C code in bytes.
STACK = 300
_K = 1024
_M0, _M4 = "cortex-m0plus", "cortex-m4"
DEVICES = {
    device.name: device
    for device in (
        Device("attiny1614", "AVR", "attiny1614", 16 * _K, 2 * _K, "Microchip, ATtiny1614/1616/1617 data sheet"),
        Device(
            "arduino-uno",
            "AVR, ATmega328P",
            "atmega328p",
            32 * _K,
            2 * _K,
            "Microchip, ATmega328P data sheet, DS40002061",
        ),
        Device("stm32f030f4", "Cortex-M0", _M0, 16 * _K, 4 * _K, "STMicroelectronics, STM32F030x4 data sheet, DS9773"),
        Device(
            "stm32f072rb", "Cortex-M0", _M0, 128 * _K, 16 * _K, "STMicroelectronics, STM32F072xB data sheet, DS9826"
        ),
        Device("microbit", "Cortex-M0, nRF51822", _M0, 256 * _K, 16 * _K, "Nordic, nRF51822 product specification"),
        Device(
            "arduino-nano-33", "Cortex-M4, nRF52840", _M4, 1024 * _K, 256 * _K, "Nordic, nRF52840 product specification"
        ),
        Device(
            "stm32f446re", "Cortex-M4", _M4, 512 * _K, 128 * _K, "STMicroelectronics, STM32F446xC/E data sheet, DS10693"
        ),
        Device(
            "rp2040",
            "two Cortex-M0+",
            _M0,
            2048 * _K,
            264 * _K,
            "Raspberry Pi, RP2040 data sheet (Pico: 2 MB of flash)",
        ),
        # Arrays of a program can use no more of its 520 kB; the rest holds instructions or is allocated at run time.
        Device(
            "esp32",
            "Xtensa LX6",
            None,
            4096 * _K,
            160 * _K,
            "Espressif, ESP32-WROOM-32 data sheet; ESP-IDF Programming Guide, Memory Types",
        ),
    )
}


def limits(name: str, max_flash: int | None = None, max_ram: int | None = None) -> dict[str, int]:
    """Return the limits of a device on flash and memory by argument name; given limits take precedence.

    Raises:
        BudgetError: if the device is unknown.

    >>> limits("arduino-uno", max_ram=1_000)
    {'max_flash': 24576, 'max_ram': 1000}
    """
    target = device(name)
    return {
        "max_flash": target.max_flash if max_flash is None else max_flash,
        "max_ram": target.max_ram if max_ram is None else max_ram,
    }


def device(name: str) -> Device:
    """Return a device by its name.

    Raises:
        BudgetError: if no device has that name.

    >>> device("arduino-uno").max_ram
    1536
    """
    if isinstance(name, str) and name.lower() in DEVICES:
        name = name.lower()
    if not isinstance(name, str) or name not in DEVICES:
        raise BudgetError(
            f"the devices are {', '.join(DEVICES)}; for any other chip, leave out `device=` and give `max_flash=` and "
            f"`max_ram=`: its flash and RAM minus what your program needs; got {name!r}{meant(name, DEVICES, _NEAR)}"
        )
    return DEVICES[name]


def named(max_flash: int | None, max_ram: int | None, processor: str) -> Device | None:
    """Return the device with these limits whose flash is predicted for the processor, or None.

    >>> named(24_576, 1_536, "avr").name, named(24_576, 1_536, "cortex-m0plus")
    ('arduino-uno', None)
    """
    alike = (one for one in DEVICES.values() if one.leaves(max_flash, max_ram) and one.counted_as == processor)
    return next(alike, None)
