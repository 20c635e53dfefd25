"""Validation: runs, records and summaries made of plain values from a store or an archive.

Disks fail and files are edited, so a row may hold anything. Objects made here have the field types that they declare.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, NoReturn, TypeVar, get_args

from tinysearch.results.record import DIRECTIONS, Measurement, Origin, Purpose, Record
from tinysearch.results.run import Run
from tinysearch.results.summary import Summary
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost

T = TypeVar("T")

# Largest integer of SQLite.
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """The allowed values of a field.

    Args:
        types: The allowed types.
        low, high: The range of numbers, inclusive.
        options: The allowed texts; None for any.
    """

    types: frozenset[type]
    low: float = -math.inf
    high: float = math.inf
    options: frozenset[str] | None = None

    def has(self, value: Any) -> bool:
        """Whether a value is of this kind."""
        kind = type(value)
        if kind not in self.types:
            return False
        if kind is str:
            # Text that is not UTF-8 was read with surrogates, which cannot be written.
            known = self.options is None or value in self.options
            return known and (value.isascii() or value == value.encode("utf-8", "ignore").decode())
        return kind not in (int, float) or self.low <= value <= self.high

    def has_all(self, values: Collection[Any]) -> bool:
        """Whether all values are of this kind, given that texts are UTF-8. Fast for very many values."""
        if not self.types.issuperset(map(type, values)):
            return False
        if str in self.types:
            return self.options is None or self.options.issuperset(values)
        known = [value for value in values if value is not None] if type(None) in self.types else values
        return not known or (self.low <= min(known) and max(known) <= self.high and math.isfinite(sum(known)))


_NONE = frozenset({type(None)})
_TEXT = Kind(frozenset({str}))
_TEXT_OR_NONE = Kind(_TEXT.types | _NONE)
_COUNT = Kind(frozenset({int}), 0, _MOST)
_COUNT_OR_NONE = Kind(_COUNT.types | _NONE, 0, _MOST)
_NUMBER = Kind(frozenset({int, float}), -1e300, 1e300)
_NUMBER_OR_NONE = Kind(_NUMBER.types | _NONE, -1e300, 1e300)
_SECONDS = Kind(_NUMBER.types, 0, 1e300)
_SHARE = Kind(_NUMBER.types, 0, 1)
_SHARE_OR_NONE = Kind(_SHARE.types | _NONE, 0, 1)
_OBJECT = Kind(frozenset({dict}))
_DIRECTION = Kind(_TEXT.types, options=frozenset(DIRECTIONS))

_OF_EPOCH = {
    "loss": _NUMBER,
    "accuracy": _SHARE,
    "val_loss": _NUMBER_OR_NONE,
    "val_accuracy": _SHARE_OR_NONE,
    "learning_rate": _NUMBER,
    "seconds": _NUMBER,
}
_OF_RUN = {
    **dict.fromkeys(("name", "dataset", "fingerprint", "created_at"), _TEXT),
    **dict.fromkeys(("settings", "rejections"), _OBJECT),
    "finished_at": _TEXT_OR_NONE,
    "source": Kind(_OBJECT.types | _NONE),
}
_OF_RECORD = {
    **dict.fromkeys(("run", "key", "name", "dataset", "fingerprint", "objective", "created_at"), _TEXT),
    **dict.fromkeys(("architecture", "cost", "recipe", "measurement", "provenance", "rejections"), _OBJECT),
    "test_metrics": _OBJECT,
    "direction": _DIRECTION,
    **dict.fromkeys(("test_fingerprint", "reused_from"), _TEXT_OR_NONE),
    "origin": Kind(_TEXT.types, options=frozenset(get_args(Origin))),
    "purpose": Kind(_TEXT.types, options=frozenset(get_args(Purpose))),
    "seed": _COUNT,
    "trial": _COUNT_OR_NONE,
    "position": _COUNT_OR_NONE,
    "test_accuracy": _SHARE_OR_NONE,
    "other_environment": Kind(frozenset({bool}), 0, 1),
}
_OF_COST = dict.fromkeys(("params", "non_trainable_params", "macs", "peak_activation_bytes"), _COUNT)
_OF_SUMMARY = {
    **{name: kind for name, kind in _OF_RECORD.items() if name in Summary._fields},
    **_OF_COST,
    # SQLite stores flags as 0 or 1.
    "other_environment": Kind(_COUNT.types, 0, 1),
    "flash_bytes": _COUNT_OR_NONE,
    "epochs": _COUNT,
    "val_accuracy": _SHARE_OR_NONE,
    "int8_accuracy": _SHARE_OR_NONE,
    "val_loss": _NUMBER_OR_NONE,
    "failure": _TEXT_OR_NONE,
    "train_seconds": _SECONDS,
    "layers": _TEXT,
    "value": _NUMBER_OR_NONE,
    "test_value": _NUMBER_OR_NONE,
}
# Settings of a run that reports and displays use, all of them optional.
_OF_SETTINGS = {
    **dict.fromkeys(("trials", "seed", "lag"), _COUNT),
    **dict.fromkeys(("strategy", "objective"), _TEXT),
    "direction": _DIRECTION,
    "budget": _OBJECT,
}
_OF_BUDGET = {"params": _COUNT}
_OF_RECIPE = {"epochs": _COUNT, "optimizer": _TEXT}
_OPTIONAL = frozenset(
    item.name for item in fields(Record) if (item.default, item.default_factory) != (MISSING, MISSING)
)
_KINDS_OF_SUMMARY = tuple(_OF_SUMMARY[name] for name in Summary._fields)


def to_run(plain: Mapping[str, Any]) -> Run:
    """Return a run from plain JSON values.

    Raises:
        ValueError: if they are invalid; the message says why.
    """
    _check_known(plain, _OF_RUN)
    values = _checked(plain, _OF_RUN, optional=("source",))
    _checked(values["settings"], _OF_SETTINGS, optional=_OF_SETTINGS)
    _checked(values["settings"].get("budget", {}), _OF_BUDGET, optional=_OF_BUDGET)
    _check_counts(values["rejections"])
    return Run(**values)


def to_record(plain: Mapping[str, Any]) -> Record:
    """Return a record from plain JSON values.

    Raises:
        ValueError: if they are invalid; the message says why.
    """
    _check_known(plain, _OF_RECORD)
    values = _checked(plain, _OF_RECORD, optional=_OPTIONAL)
    _checked(values["recipe"], _OF_RECIPE, optional=_OF_RECIPE)
    _check_counts(values.get("rejections", {}))
    _check_metrics(values.get("test_metrics", {}))
    measurement = _part("measurement", _measurement, values)
    if values.get("test_accuracy") is not None and not measurement.curve:
        raise ValueError("it has a test accuracy but no curve")
    return Record(
        **{
            **values,
            "architecture": _part("architecture", Architecture.from_dict, values),
            "cost": _part("cost", _cost, values),
            "measurement": measurement,
        }
    )


def are_summaries(rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether all rows, whose columns are the fields of a summary, are valid summaries."""
    columns = zip(*rows, strict=True)
    return all(kind.has_all(column) for kind, column in zip(_KINDS_OF_SUMMARY, columns, strict=bool(rows)))


