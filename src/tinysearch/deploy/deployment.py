"""Deployment of a trained network: files for a device, findings about them, and a record of both."""

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
from tinysearch.deploy.fit import Fit, all_checked, limits_of, verdict
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
from tinysearch.space.cost import cost

RECORD = "deployment.json"
DTYPES = ("int8", "float32")
_IN_INT8 = ("c", "tflite")
# A loss of accuracy in int8 is noted from this fraction on, if it is at least this number of images.
_MUCH, _FEW = 0.01, 3
_PACKAGES = ("tinysearch", "tensorflow", "keras", "numpy", "tf2onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed network.

    Args:
        target: ``"c"``, ``"tflite"``, ``"onnx"`` or ``"saved_model"``.
        dtype: Type of weights and activations.
        folder: Folder with its files.
        trained: The network.
        keras: The Keras model on the same images, compared with itself.
        sample: Images on which the network was compared with Keras.
        takes: Description of the network's input, one sentence per item.
        findings: Comparisons, sizes, checks and notes.
        files: Size and digest of each file, by name.
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
        """Show the network, its target and folder, and whether it fits."""
        fits = {True: ", fits", False: ", does not fit", None: ""}[self.fits]
        return f"<Deployment of {self.trained.name}: {self.target} in {self.folder}, {len(self.files)} files{fits}>"

    @property
    def compared_on(self) -> str:
        """The images on which predictions were compared, in words."""
        return self.sample.words

    @property
    def fit(self) -> tuple[Fit, ...]:
        """Verdicts on the network and each build of it against the limits of the runs that found it."""
        return self.findings.fit

    @property
    def fits(self) -> bool | None:
        """Whether it is within all limits; None if there are none, or if one was not checked and no other is exceeded.

        A build for speed (``-O2``) that does not fit is ignored, because a smaller build exists.
        """
        if not all(one.fits for one in self.fit if one.decides):
            return False
        return True if self.fit and self.findings.all_checked else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, the content of ``deployment.json``."""
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
            "predicted": {name: one.to_dict() for name, one in self.findings.predicted.items()},
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
    dtype: Dtype | None = None,
    scaling: bool = True,
    labels: Sequence[str] | None = None,
    budgets: Mapping[str, Budget] | None = None,
    vectors: int | None = None,
) -> Deployment:
    """Write a trained network in the format of a target, compare it with Keras, and record the findings.

    Args:
        trained: The network.
        target: ``"c"``, ``"tflite"``, ``"onnx"`` or ``"saved_model"``.
        folder: Folder to write to; created if it does not exist.
        dataset: Its training images calibrate int8; the comparison uses its test images.
        dtype: ``"int8"`` (default) or ``"float32"`` for C and LiteRT; the other targets use float32.
        scaling: Whether the network itself scales raw pixels; if not, its caller does.
        labels: Names of the classes; None for their numbers.
        budgets: Limits of the runs that found the network, by run name; its builds are checked against them.
        vectors: Number of test images with known results to write with C code; None for 50.

    Raises:
        InputError: if the target is unknown or does not support an argument, the images do not match the network, or
            the folder cannot be written.
        WorkError: if something that the target needs is missing, or a check fails.
    """
    kind = check_target(target, dtype, vectors)
    if (dataset.task.input_shape, dataset.task.classes) != (trained.task.input_shape, trained.task.classes):
        raise InputError(
            f"{trained.name} was trained for images of shape {trained.task.input_shape} and {trained.task.classes} "
            f"classes; {dataset.name} has {dataset.task.input_shape} and {dataset.task.classes}; give the data "
            f"it was trained on with `data=`"
        )
    place = Folder(folder)
    sample = sample_of(dataset)
    takes = input_of(trained, dataset, scaling=scaling)
    names = tuple(labels) if labels is not None else tuple(map(str, range(trained.task.classes)))
    limits = limits_of(budgets or {})
    count = VECTORS if vectors is None else vectors
    order = Order(trained, dataset, sample, names, kind, scaling, limits, count, takes)
    findings = TARGETS[target](order, place)
    if sample.caution is not None:
        findings.notes.append(sample.caution)
    if target != "c":
        params = cost(trained.architecture, trained.task).params
        findings.fit = tuple(one for each in limits for one in each.network(params))
        findings.verdict = verdict(limits, findings.fit)
    findings.all_checked = all_checked(limits, findings.fit)
    logits = trained.logits(sample.images.pixels)
    keras = compared(logits, logits, sample.images.labels)
    findings.notes += _lost(keras, findings, len(sample.images))
    done = Deployment(
        target=target,
        dtype=kind,
        folder=place.path,
        trained=trained,
        keras=keras,
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
    dtype: Dtype | None = None,
    scaling: bool = True,
    class_names: Sequence[str] = (),
    budgets: Mapping[str, Budget] | None = None,
    vectors: int | None = None,
    store: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> Deployment:
    """Deploy a candidate with its kept model; if none was kept, train the candidate again.

    Args:
        name, records, models, tell: See ``trained_network``.
        target, folder, dataset, dtype, scaling, budgets, vectors: See ``deploy``.
        class_names: Names of the classes; if empty, those of the dataset or else their numbers.
        store: Store that receives a record of the deployment, unless it is an archive; None for the record in the
            folder only.

    Raises:
        InputError: if the target is unknown or does not support an argument, the images do not match the network, or
            the folder cannot be written.
        WorkError: if something that the target needs is missing, a check fails, or the candidate cannot be trained
            again.
    """
    check_target(target, dtype, vectors)
    # Raises an error for a folder that cannot be written, before the candidate is trained again.
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


def check_target(target: str, dtype: str | None, vectors: int | None = None) -> Dtype:
    """Return the numeric type for a target, or raise an error if the target does not support the arguments.

    Args:
        target: See ``deploy``.
        dtype: Requested type; None for the default of the target.
        vectors: Requested number of test images; None for the default.

    Raises:
        InputError: if the target or the type is unknown, ``vectors`` is below 1, or the target does not support
            ``dtype`` or ``vectors``.
    """
    if target not in TARGETS:
        raise InputError(f"a network can be deployed to {', '.join(TARGETS)}; got {target!r}")
    if dtype is not None and dtype not in DTYPES:
        raise InputError(f"the type of weights and activations is {' or '.join(DTYPES)}; got {dtype!r}")
    if vectors is not None and target != "c":
        raise InputError(f"`vectors=` is the number of test images in the C code; leave it out for {target}")
    if vectors is not None and vectors < 1:
        raise InputError(f"`vectors=` must be at least 1, got {vectors}")
    if target not in _IN_INT8:
        if dtype == "int8":
            raise InputError(
                f"{target} is written in float32; leave out `dtype=`, or deploy to {' or '.join(_IN_INT8)}"
            )
        return "float32"
    return "float32" if dtype == "float32" else "int8"


def _lost(keras: Comparison, findings: Findings, images: int) -> list[str]:
    """Return a note if int8 costs much accuracy, as measured on this number of images."""
    int8 = findings.comparisons.get("LiteRT int8")
    if int8 is None or keras.accuracy - int8.accuracy < max(_MUCH, _FEW / images):
        return []
    lost = 100 * (keras.accuracy - int8.accuracy)
    return [f"int8 costs {lost:.1f} points of accuracy here; float32 costs none, but takes four times the memory"]
