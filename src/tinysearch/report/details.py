"""Terminal output of the details of a network, its trainings and a search space."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.data.splits import Split
from tinysearch.report import figures
from tinysearch.results.objective import title_of
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.runtime.rich import Group, RenderableType, Table, Text
from tinysearch.space.cost import Cost
from tinysearch.space.notation import LEGEND, notation

if TYPE_CHECKING:
    from tinysearch.space.survey import Survey


def layers(cost: Cost) -> RenderableType:
    """Return a table of the operations of a network: shapes, parameters, multiply-accumulates."""
    table = Table(header_style="bold", box=None, show_footer=True, footer_style="bold", pad_edge=False)
    # On a narrow terminal, words are cut, not numbers.
    table.add_column("layer", "total", overflow="ellipsis")
    table.add_column("kind", overflow="ellipsis")
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("bytes", justify="right", no_wrap=True)
    table.add_column("params", f"{cost.params:,}", justify="right", no_wrap=True)
    table.add_column("trainable", f"{cost.trainable_params:,}", justify="right", no_wrap=True)
    table.add_column("MACs", f"{cost.macs:,}", justify="right", no_wrap=True)
    for layer in cost.layers:
        shape = "x".join(str(side) for side in layer.output_shape)
        numbers = (math.prod(layer.output_shape), layer.params, layer.trainable_params, layer.macs)
        table.add_row(_place(layer.name), layer.kind, shape, *(f"{number:,}" if number else "" for number in numbers))
    memory = Text(
        f"{cost.peak_activation_bytes:,} bytes of activations at the peak and {cost.int8_weight_bytes:,} bytes of "
        f"weights, all in int8{_as_code(cost)}",
        style="dim",
    )
    return Group(table, memory)


def _as_code(cost: Cost) -> str:
    if cost.flash_bytes is None:
        return ""
    image = "" if cost.image_bytes is None else f" + {cost.image_bytes:,} for a buffer of the image"
    avr = "" if cost.avr_flash_bytes is None else f" ({cost.avr_flash_bytes:,} on an AVR)"
    return f". As C code on a Cortex-M0+: {cost.flash_bytes:,} bytes of flash{avr}, RAM {cost.ram_bytes:,} bytes{image}"


def _place(name: str) -> str:
    """Shorten the name of an operation within a block, so that its distinguishing part is not cut.

    >>> _place("inception5_branch2_conv1_norm"), _place("residual3_conv1"), _place("conv1")
    ('5.2 conv1_norm', '3.1 conv1', 'conv1')
    """
    inner = re.match(r"(?:inception|residual)(\d+)_(?:branch(\d+)_)?(.+)", name)
    return name if inner is None else f"{inner[1]}.{inner[2] or 1} {inner[3]}"


def curve(epochs: Sequence[Epoch], objective: str = ACCURACY) -> RenderableType:
    """Return a training curve as a table with one row per epoch and a bar for the validation error.

    Args:
        epochs: The curve.
        objective: Objective of the run; it has a column if it is not accuracy.
    """
    errors = [1 - epoch.val_accuracy for epoch in epochs if epoch.val_accuracy is not None]
    worst = max(errors, default=0.0) or 1.0
    table = Table(header_style="bold", box=None)
    measured = objective != ACCURACY and any(epoch.metrics for epoch in epochs)
    named = [figures.metric_title(objective, "validation")] if measured else []
    for title in ("epoch", "loss", "accuracy", "val loss", *named, "validation"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("validation error", no_wrap=True)
    for number, epoch in enumerate(epochs, start=1):
        error = None if epoch.val_accuracy is None else 1 - epoch.val_accuracy
        table.add_row(
            str(number),
            f"{epoch.loss:.4f}",
            figures.percent(epoch.accuracy),
            figures.MISSING if epoch.val_loss is None else f"{epoch.val_loss:.4f}",
            *(figures.measured(epoch.value(objective), objective) for _ in named),
            figures.percent(epoch.val_accuracy),
            "" if error is None else "█" * max(1, round(24 * error / worst)),
        )
    return table


def legend() -> Text:
    """Return the legend of the short notation of layers."""
    return Text(f"layers: {LEGEND}", style="dim")


def trainings(records: Sequence[Record], models: Sequence[Path | None]) -> RenderableType:
    """Return the provenance of the measurements of a candidate: a block for each training, with its curve.

    Trainings that were scored on test images and differ only in their seeds share a block, with a row for each.

    Args:
        records: The trainings.
        models: Path of the trained model of each; None if it was not kept.
    """
    blocks: dict[object, list[tuple[Record, Path | None]]] = {}
    for place, (record, model) in enumerate(zip(records, models, strict=True)):
        same = (record.run, record.origin, record.trial, record.fingerprint, str(record.recipe), str(record.provenance))
        blocks.setdefault(place if record.test_accuracy is None else same, []).append((record, model))
    parts: list[RenderableType] = []
    for block in blocks.values():
        block.sort(key=lambda pair: pair[0].seed)
        alike = [record for record, _ in block]
        parts += ["", provenance(alike, [model for _, model in block if model is not None])]
        if len(alike) > 1:
            parts.append(_seeds(alike))
        elif alike[0].measurement.curve:
            parts.append(curve(alike[0].measurement.curve, alike[0].objective))
    return Group(*parts)


def _seeds(records: Sequence[Record]) -> RenderableType:
    """Return a table with the last epoch of each of several trainings."""
    table = Table(header_style="bold", box=None)
    for title in ("seed", "loss", "accuracy", "validation", "test"):
        table.add_column(title, justify="right", no_wrap=True)
    for record in records:
        last = record.measurement.curve[-1]
        scores = (last.accuracy, last.val_accuracy, record.test_accuracy)
        table.add_row(str(record.seed), f"{last.loss:.4f}", *map(figures.percent, scores))
    return table


def provenance(alike: Sequence[Record], models: Sequence[Path] = ()) -> RenderableType:
    """Return the provenance of the measurements of a training, or of several that differ only in their seeds.

    Args:
        alike: The trainings, at least one.
        models: Paths of the trained models.
    """
    table = Table.grid(padding=(0, 2))
    record = alike[0]
    recipe = ", ".join(f"{name} {value}" for name, value in record.recipe.items())
    versions = ", ".join(f"{name} {value}" for name, value in record.versions.items())
    trial: str = {"search": record.origin, "revalidation": "revalidation, other images held out"}.get(
        record.purpose, "retraining"
    )
    if record.trial is not None:
        trial = f"trial {record.trial + 1}"
    taken = "" if record.reused_from is None else f", reused from run {record.reused_from}"
    rows = [
        ("run", f"{record.run}, {trial}, key {record.key}{taken}"),
        ("data", f"{record.dataset}, training images {record.fingerprint}"),
        _images_of(record),
        ("recipe", recipe),
        ("seed" if len(alike) == 1 else "seeds", ", ".join(str(one.seed) for one in alike)),
        ("measured on", versions),
        ("stored", figures.moment(max(one.created_at for one in alike))),
    ]
    rows = [row for row in rows if row[1]]
    if record.pruned:
        rows.append(("stopped", f"after epoch {len(record.measurement.curve)}: others were better by then"))
    if record.failed:
        rows.append(("failed", str(record.measurement.failure)))
        if record.measurement.log:
            rows.append(("log", record.measurement.log))
    elif len(alike) == 1 and record.measurement.val_accuracy is not None:
        rows.append(("validation", f"{figures.percent(record.measurement.val_accuracy)}, last epoch"))
    rows += [(f"validation {name}", value) for name, value in _metrics([one.metrics for one in alike])]
    tests = [one.test_accuracy for one in alike if one.test_accuracy is not None]
    if len(tests) == 1:
        rows.append(("test", f"{figures.percent(tests[0])}, scored once, after the last epoch"))
    elif tests:
        said = figures.tested(*figures.mean_and_std(tests), len(tests))
        rows.append(("test", f"{said}, scored once for each training, after the last epoch"))
    rows += [(f"test {name}", value) for name, value in _metrics([one.test_metrics for one in alike])]
    rows += [("model", str(model)) for model in models]
    for name, value in rows:
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table


def _images_of(record: Record) -> tuple[str, str]:
    """Return title and description of the images that a training was validated on, or that it trained on all."""
    if record.purpose == "evaluation" and record.validated_on == Split().part(None):
        return "trained on", "all training images"
    return "validated on", record.validated_on


def deployments(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a table of the deployments of a candidate, see ``Deployment.to_dict``."""
    table = Table(title="deployed", title_justify="left", header_style="bold", box=None)
    for title in ("when", "as", "seed", "accuracy", "files", "in"):
        table.add_column(title, justify="left" if title in ("when", "as", "in") else "right", overflow="fold")
    for one in found:
        accuracies = ", ".join(
            f"{name} {figures.percent(value)}" for name, value in dict(one.get("accuracy") or {}).items()
        )
        if one.get("accuracy_on", "test images") != "test images":
            accuracies += f" on {one['accuracy_on']}"
        sizes = sum(file["bytes"] for file in dict(one.get("files") or {}).values())
        table.add_row(
            figures.moment(str(one.get("created_at", ""))),
            f"{one['target']} {one.get('dtype', '')}".strip(),
            str(dict(one.get("candidate") or {}).get("seed", "")),
            Text(accuracies),
            f"{sizes:,} bytes",
            Text(str(one.get("folder", ""))),
        )
    return table


