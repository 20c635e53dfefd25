"""Search spaces of one's own: a JSON file that narrows the choices of ``network_choices``.

The file holds an object. Its keys are arguments of ``network_choices``; what is left out is as in the whole space::

    {"depth": [1, 6], "filters": [4, 16], "kinds": ["conv", "separable"], "strides": [1, 2], "biases": [false]}

A range is ``[low, high]`` or ``[low, high, most likely]``. Anything else is a list of options; each keeps the prior
weight that it has in the whole space, an option that is not in the whole space but legal has the weight 1. Weights of
one's own come as pairs: ``[["3x3", 5], ["5x5", 1]]``.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.space.architecture import ACTIVATIONS, MAX_KERNEL, NORMS, PADDINGS
from tinysearch.space.choices import Group
from tinysearch.space.network_choices import BRANCH_KINDS, HEAD_POOLINGS, KINDS, POOLS, network_choices, prior

Spec = Mapping[str, Any]

_RANGES = {"depth": 16, "filters": 4_096, "branches": 8, "branch_steps": 8, "branch_filters": 4_096}


def read_spec(path: Path) -> dict[str, Any]:
    """Read the file of a space.

    Raises:
        SpaceError: if it cannot be read, or holds something else than choices that are legal.
    """
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpaceError(f"the space {path} cannot be read ({error.strerror}); give a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise SpaceError(f"the space {path} is no JSON file: {error}") from None
    if not isinstance(spec, dict):
        raise SpaceError(f"the space {path} holds {type(spec).__name__}; expected an object of choices")
    tree_of(spec)
    return spec


def tree_of(spec: Spec, params: int | None = None) -> Group:
    """Return the tree of choices that a space file describes.

    Args:
        spec: What the file holds.
        params: The budget, which the prior depends on, see ``prior``; the legal choices do not.

    Raises:
        SpaceError: if a name or an option is not legal.
    """
    defaults = {name: one.default for name, one in inspect.signature(network_choices).parameters.items()}
    leaning = {} if params is None else prior(params)
    defaults.update(leaning)
    unknown = sorted(set(spec) - set(defaults))
    if unknown:
        raise SpaceError(f"a space has no choice {unknown[0]!r}; its choices are {', '.join(defaults)}")
    arguments: dict[str, Any] = {
        name: _range(name, given) if name in _RANGES else _weights(name, given, defaults[name])
        for name, given in spec.items()
    }
    return network_choices(**{**leaning, **arguments})


def _range(name: str, given: object) -> tuple[int, ...]:
    whole = isinstance(given, (list, tuple)) and len(given) in (2, 3) and all(_is_whole(one) for one in given)
    if not whole or not 1 <= given[0] <= given[-1] <= given[1] <= _RANGES[name]:  # type: ignore[index]
        raise SpaceError(
            f"{name} is a range [low, high] or [low, high, most likely] of whole numbers from 1 to "
            f"{_RANGES[name]:,}; got {given!r}"
        )
    return tuple(given)  # type: ignore[arg-type]


def _weights(name: str, given: object, defaults: Mapping[Any, float]) -> dict[Any, float]:
    if not isinstance(given, (list, tuple)) or not given:
        raise SpaceError(f"{name} is a list of options, at least one; got {given!r}")
    weights: dict[Any, float] = {}
    legal, words = _LEGAL[name]
    for one in given:
        option, weight = one if isinstance(one, (list, tuple)) and len(one) == 2 else (one, None)
        if not legal(option):
            raise SpaceError(f"{name} has no option {option!r}; {words}")
        if option in weights:
            raise SpaceError(f"{name} has the option {option!r} twice")
        if weight is not None and not _is_weight(weight):
            raise SpaceError(f"the weight of {option!r} in {name} must be a number above 0, got {weight!r}")
        weights[float(option) if name == "dropouts" else option] = float(
            defaults.get(option, 1.0) if weight is None else weight
        )
    return weights


def _is_whole(one: object) -> bool:
    return isinstance(one, int) and not isinstance(one, bool)


def _is_weight(one: object) -> bool:
    return isinstance(one, (int, float)) and not isinstance(one, bool) and math.isfinite(one) and one > 0


def _between(low: int, high: int) -> tuple[Callable[[Any], bool], str]:
    return lambda one: _is_whole(one) and low <= one <= high, f"expected whole numbers from {low} to {high:,}"


def _among(*options: str) -> tuple[Callable[[Any], bool], str]:
    return lambda one: isinstance(one, str) and one in options, f"expected some of {', '.join(options)}"


def _is_kernel(one: object) -> bool:
    sides = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", one, re.ASCII) if isinstance(one, str) else None
    return sides is not None and max(map(int, sides.groups())) <= MAX_KERNEL


_BOOLEANS = (lambda one: isinstance(one, bool), "expected true, false or both")
_KERNELS = (_is_kernel, f"expected height and width such as 3x3, each from 1 to {MAX_KERNEL}")
_RATES = (
    lambda one: isinstance(one, (int, float)) and not isinstance(one, bool) and 0 <= one < 1,
    "expected rates of at least 0 and below 1",
)
_LEGAL: dict[str, tuple[Callable[[Any], bool], str]] = {
    "kinds": _among(*KINDS),
    "kernels": _KERNELS,
    "strides": _between(1, 4),
    "paddings": _among(*PADDINGS),
    "activations": _among(*ACTIVATIONS),
    "norms": _among(*NORMS),
    "biases": _BOOLEANS,
    "repeats": _between(1, 16),
    "shortcuts": _BOOLEANS,
    "poolings": _among(*POOLS),
    "dropouts": _RATES,
    "branch_kinds": _among(*BRANCH_KINDS),
    "branch_kernels": _KERNELS,
    "head_poolings": _among(*HEAD_POOLINGS),
    "hidden": _between(0, 4_096),
}
