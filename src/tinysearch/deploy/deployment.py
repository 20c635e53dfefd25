"""Deploying: files for a device, what was found out about them, and a record of it all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.deploy.evidence import Comparison, Sample, compared, sample_of
from tinysearch.deploy.findings import Findings
from tinysearch.deploy.fit import Fit, limits_of, verdict
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.input import input_of
from tinysearch.deploy.kept import trained_network
from tinysearch.deploy.targets import TARGETS, VECTORS, Dtype, Order
from tinysearch.deploy.trained import Trained
from tinysearch.errors import InputError
from tinysearch.results.archive import SUFFIX
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.runtime.versions import version_of
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost, flash_bytes
from tinysearch.space.footprint import PROCESSORS

RECORD = "deployment.json"
DTYPES = ("int8", "float32")
_PACKAGES = ("tinysearch", "tensorflow", "keras", "numpy", "tf2onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed.

    Args:
        target: ``"c"``, ``"tflite"``, ``"onnx"`` or ``"saved_model"``.
        dtype: Of weights and activations.
        folder: Where its files are.
        trained: The network.
        keras: Accuracy of the Keras model on the same images, a fraction.
        sample: The images.
        takes: What the network takes for its input, a sentence each.
        findings: What was found out.
        files: Sizes and digests, by name.
    """

    target: str
    dtype: Dtype
    folder: Path
    trained: Trained
    keras: Comparison
    sample: Sample
    takes: tuple[str, ...]
    findings: Findings
    files: Mapping[str, Mapping[str, object]]

    def __repr__(self) -> str:
        """Show what was deployed, where, and how it compares."""
        fits = {True: ", fits", False: ", does not fit", None: ""}[self.fits]
        return f"<Deployment of {self.trained.name}: {self.target} in {self.folder}, {len(self.files)} files{fits}>"

    @property
    def compared_on(self) -> str:
        """Which images answers were compared on, in words."""
        return self.sample.words

    @property
    def fit(self) -> tuple[Fit, ...]:
        """Whether the network, and each build of it, is within the limits of the runs that have found it."""
        return self.findings.fit

    @property
    def fits(self) -> bool | None:
        """Whether it is within all limits that were checked; None if there are none.

        A build for speed (``-O2``) that does not fit does not count, because there is a smaller one.
        """
        return all(one.fits for one in self.fit if one.decides) if self.fit else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: what ``deployment.json`` holds."""
        counted = cost(self.trained.architecture, self.trained.task)
        return {
            "target": self.target,
            "dtype": self.dtype,
            "folder": str(self.folder.absolute()),
            "candidate": {"name": self.trained.name, **self.trained.origin},
            "architecture": self.trained.architecture.to_dict(),
            "params": counted.params,
            "peak_activation_bytes": counted.peak_activation_bytes,
            "input": list(self.takes),
            "compared_on": self.compared_on,
            "accuracy_on": self.sample.kind,
            "accuracy": {
                "Keras": self.keras.accuracy,
                **{name: one.accuracy for name, one in self.findings.comparisons.items()},
            },
            "comparisons": {name: one.to_dict() for name, one in self.findings.comparisons.items()},
            "sizes": self.findings.sizes,
            "predicted": {
                name: {
                    "flash": flash_bytes(self.trained.architecture, self.trained.task, name),
                    "ram": counted.ram_bytes,
                }
                for name in PROCESSORS
            },
            "image_bytes": self.findings.image_bytes,
            "fits": self.fits,
            "fit": [one.to_dict() for one in self.fit],
            "litert_bytes": self.findings.litert_bytes,
            "instructions": self.findings.instructions,
            "checks": self.findings.checks,
            "notes": self.findings.notes,
            "files": {name: dict(one) for name, one in self.files.items()},
            "versions": {name: version_of(name) for name in _PACKAGES},
            "created_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }


def deploy(
    trained: Trained,
    target: str,
    folder: str | Path,
    dataset: Dataset,
    *,
    dtype: Dtype = "int8",
    scaling: bool = True,
    labels: Sequence[str] | None = None,
    budgets: Mapping[str, Budget] | None = None,
    vectors: int = VECTORS,
) -> Deployment:
    """Write a trained network in the form that a device takes, compare it with Keras, and record what came of it.

    Args:
        trained: The network.
        target: ``"c"``, ``"tflite"``, ``"onnx"`` or ``"saved_model"``.
        folder: Where to write; made if it is not there.
        dataset: Its training images calibrate int8, its test images are compared on.
        dtype: ``"int8"`` or ``"float32"``, for C and LiteRT.
        scaling: Whether the network itself scales raw pixels; if not, whoever uses it does.
        labels: Names of the classes; their numbers if there are none.
        budgets: The limits of the runs that have found it, by name: what is built is checked against them.
        vectors: How many test images with known results are written beside C code.

    Raises:
        InputError: if the target is unknown, the images are not those of the network, or the folder cannot be written.
        WorkError: if something that the target needs is missing, or a check fails.
    """
    check_target(target, dtype)
    if vectors < 1:
        raise InputError(f"C code comes with at least 1 test image with a known answer, got {vectors}")
    if dataset.task != trained.task:
        raise InputError(
            f"{trained.name} was trained for images of shape {trained.task.input_shape} and {trained.task.classes} "
            f"classes; {dataset.name} has {dataset.task.input_shape} and {dataset.task.classes}; give its own images "
            f"with `data=`"
        )
    place = Folder(folder)
    sample = sample_of(dataset)
    takes = input_of(trained, dataset, scaling=scaling)
    names = tuple(labels) if labels is not None else tuple(map(str, range(trained.task.classes)))
    limits = limits_of(budgets or {})
    order = Order(trained, dataset, sample, names, dtype, scaling, limits, vectors, takes)
    findings = TARGETS[target](order, place)
    if sample.caution is not None:
        findings.notes.append(sample.caution)
    if target != "c":
        params = cost(trained.architecture, trained.task).params
        findings.fit = tuple(one for each in limits for one in each.network(params))
        findings.verdict = verdict(limits, findings.fit)
    logits = trained.logits(sample.images.pixels)
    done = Deployment(
        target=target,
        dtype=dtype if target in ("c", "tflite") else "float32",
        folder=place.path,
        trained=trained,
        keras=compared(logits, logits, sample.images.labels),
        sample=sample,
        takes=takes,
        findings=findings,
        files=place.files(),
    )
    place.write(RECORD, json.dumps(done.to_dict(), indent=2) + "\n")
    return done


def deploy_candidate(
    name: str,
    records: Sequence[Record],
    models: Sequence[Path | None],
    target: str,
    folder: str | Path,
    dataset: Dataset,
    *,
    dtype: Dtype = "int8",
    scaling: bool = True,
    class_names: Sequence[str] = (),
    budgets: Mapping[str, Budget] | None = None,
    vectors: int = VECTORS,
    store: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> Deployment:
    """Deploy a candidate, see ``deploy``, with the model that was kept or else trained again, see ``trained_network``.

    Args:
        name, records, models, tell: See ``trained_network``.
        target, folder, dataset, dtype, scaling, budgets, vectors: See ``deploy``.
        class_names: Names of the classes; those of the dataset, or else their numbers, if there are none.
        store: The store that takes a record of it, if it is no archive; None for that in the folder alone.

    Raises:
        InputError: if the target is unknown, the images are not those of the network, or the folder cannot be written.
        WorkError: if something that the target needs is missing, a check fails, or it cannot be trained again.
    """
    check_target(target, dtype)
    # A folder that cannot be written must not be found out after another training.
    Folder(folder)
    trained, record = trained_network(name, records, models, dataset, tell)
    done = deploy(
        trained,
        target,
        folder,
        dataset,
        dtype=dtype,
        scaling=scaling,
        labels=class_names or dataset.class_names or None,
        budgets=budgets,
        vectors=vectors,
    )
    if store is not None and store.suffix != SUFFIX:
        with Store(store) as opened:
            opened.note_deployment(record, done.to_dict())
    return done


def check_target(target: str, dtype: str) -> Dtype:
    """Return the type that was named; refuse what cannot be deployed to.

    Raises:
        InputError: if the target or the type is unknown.
    """
    if target not in TARGETS:
        raise InputError(f"a network can be deployed to {', '.join(TARGETS)}; got {target!r}")
    if dtype not in DTYPES:
        raise InputError(f"the type of weights and activations is {' or '.join(DTYPES)}; got {dtype!r}")
    return "float32" if dtype == "float32" else "int8"
