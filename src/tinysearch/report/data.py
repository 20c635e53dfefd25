"""Descriptions of a dataset as it was read: tables for the terminal, and one line."""

from __future__ import annotations

from collections.abc import Iterator

from tinysearch.data.dataset import Dataset
from tinysearch.data.overview import Overview
from tinysearch.runtime.memory import worker_bytes
from tinysearch.runtime.rich import Group, RenderableType, Table, Text
from tinysearch.space.scalars import written
from tinysearch.space.task import Task

_MOST_CLASSES = 40


def shape(task: Task) -> str:
    """Return the shape of one image or series in words.

    >>> shape(Task((28, 28, 1), 10)), shape(Task((121, 1, 6), 8))
    ('28x28x1', '121 steps x 6 channels')
    """
    height, width, channels = task.input_shape
    if task.is_series:
        return f"{height:,} steps x {channels} channel{'' if channels == 1 else 's'}"
    return f"{height}x{width}x{channels}"


def in_short(dataset: Dataset) -> str:
    """Return a description of a dataset in one line."""
    held = dataset.training_data()
    kind = "series" if dataset.task.is_series else "images"
    parts = f"{len(held.train):,} {kind} to train, {len(held.validation or ()):,} to validate ({dataset.split.words})"
    return f"{_origin(dataset)}: {parts}, {shape(dataset.task)}, {dataset.task.classes} classes"


def _origin(data: Dataset | Overview) -> str:
    """Return the name and the source of data; the source of arrays in memory contains the name already."""
    return data.source if data.source.startswith(f"{data.name} ") else f"{data.name} from {data.source}"


def memory(dataset: Dataset, workers: int) -> str | None:
    """Return a sentence on the memory that training images on disk take; None if they are not large.

    Args:
        dataset: The data.
        workers: Number of parallel trainings.
    """
    size = dataset.train.pixels.nbytes
    if not dataset.train.is_large:
        return None
    each = worker_bytes(size) / 1e9
    return (
        f"{size / 1e9:.1f} GB of training images stay on disk and are shared; {workers} parallel trainings take "
        f"about {workers * each:.1f} GB"
    )


def overview(found: Overview) -> RenderableType:
    """Return a table of the properties of a dataset, its classes, and the findings of the checks."""
    table = Table.grid(padding=(0, 2))
    for title, value in _rows(found):
        table.add_row(Text(title, style="bold"), Text(value))
    told: list[RenderableType] = [table, Text(), classes(found)]
    for style, word, texts in (
        ("", "note", (*([found.fallback] if found.fallback else []), *found.notes)),
        ("yellow", "warning", found.findings.warnings),
        ("bold red", "error", found.findings.errors),
    ):
        told += [Text(f"{word}: {text}", style=style) for text in texts]
    return Group(*told)


def classes(found: Overview) -> Table:
    """Return a table of the classes with the number of images in each part."""
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    for name in found.parts:
        table.add_column(name, justify="right")
    for number, name in enumerate(found.class_names[:_MOST_CLASSES]):
        table.add_row(Text(name), *(f"{part.counts[number]:,}" for part in found.parts.values()))
    left = len(found.class_names) - _MOST_CLASSES
    if left > 0:
        table.add_row(Text(f"and {left} more"))
    return table


def _rows(found: Overview) -> Iterator[tuple[str, str]]:
    train = found.parts["train"]
    yield "data", _origin(found)
    yield ("series" if found.task.is_series else "images"), f"{shape(found.task)}, {found.dtype}"
    ranges = {name: f"{written(part.low)} to {written(part.high)}" for name, part in found.parts.items()}
    alike = len(set(ranges.values())) == 1
    yield "values", ranges["train"] if alike else "; ".join(f"{name} {one}" for name, one in ranges.items())
    if len(found.channels) > 1:
        yield "channels", ", ".join(f"{written(one.mean, 4)} +- {written(one.deviation, 4)}" for one in found.channels)
    yield "labels", f"{found.labels}: {len(found.class_names)} classes"
    yield "parts", ", ".join(f"{name} {part.images:,}" for name, part in found.parts.items())
    if "test" not in found.parts:
        yield "test", "no test part that can be used: no network is evaluated"
    yield "validation", found.split + ("" if found.groups is None else f"; {found.groups:,} groups")
    yield (
        "to beat",
        f"{100 * found.largest_share:.1f} %, by always predicting {found.class_names[_largest(train.counts)]!r}",
    )
    where = "on disk, mapped into memory" if found.on_disk else "in memory"
    yield (
        "memory",
        f"{found.nbytes / 1e6:,.1f} MB of training images {where}; a worker takes about "
        f"{worker_bytes(found.nbytes) / 1e9:.1f} GB",
    )
    yield "fingerprint", found.fingerprint


def _largest(counts: tuple[int, ...]) -> int:
    return counts.index(max(counts))
