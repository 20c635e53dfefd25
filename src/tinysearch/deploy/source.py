"""C99 source of a planned network: tables of its numbers, and one function for each kind of layer in it.

The functions are the files in ``c/``; this module writes the parts that differ between networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.plan import SLOPE, Plan, Step, Tensor
from tinysearch.errors import InputError
from tinysearch.space.footprint import MOST

_WIDTH = 110
# Files of each kind of step: its own is last, after those whose functions it calls.
_FILES = {
    "convolution": ("scaled", "scaled_once", "span", "dot", "convolution"),
    "depthwise": ("scaled", "span", "depthwise"),
    "dense": ("scaled", "scaled_once", "span", "dot", "convolution"),
    "max_pool": ("span", "pool", "max_pool"),
    "average_pool": ("span", "pool", "average_pool"),
    "average": ("scaled", "average"),
    "add": ("scaled", "add"),
    "concatenate": ("scaled", "concatenate"),
    "leaky_relu": ("scaled", "leaky_relu"),
}
_ORDER = (
    *("scaled", "scaled_once", "span", "dot", "convolution", "depthwise", "pool", "max_pool", "average_pool"),
    *("average", "add", "concatenate", "leaky_relu", "rounded"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A constant array: its type, name and values."""

    type: str
    name: str
    values: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a layer's function with a constant structure.

    Args:
        function: Name of the function, which is also the type of the structure, except for poolings.
        name: Name of the structure.
        fields: Fields of the structure, with their values in C.
        tables: Arrays that the fields point to.
    """

    function: str
    name: str
    fields: Mapping[str, str]
    tables: tuple[Table, ...] = field(default=())

    @property
    def struct(self) -> str:
        """The type of the structure."""
        return "pool" if self.function.endswith("_pool") else self.function


@dataclass(frozen=True, slots=True)
class Conversion:
    """The conversion in C from pixels to the input of a network.

    Args:
        expression: C expression of ``image[i]``, and of its channel ``c`` if there are tables.
        rule: The same in words.
        tables: Arrays with the numbers of the expression, if they differ between channels.
        helpers: Functions that it calls.
    """

    expression: str
    rule: str
    tables: tuple[Table, ...] = ()
    helpers: tuple[str, ...] = ()

    @classmethod
    def of(cls, expression: str, rule: str, numbers: Sequence[Table], helpers: tuple[str, ...] = ()) -> Conversion:
        """Return a conversion with numbers that are the same for all channels or differ between them.

        Args:
            expression: C expression with the names of the numbers in braces, without ``input_``.
            rule, helpers: See ``Conversion``.
            numbers: Tables of the numbers, all with one value or all with one value per channel.
        """
        if numbers[0].values.size == 1:
            words = {one.name: literals(one.values)[0] for one in numbers}
            tables: tuple[Table, ...] = ()
        else:
            words = {one.name: f"{one.name}[c]" for one in numbers}
            tables = tuple(numbers)
        filled_in = expression.format(**{name.removeprefix("input_"): word for name, word in words.items()})
        return cls(filled_in, rule, tables, helpers)


class Numeric(Protocol):
    """A numeric type that turns the steps of a plan into calls."""

    folder: str
    value: str
    pixel: str
    conversion: Conversion
    definitions: Mapping[str, object]

    def calls(self, step: Step) -> Iterable[Call]: ...


def model_c(plan: Plan, numeric: Numeric) -> str:
    """Return ``model.c``.

    Raises:
        InputError: if the network has images that are too large for the counters in C.
    """
    _check_counts(plan)
    calls = [call for step in plan.steps for call in numeric.calls(step)]
    needed = {name for step in plan.steps for name in _FILES[step.kind]} | set(numeric.conversion.helpers)
    tables = {table.name: table for call in calls for table in call.tables}
    tables |= {table.name: table for table in numeric.conversion.tables}
    memcpy = "#include <string.h>\n\n" if numeric.folder == "int8" and "dot" in needed else ""
    parts = [f'#include "model.h"\n\n{memcpy}{template("common.c")}']
    parts += [source for name in _ORDER if (source := _function(numeric, name, needed))]
    parts.append("\n\n".join(_table(table) for table in tables.values()) + "\n")
    parts.append("\n\n".join(_structure(call) for call in calls) + "\n")
    body = "\n".join(f"    {call.function}(&{call.name});" for call in calls)
    parts.append(f"void model_run(void)\n{{\n{body}\n}}\n")
    by_channel = bool(numeric.conversion.tables)
    entries = {
        "BEGIN": "int i = 0, c = 0" if by_channel else "int i = 0",
        # No division: a small processor would need a function for it.
        "NEXT": "i++, c = c + 1 < MODEL_CHANNELS ? c + 1 : 0" if by_channel else "i++",
        "INPUT": plan.offset(plan.input),
        "OUTPUT": plan.offset(plan.output),
        "CONVERTED": numeric.conversion.expression,
    }
    parts.append(filled(template("classify.c"), entries))
    return "\n".join(parts)


def _check_counts(plan: Plan) -> None:
    for step in plan.steps:
        counts = [side for one in (*step.inputs, step.output) for side in one.shape]
        if step.kind in ("average", "concatenate"):
            counts += [height * width for height, width, _ in (one.shape for one in step.inputs)]
        if max(counts) > MOST:
            raise InputError(
                f"C code supports images of up to {MOST:,} rows, columns or channels, and averages and concatenations "
                f"of up to as many pixels; {step.name} has {max(counts):,}: make images smaller or series shorter, or "
                f"let the network pool first"
            )


def model_h(plan: Plan, numeric: Numeric, title: str, bytes_each: int) -> str:
    """Return ``model.h``."""
    height, width, channels = plan.input.shape
    definitions = "\n".join(f"#define {name} {value}" for name, value in numeric.definitions.items())
    types = f"typedef {numeric.pixel} model_pixel;\ntypedef {numeric.value} model_value;"
    return filled(
        template("model.h"),
        {
            "TITLE": title,
            "HEIGHT": height,
            "WIDTH": width,
            "CHANNELS": channels,
            "CLASSES": plan.output.size,
            "ARENA": plan.arena * bytes_each,
            "TYPES": f"{definitions}\n\n{types}" if definitions else types,
            "RULE": numeric.conversion.rule,
        },
    )


def template(name: str) -> str:
    """Return the text of a file in ``c/``."""
    return resources.files("tinysearch.deploy").joinpath("c").joinpath(name).read_text(encoding="utf-8")


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return a template with its ``@NAMES@`` replaced."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def window(step: Step) -> str:
    """Return the initializer of a step's ``struct window``. The kernel of a dense layer is as large as the image."""
    height, width, channels = step.input.shape
    kernel, strides = ((height, width), (1, 1)) if step.kind == "dense" else (step.kernel, step.strides)
    numbers = (height, width, channels, *step.output.shape, *kernel, *strides, *step.padding)
    return f"{{{', '.join(map(str, numbers))}}}"