def _metrics(measured: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """Return title and mean of each metric other than accuracy, over the trainings that have it."""
    names = dict.fromkeys(name for metrics in measured for name in metrics if name != ACCURACY)
    found = []
    for name in names:
        values = [metrics[name] for metrics in measured if name in metrics]
        text = figures.tested(*figures.mean_and_std(values), len(values), name)
        title = title_of(name)
        found.append((title, text if len(measured) > 1 else figures.measured(values[0], name)))
    return found


def survey(found: Survey) -> RenderableType:
    """Return a survey of a search space as tables."""
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("size", f"{figures.magnitude(found.size)} combinations of choices"),
        ("smallest", f"{found.smallest:,} parameters"),
        (
            "share",
            f"{100 * found.share:.1f} ± {100 * found.share_error:.1f} % of {found.draws:,} random members are below "
            f"{found.budget.params:,} parameters (seed {found.seed})",
        ),
    ):
        facts.add_row(Text(name, style="bold"), Text(value))
    options = Table(title="choices", title_justify="left", header_style="bold", box=None)
    options.add_column("choice", no_wrap=True)
    options.add_column("legal values")
    for name, value in found.choices:
        options.add_row(Text(name), Text(value))
    samples = Table(title="samples within the budget", title_justify="left", header_style="bold", box=None)
    samples.add_column("params", justify="right")
    samples.add_column("MACs", justify="right")
    samples.add_column("layers", overflow="fold")
    for member, cost in found.samples:
        samples.add_row(f"{cost.params:,}", figures.count(cost.macs), Text(notation(member)))
    return Group(options, Text(), facts, Text(), samples, legend())