def to_summary(row: Sequence[Any]) -> Summary:
    """Return a summary from a row whose columns are the fields of a summary.

    Raises:
        ValueError: if the row is invalid; the message says why.
    """
    return Summary(**_checked(dict(zip(Summary._fields, row, strict=True)), _OF_SUMMARY))


def parsed(text: object, what: str) -> Any:
    """Return the value of a JSON text; ``what`` names the text in errors.

    Raises:
        ValueError: if it is not valid JSON; the message says why.
    """
    if not isinstance(text, str):
        raise ValueError(f"its {what} cannot be read as text")
    try:
        value = _DECODER.decode(text)
        if "\\ud" in text.lower() or not text.isascii():
            # Lone surrogates cannot be written.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {what} cannot be read as JSON: {error}") from None
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _checked(plain: Mapping[str, Any], kinds: Mapping[str, Kind], *, optional: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields listed in ``kinds``, checked.

    Raises:
        ValueError: if a field is missing that is not optional, or a value is not of its kind.
    """
    found = {}
    for name, kind in kinds.items():
        if name in plain:
            found[name] = value = plain[name]
            if not kind.has(value):
                raise ValueError(f"its {name} is invalid: {str(value)[:40]!r}")
        elif name not in optional:
            raise ValueError(f"its {name} is missing")
    return found


def _check_known(plain: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
    for name in plain.keys() - kinds.keys():
        raise ValueError(f"it has an unknown field {name[:40]!r}")


def _check_counts(rejections: Mapping[str, Any]) -> None:
    if not _COUNT.has_all(rejections.values()):
        raise ValueError(f"its rejections are invalid: {str(rejections)[:40]!r}")


def _check_metrics(metrics: Any) -> None:
    if not (isinstance(metrics, dict) and _TEXT.has_all(list(metrics)) and _NUMBER.has_all(metrics.values())):
        raise ValueError(f"its metrics are invalid: {str(metrics)[:40]!r}")


def _part(name: str, make: Callable[[Any], T], values: Mapping[str, Any]) -> T:
    """Return a part of a record from its plain values.

    Raises:
        ValueError: if the values are invalid.
    """
    try:
        return make(values[name])
    except KeyError as error:
        raise ValueError(f"its {name} has no field {error}") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its {name} cannot be read: {error}") from None


def _measurement(plain: Mapping[str, Any]) -> Measurement:
    found = Measurement.from_dict(plain)
    for name, kind in _OF_EPOCH.items():
        if not kind.has_all([getattr(epoch, name) for epoch in found.curve]):
            raise ValueError(f"{name} of an epoch is out of range")
    for epoch in found.curve:
        if epoch.metrics:
            _check_metrics(epoch.metrics)
    for name, kind in (("train_seconds", _SECONDS), ("failure", _TEXT_OR_NONE), ("log", _TEXT)):
        if not kind.has(getattr(found, name)):
            raise ValueError(f"{name} is invalid: {str(getattr(found, name))[:40]!r}")
    return found


def _cost(plain: Mapping[str, Any]) -> Cost:
    found = Cost.from_dict(plain)
    numbers = [found.params, found.non_trainable_params, found.macs, found.peak_activation_bytes]
    later = (found.flash_bytes, found.avr_flash_bytes, found.image_bytes)
    numbers += [found.int8_weight_bytes, *(one for one in later if one is not None)]
    for layer in found.layers:
        numbers += [layer.params, layer.non_trainable_params, layer.macs, *layer.output_shape]
    texts = [text for layer in found.layers for text in (layer.name, layer.kind)]
    if not _COUNT.has_all(numbers) or not all(map(_TEXT.has, texts)):
        raise ValueError("a number in it is out of range")
    return found