def address(plan: Plan, tensor: Tensor) -> str:
    """Return the C expression for the address of a tensor."""
    offset = plan.offset(tensor)
    return f"arena + {offset}" if offset else "arena"


def rows(words: Iterable[str], indent: str = "    ") -> str:
    """Return comma-separated words in lines of a readable length."""
    lines, line = [], indent
    for word in words:
        if len(line) + len(word) > _WIDTH:
            lines.append(line.rstrip())
            line = indent
        line += f"{word}, "
    return "\n".join([*lines, line.rstrip().removesuffix(",")])


def literals(values: npt.NDArray[Any]) -> list[str]:
    """Return numbers as C literals.

    >>> literals(np.array([1, -2**31])), literals(np.float32([0.5, 3]))
    (['1', '(-2147483647 - 1)'], ['0.5f', '3.0f'])
    """
    flat = values.reshape(-1)
    if np.issubdtype(flat.dtype, np.integer):
        return ["(-2147483647 - 1)" if one == -(2**31) else str(int(one)) for one in flat]
    return [f"{np.format_float_scientific(one, trim='-') if abs(one) < 1e-3 else plain(one)}f" for one in flat]


def plain(value: float) -> str:
    """Return a float32 number with as many digits as it needs, and with a decimal point or an exponent."""
    return repr(float(str(np.float32(value))))


def _function(numeric: Numeric, name: str, needed: set[str]) -> str:
    if name not in needed:
        return ""
    if name == "span":
        return template("span.c")
    if name.startswith("scaled") and numeric.folder == "float32":
        return ""
    return filled(template(f"{numeric.folder}/{name}.c"), {"SLOPE": SLOPE})


def _table(table: Table) -> str:
    return (
        f"static const FLASH {table.type} {table.name}[{table.values.size}] = {{\n{rows(literals(table.values))}\n}};"
    )


def _structure(call: Call) -> str:
    fields = "\n".join(f"    .{name} = {value}," for name, value in call.fields.items())
    return f"static const FLASH struct {call.struct} {call.name} = {{\n{fields}\n}};"
