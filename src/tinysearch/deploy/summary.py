"""Output of a deployment in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinysearch.deploy.origin import told
from tinysearch.deploy.toolchain import PROCESSORS
from tinysearch.report import figures
from tinysearch.runtime.rich import Group, RenderableType, Table, Text
from tinysearch.space.devices import STACK
from tinysearch.space.scalars import written

if TYPE_CHECKING:
    from tinysearch.deploy.deployment import Deployment

# Clock rates in MHz of an Arduino Uno's AVR, a Cortex-M4, and a fast Cortex-M7.
CLOCKS = (16, 64, 480)
_FORMS = {"c": "C code", "tflite": "a LiteRT model", "onnx": "an ONNX model", "saved_model": "a SavedModel"}
_MEMORY = (
    "RAM: the arena for all activations, the network's own input included. image: the buffer that model_classify() "
    f"reads; none is needed if images are written to model_input(). Neither includes the stack, about {STACK} bytes."
)


def summary(done: Deployment) -> RenderableType:
    """Return the files, comparisons, sizes, checks and verdict of a deployment."""
    findings = done.findings
    parts: list[RenderableType] = [
        Text(f"{done.trained.name} as {_FORMS[done.target]} in {done.folder}"),
        *map(Text, told(done.trained.origin)),
        Text(", ".join(f"{name} ({one['bytes']:,} bytes)" for name, one in done.files.items())),
        Text(),
        _accuracies(done),
    ]
    if findings.sizes:
        parts += [Text(), _sizes(done), Text(_MEMORY, style="dim")]
    if findings.checks:
        parts += [Text(), *(Text(f"checked: {one}") for one in findings.checks)]
    parts += [Text(f"note: {one}", style="bold yellow") for one in findings.notes]
    if findings.verdict:
        # Last, because the last lines of an output are seen first.
        parts += [Text(), *_verdict(done)]
    return Group(*parts)


def in_short(done: Deployment) -> RenderableType:
    """Return the folder, the accuracies and the verdict of a deployment."""
    compared = {"Keras": done.keras, **done.findings.comparisons}
    accuracies = ", ".join(f"{name} {figures.percent(one.accuracy)}" for name, one in compared.items())
    form = f"{done.trained.name} as {_FORMS[done.target]} in {done.folder}"
    caution = [] if done.sample.caution is None else [Text(f"note: {done.sample.caution}", style="bold yellow")]
    return Group(Text(f"{form}; accuracy on {done.compared_on}: {accuracies}"), *caution, *_verdict(done))


def _verdict(done: Deployment) -> list[Text]:
    style = {True: "bold green", False: "bold red", None: "bold yellow"}[done.fits]
    return [Text(line, style=style) for line in done.findings.verdict]


def _accuracies(done: Deployment) -> Table:
    table = _table(f"on {done.compared_on}", ("", f"accuracy on {done.sample.kind}", "same prediction as Keras"))
    table.add_row("Keras", figures.percent(done.keras.accuracy), "")
    for name, one in done.findings.comparisons.items():
        table.add_row(name, figures.percent(one.accuracy), figures.percent(one.agreement))
    return table


def _sizes(done: Deployment) -> Table:
    clocks = [f"{clock} MHz" for clock in CLOCKS]
    table = _table(
        "measured with cross compiler and QEMU; times in ms, at one instruction a cycle",
        ("", "flash", "RAM + image", "instructions", *clocks),
    )
    for name, one in done.findings.sizes.items():
        count = done.findings.instructions.get(name)
        times = ["" if count is None else written(count / clock / 1000, 3) for clock in CLOCKS]
        ram = f"{one['ram']:,} + {done.findings.image_bytes:,}"
        processor, _, level = name.partition(" ")
        build = f"{PROCESSORS[processor].name} {level}"
        table.add_row(build, f"{one['flash']:,}", ram, "" if count is None else f"{count:,}", *times)
    return table


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True)
    return table
