"""Custom search spaces: a mapping that narrows the choices of ``network_choices``.

Its keys are arguments of ``network_choices``; missing keys keep the choices of the whole space::

    {"format": 2, "depth": "1..6", "filters": [8, 16, 24], "kinds": ["conv", "separable"], "biases": [false]}

**A list holds options**, for every key. Each option keeps its prior weight in the whole space; sizes, and legal options
that are not in the whole space, have the weight 1. Custom weights are pairs, ``[["3x3", 5], ["5x5", 1]]``, or a
mapping, ``{"3x3": 5, "5x5": 1}``.

**A range** of whole numbers is ``"8..32"``, or ``{"from": 8, "to": 32, "likely": 16, "step": 4}``, both ends included.
``likely`` is the number that is drawn most often. With a ``step``, the numbers are its multiples.

Without ``"format"``, a list for one of ``SIZES`` is a range ``[low, high]`` or ``[low, high, most likely]``, as in
format 1. This is the only difference between the two formats.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.space.choices import Group
from tinysearch.space.convolution import ACTIVATIONS, MAX_KERNEL, NORMS, PADDINGS
from tinysearch.space.leaves import Integers, Numbers
from tinysearch.space.network_choices import BRANCH_KINDS, HEAD_POOLINGS, KINDS, SERIES, network_choices, prior
from tinysearch.space.scalars import integer, option, real
from tinysearch.space.task import Task
from tinysearch.space.translation import ALL_BRANCH_POOLS, ALL_POOLS

FORMAT = 2

Spec = Mapping[str, Any]
# Options, each with its weight or None.
Options = Sequence[tuple[Any, float | None]]

# Keys of sizes, with the largest legal size.
SIZES = {"depth": 16, "filters": 4_096, "branches": 8, "branch_steps": 8, "branch_filters": 4_096}
_RANGE = {"from", "to", "likely", "step"}


def tree_of(spec: Spec, params: int | None = None, task: Task | None = None) -> Group:
    """Return the tree of choices of a custom space.

    Args:
        spec: The custom space, in either format.
        params: The budget of parameters. The prior depends on it, see ``prior``; the legal choices do not.
        task: The task; None for images. Series have a different whole space.

    Raises:
        SpaceError: if a name or an option is not legal.
    """
    weights = _defaults()
    leaning: dict[str, Any] = {} if params is None else dict(prior(params))
    if task is not None and task.is_series:
        leaning.update(SERIES)
    weights.update(leaning)
    arguments: dict[str, Any] = {}
    for name, said in _read(spec).items():
        if isinstance(said, (Integers, Numbers)):
            arguments[name] = said
        else:
            arguments[name] = {
                one: float(weights[name].get(one, 1.0) if weight is None else weight) for one, weight in said
            }
    return network_choices(**{**leaning, **arguments})


def current(spec: Spec) -> dict[str, Any]:
    """Return a space in format 2 and normal form: equivalent spaces are equal.

    Raises:
        SpaceError: if a name or an option is not legal.

    >>> current({"depth": [1, 6], "kinds": ("conv",)})
    {'format': 2, 'depth': '1..6', 'kinds': ['conv']}
    """
    said = {name: _spelled(one) for name, one in _read(spec).items()}
    return {"format": FORMAT, **said} if said else {}


def has_old_ranges(spec: Spec) -> bool:
    """Return whether a space holds lists that are read as ranges because it has no ``"format"``."""
    return "format" not in spec and any(isinstance(spec.get(name), (list, tuple)) for name in SIZES)


def _read(spec: Spec) -> dict[str, Integers | Numbers | Options]:
    known = _defaults()
    names = [name for name in spec if name != "format"]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SpaceError(f"a space has no choice {unknown[0]!r}; its choices are {', '.join(known)}")
    number = integer(spec.get("format", 1))
    if number not in (1, FORMAT):
        raise SpaceError(f"the format of a space is 1 or {FORMAT}, got {spec['format']!r}")
    return {
        name: _size(name, spec[name], number) if name in SIZES else _options(name, spec[name], *_LEGAL[name])
        for name in names
    }


def _defaults() -> dict[str, Any]:
    return {name: one.default for name, one in inspect.signature(network_choices).parameters.items()}


def _size(name: str, given: object, number: int) -> Integers | Numbers:
    most = SIZES[name]
    if number == 1 and isinstance(given, (list, tuple)):
        numbers = [whole for one in given if (whole := integer(one)) is not None]
        if len(numbers) != len(given) or len(given) not in (2, 3) or not _ascending(1, numbers, most):
            raise SpaceError(
                f"{name} without a format is a range [low, high] or [low, high, most likely] of whole numbers from 1 "
                f'to {most:,}, got {given!r}; to list options, add "format": {FORMAT}'
            )
        return Integers(*numbers)
    found = _range(name, given, 1, most)
    if found is not None:
        return found
    words = f"{_RANGES}; whole numbers from 1 to {most:,}"
    options = _options(name, given, _between(1, most), words)
    return Numbers({one: 1.0 if weight is None else weight for one, weight in options})


def _ascending(low: int, numbers: Sequence[int], high: int) -> bool:
    return low <= numbers[0] <= numbers[-1] <= numbers[1] <= high


def _range(name: str, given: object, low: int, high: int) -> Integers | None:
    """Return a range of whole numbers, or None if ``given`` is not a range."""
    fields: dict[Any, Any]
    if isinstance(given, str):
        ends = re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", given, re.ASCII)
        if ends is None:
            raise SpaceError(f"{name} is {_RANGES}; got {given!r}")
        fields = {"from": int(ends[1]), "to": int(ends[2])}
    elif isinstance(given, Mapping) and _RANGE & set(given):
        fields = dict(given)
    else:
        return None
    numbers = {key: whole for key, one in fields.items() if (whole := integer(one)) is not None}
    if len(numbers) < len(fields) or not {"from", "to"} <= set(numbers) <= _RANGE:
        raise SpaceError(
            f'{name} as a range has a "from" and a "to", optionally a "likely" and a "step", all whole numbers; '
            f"got {given!r}"
        )
    first, last, step, likely = numbers["from"], numbers["to"], numbers.get("step", 1), numbers.get("likely")
    if not low <= first <= last <= high:
        raise SpaceError(f"{name} as a range must ascend within {low} to {high:,}; got {given!r}")
    if step < 1:
        raise SpaceError(f"the step of {name} must be at least 1, got {step}")
    # Steps may be counted from the first number or from zero: if the first number is a multiple, both are the same.
    if first % step:
        multiple = first + -first % step
        remedy = f"begin from {multiple}" if multiple <= last else "choose a smaller step"
        raise SpaceError(f"with a step, {name} takes its multiples: {first} is not a multiple of {step}; {remedy}")
    if likely is not None and (not first <= likely <= last or likely % step):
        raise SpaceError(f"the likely number of {name} must be one of its numbers, got {likely} in {given!r}")
    return Integers(first, last, likely, step)


def _options(name: str, given: object, legal: Callable[[Any], Any], words: str) -> Options:
    """Return options with their weights, from a list of options or of pairs, or a mapping from option to weight."""
    items: list[tuple[Any, Any]]
    if name in _NUMBERS and (numbers := _range(name, given, *_NUMBERS[name])) is not None:
        if numbers.mode is not None:
            raise SpaceError(f"{name} has no likely number; give its options with weights, such as [[0, 5], [16, 1]]")
        items = [(one, None) for one in numbers.options]
    elif isinstance(given, Mapping):
        items = list(given.items())
    elif isinstance(given, (list, tuple)):
        items = [tuple(one) if isinstance(one, (list, tuple)) and len(one) == 2 else (one, None) for one in given]
    else:
        items = []
    if not items:
        raise SpaceError(f"{name} is a list of options, at least one; {words}; got {given!r}")
    found: dict[Any, float | None] = {}
    for one, weight in items:
        plain = legal(_unquoted(one) if isinstance(given, Mapping) else one)
        if plain is None:
            raise SpaceError(f"{name} has no option {one!r}; expected {words}")
        if plain in found:
            raise SpaceError(f"{name} has the option {one!r} twice")
        found[plain] = None if weight is None else real(weight)
        if weight is not None and not 0 < (found[plain] or 0) < math.inf:
            raise SpaceError(f"the weight of {one!r} in {name} must be a number above 0, got {weight!r}")
    return list(found.items())


def _unquoted(key: Any) -> Any:
    """Return the number or boolean in a key of a JSON object, or else the key itself."""
    try:
        return json.loads(key) if isinstance(key, str) else key
    except ValueError:
        return key


def _spelled(said: Integers | Numbers | Options) -> Any:
    if isinstance(said, Integers):
        if said.mode is None and said.step == 1:
            return f"{said.low}..{said.high}"
        fields = {"from": said.low, "to": said.high, "likely": said.mode, "step": said.step}
        return {key: one for key, one in fields.items() if one is not None and (key, one) != ("step", 1)}
    if isinstance(said, Numbers):
        return [one if weight == 1 else [one, weight] for one, weight in said.weights.items()]
    return [one if weight is None else [one, weight] for one, weight in said]


def _between(low: int, high: int) -> Callable[[Any], int | None]:
    def legal(one: Any) -> int | None:
        whole = integer(one)
        return whole if whole is not None and low <= whole <= high else None

    return legal


def _among(*options: str) -> tuple[Callable[[Any], str | None], str]:
    return lambda one: option(one, options), f"some of {', '.join(options)}"


def _kernel(one: Any) -> str | None:
    sides = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", one, re.ASCII) if isinstance(one, str) else None
    return str(one) if sides is not None and max(map(int, sides.groups())) <= MAX_KERNEL else None


def _rate(one: Any) -> float | None:
    rate = real(one)
    return rate if rate is not None and 0 <= rate < 1 else None


_RANGES = 'a list of options such as [8, 16, 32], or a range: "8..32" or {"from": 8, "to": 32, "likely": 16, "step": 4}'
# Keys of numbers whose options have individual weights in the whole space, with the legal bounds.
_NUMBERS = {"strides": (1, 4), "repeats": (1, 16), "hidden": (0, 4_096)}
_BOOLEANS = (lambda one: one if isinstance(one, bool) else None, "true, false or both")
_KERNELS = (_kernel, f"height and width such as 3x3, each from 1 to {MAX_KERNEL}")
_LEGAL: dict[str, tuple[Callable[[Any], Any], str]] = {
    "kinds": _among(*KINDS),
    "kernels": _KERNELS,
    "paddings": _among(*PADDINGS),
    "activations": _among(*ACTIVATIONS),
    "norms": _among(*NORMS),
    "biases": _BOOLEANS,
    "shortcuts": _BOOLEANS,
    "poolings": _among(*ALL_POOLS),
    "dropouts": (_rate, "rates of at least 0 and below 1"),
    "branch_kinds": _among(*BRANCH_KINDS),
    "branch_kernels": _KERNELS,
    "branch_poolings": _among(*ALL_BRANCH_POOLS),
    "head_poolings": _among(*HEAD_POOLINGS),
    **{name: (_between(low, high), f"whole numbers from {low} to {high:,}") for name, (low, high) in _NUMBERS.items()},
}
