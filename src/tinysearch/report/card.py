"""Model cards: the documentation that is passed on with a network (Mitchell et al., 2019)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from tinysearch.report import figures
from tinysearch.results.objective import title_of
from tinysearch.results.record import ACCURACY, Record
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost
from tinysearch.space.notation import LEGEND, notation


def to_card(
    name: str,
    architecture: Architecture,
    cost: Cost,
    records: Sequence[Record],
    class_names: Sequence[str] = (),
    words: Sequence[str] = (),
) -> str:
    """Return the model card of a candidate in Markdown.

    Args:
        name: Its key, or the name of a hand-designed baseline.
        architecture, cost: The network and its cost.
        records: Its trainings and evaluations; none if it was never trained.
        class_names: Names of the classes, in the order of its outputs; empty if they have no names.
        words: Command-line words that select the store and the training data.
    """
    measured = _independent(records)
    parts = [
        f"# {_escaped(name)}",
        "",
        f"A convolutional network of {cost.params:,} parameters for images of "
        f"{_input(measured)} {cost.layers[-1].output_shape[0]} classes: `{notation(architecture)}`",
        "",
        *_costs(cost),
        *_classes(class_names),
        *_results(measured),
        *_training(measured, words),
        "## Layers",
        "",
        "| layer | kind | output | parameters | MACs |",
        "| --- | --- | ---: | ---: | ---: |",
        *(
            f"| {layer.name} | {layer.kind} | {'x'.join(map(str, layer.output_shape))} | {layer.params:,} | "
            f"{layer.macs:,} |"
            for layer in cost.layers
        ),
        "",
        f"How to read the short form: {LEGEND}.",
        "",
        "## Limits",
        "",
        "The network was only measured on the data named above. Images that are centred, scaled, lit or drawn "
        "differently may be classified much worse. It has no class for images that belong to none of its classes, "
        "and its probabilities are not calibrated.",
    ]
    return "\n".join(parts) + "\n"


def _independent(records: Sequence[Record]) -> list[Record]:
    """Return one record per training on the dataset of the first one, without duplicates, stopped and failed ones."""
    found: dict[tuple[str, bool, int], Record] = {}
    usable = [one for one in records if not one.failed and not one.pruned]
    for one in usable:
        held_out = one.measurement.val_accuracy is not None
        if one.fingerprint == usable[0].fingerprint:
            found.setdefault((one.purpose, held_out, one.seed), one)
    return list(found.values())


def _input(records: Sequence[Record]) -> str:
    return f"the dataset {_escaped(records[0].dataset)} with" if records else "28x28x1 with"


def _costs(cost: Cost) -> list[str]:
    titles = ["parameters (trainable + not)", "MACs", "RAM for activations, int8", "weights, int8"]
    cells = [
        figures.params(cost.params, cost.trainable_params, cost.non_trainable_params),
        f"{cost.macs:,}",
        f"{cost.peak_activation_bytes:,} bytes",
        f"{cost.int8_weight_bytes:,} bytes",
    ]
    if cost.flash_bytes is not None:
        titles.append("flash of the int8 C code, Cortex-M0+")
        cells.append(f"{cost.flash_bytes:,} bytes")
    return [f"| {' | '.join(titles)} |", f"|{' ---: |' * len(titles)}", f"| {' | '.join(cells)} |", ""]


def _classes(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return ["## Classes", "", *(f"{number}. {_escaped(name)}" for number, name in enumerate(names)), ""]


def _results(records: Sequence[Record]) -> list[str]:
    if not records:
        return ["## Results", "", "This network was never trained.", ""]
    lines = ["## Results", "", "| measured on | accuracy | seeds | trained on |", "| --- | ---: | --- | --- |"]
    by_seed = {one.seed: one for one in records if one.measurement.val_accuracy is not None}
    searched = list(by_seed.values())
    if searched:
        scores = [one.val_accuracy or 0.0 for one in searched]
        lines.append(
            f"| images held out for validation | {_spread(scores)} | {_seeds(searched)} | the other training images |"
        )
    for held_out in (True, False):
        tested = [
            one
            for one in records
            if one.test_accuracy is not None and (one.measurement.val_accuracy is not None) == held_out
        ]
        if tested:
            trained_on = "training images without those held out" if held_out else "all training images"
            scores = [one.test_accuracy or 0.0 for one in tested]
            lines.append(f"| test images | {_spread(scores)} | {_seeds(tested)} | {trained_on} |")
    metrics = [*_metrics("images held out for validation", searched, lambda one: one.metrics)]
    metrics += _metrics("test images", records, lambda one: one.test_metrics)
    if metrics:
        lines += ["", "| measured on | metric | mean | seeds |", "| --- | --- | ---: | --- |", *metrics]
    lines += [
        "",
        "Accuracies are those of the last epoch, not the best one. The search selects by validation accuracy, which is "
        "therefore optimistic; the test images were used once per training.",
        "",
    ]
    return lines


def _metrics(
    measured_on: str, records: Sequence[Record], metrics_of: Callable[[Record], Mapping[str, float]]
) -> list[str]:
    """Return a row for each metric other than accuracy that was measured."""
    measured = [one for one in records if metrics_of(one)]
    names = [name for name in (metrics_of(measured[0]) if measured else {}) if name != ACCURACY]
    rows = []
    for name in names:
        values = [metrics_of(one)[name] for one in measured if name in metrics_of(one)]
        mean = figures.spread(*figures.mean_and_std(values), name)
        rows.append(f"| {measured_on} | {_escaped(title_of(name))} | {mean} | {_seeds(measured)} |")
    return rows


def _training(records: Sequence[Record], words: Sequence[str]) -> list[str]:
    if not records:
        return []
    first = records[0]
    recipe = ", ".join(f"{name} {value}" for name, value in first.recipe.items())
    versions = ", ".join(f"{name} {value}" for name, value in first.versions.items())
    return [
        "## Training",
        "",
        f"- data: {_escaped(first.dataset)}, fingerprint of the training images `{first.fingerprint}`",
        f"- recipe: {_escaped(recipe)}",
        f"- run: {_escaped(first.run)}, key `{first.key}`, stored {first.created_at}",
        f"- on: {_escaped(versions)}",
        f"- again: `{shlex.join(['tinysearch', 'reproduce', first.key, '--seeds', '3', *words])}`",
        "",
    ]


def _spread(scores: Sequence[float]) -> str:
    return figures.tested(*figures.mean_and_std(scores), len(scores))


def _seeds(records: Sequence[Record]) -> str:
    return ", ".join(str(seed) for seed in sorted({record.seed for record in records}))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ").replace("`", "'")
