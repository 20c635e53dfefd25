"""The targets of a deployment: functions that write files and return findings about them."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy.builds import build_and_run, build_for
from tinysearch.deploy.code import TOLERANCE, Vectors, Words, image_bytes, numeric_of, write_code, write_readme
from tinysearch.deploy.evidence import Sample, compared
from tinysearch.deploy.findings import Findings
from tinysearch.deploy.fit import Limits, Prediction, fits, verdict
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.int8 import Int8Network, int8_network
from tinysearch.deploy.litert import Interpreter, convert
from tinysearch.deploy.scaling import AS_IT_IS
from tinysearch.deploy.toolchain import PROCESSORS, check_on_host, host_compiler, logits_on_host
from tinysearch.deploy.trained import Trained, batches
from tinysearch.errors import WorkError
from tinysearch.runtime.backend import generators_kept, quiet
from tinysearch.space.cost import cost, flash_bytes
from tinysearch.space.footprint import AVR, CORTEX, whole_words
from tinysearch.space.footprint import PROCESSORS as COUNTED
from tinysearch.space.task import REAL, Task

Dtype = Literal["int8", "float32"]
VECTORS = 50


@dataclass(frozen=True, slots=True)
class Order:
    """A network to deploy, with all settings.

    Args:
        trained: The network.
        dataset: Training images for calibration.
        sample: Images to compare on.
        labels: Names of the classes.
        dtype: Type of weights and activations.
        scaling: Whether the network itself scales raw pixels.
        limits: Limits of the runs that found it.
        vectors: Number of images with known results to write with C code.
        takes: See ``Deployment``.
    """

    trained: Trained
    dataset: Dataset
    sample: Sample
    labels: tuple[str, ...]
    dtype: Dtype = "int8"
    scaling: bool = True
    limits: tuple[Limits, ...] = ()
    vectors: int = VECTORS
    takes: tuple[str, ...] = ()

    @property
    def images(self) -> Images:
        """The images to compare on."""
        return self.sample.images

    @property
    def bytes_in(self) -> bool:
        """Whether the C code takes pixels as bytes."""
        return self.scaling and self.images.pixels.dtype == np.uint8

    @property
    def task(self) -> Task:
        """The task, with the values that the C code takes."""
        return self.dataset.task if self.bytes_in else dataclasses.replace(self.dataset.task, values=REAL)

    @property
    def pixels(self) -> npt.NDArray[Any]:
        """The images to compare on, as the network takes them."""
        return self.images.pixels if self.scaling else self.trained.scaled(self.images.pixels)


def to_c(order: Order, folder: Folder) -> Findings:
    """Write C code, and check it with the compilers and emulators of this machine."""
    trained, findings = order.trained, Findings()
    int8 = _quantized(order) if order.dtype == "int8" else None
    numeric = numeric_of(trained if order.scaling else _unscaled(trained), int8, bytes_in=order.bytes_in)
    pixels = order.pixels
    keras_logits = trained.logits(order.images.pixels)
    expected = keras_logits if int8 is None else int8.logits(pixels)
    tolerance = 1.0 if int8 is not None else TOLERANCE * max(1.0, float(np.abs(keras_logits).max()))
    first = slice(order.vectors)
    vectors = Vectors(pixels[first], order.images.labels[first], expected[first], tolerance)
    write_code(folder, trained, numeric, order.labels, vectors)
    if int8 is not None:
        findings.litert_bytes = len(int8.content)
        findings.comparisons["LiteRT int8"] = compared(int8.real(expected), keras_logits, order.images.labels)
    compiler = host_compiler()
    if compiler is None:
        findings.notes.append("there is no C compiler on this machine (cc, gcc or clang): the code was not run")
    else:
        findings.checks.append(f"this machine: {check_on_host(folder.path, compiler)}")
        logits = logits_on_host(folder.path, pixels, len(order.labels), order.dtype, compiler)
        findings.comparisons[f"C {order.dtype}"] = compared(
            logits if int8 is None else int8.real(logits), keras_logits, order.images.labels
        )
        if int8 is not None:
            same = int((logits == expected).all(axis=1).sum())
            findings.checks.append(f"{same:,} of {len(logits):,} images: the same logits as LiteRT's reference kernels")
    build_and_run(folder, findings)
    build_for(order.limits, folder, findings)
    findings.image_bytes = image_bytes(trained.task, numeric)
    for processor in COUNTED:
        flash = flash_bytes(trained.architecture, order.task, processor) if int8 else None
        arena = trained.plan.arena * (1 if int8 else 4)
        findings.predicted[processor] = Prediction(flash, arena if processor == AVR else whole_words(arena))
    params = cost(trained.architecture, trained.task).params
    predicted = {name: findings.predicted[name if name in CORTEX else AVR] for name in PROCESSORS}
    findings.fit = tuple(one for each in order.limits for one in fits(each, params, findings.sizes, predicted))
    findings.verdict = verdict(order.limits, findings.fit, findings.image_bytes)
    own = compared(keras_logits, keras_logits, order.images.labels)
    words = Words(order.takes, order.sample, {"Keras": own, **findings.comparisons}, findings.verdict)
    write_readme(folder, trained, numeric, vectors, findings.sizes, words)
    return findings


def to_tflite(order: Order, folder: Folder) -> Findings:
    """Write a LiteRT file and a description of its input and output, and run it with LiteRT's interpreter."""
    trained, findings = order.trained, Findings()
    keras_logits = trained.logits(order.images.pixels)
    use: dict[str, object]
    if order.dtype == "int8":
        int8 = _quantized(order)
        content, logits = int8.content, int8.real(int8.logits(order.pixels))
        use = {
            "input": f"int8: {int8.entry.conversion(bytes_in=order.bytes_in).rule}",
            "input_scale": int8.entry.to.scale,
            "input_zero_point": int8.entry.to.zero,
            "output": "int8: logits, one per class",
            "output_scale": int8.logits_scale.scale,
            "output_zero_point": int8.logits_scale.zero,
        }
    else:
        content = convert(trained.plan, trained.weights, scaling=trained.scaling if order.scaling else AS_IT_IS)
        logits = Interpreter(content).logits(order.pixels.astype(np.float32)).reshape(len(order.images), -1)
        use = {"input": _input_rule(order), "output": "float32: logits, one per class"}
    folder.write("model.tflite", content)
    _write_use(order, folder, use)
    findings.comparisons[f"LiteRT {order.dtype}"] = compared(logits, keras_logits, order.images.labels)
    return findings


def to_onnx(order: Order, folder: Folder) -> Findings:
    """Write the Keras model as an ONNX file, and run it with onnxruntime."""
    import keras

    absent = [name for name in ("tf2onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if absent:
        raise WorkError(f"ONNX needs {' and '.join(absent)}, not found here: pip install onnx onnxruntime tf2onnx")
    if keras.backend.backend() != "tensorflow":
        raise WorkError(
            f"the backend {keras.backend.backend()!r} of Keras cannot write ONNX with tf2onnx; set "
            f"KERAS_BACKEND=tensorflow, which loads models of every backend"
        )
    model = _probabilities_model(order)
    with quiet():
        signature = [keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name="images")]
        model.export(str(folder.path / "model.onnx"), format="onnx", input_signature=signature, verbose=False)
    folder.add("model.onnx")
    _write_use(order, folder, {"input": _input_rule(order), "output": "float32: probabilities, one per class"})
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder.path / "model.onnx"), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: pixels})[0] for pixels in batches(order.pixels)]
    return _findings_of_probabilities(order, "ONNX", np.concatenate(parts))


def to_saved_model(order: Order, folder: Folder) -> Findings:
    """Write the Keras model as a SavedModel, and run it with TensorFlow."""
    import tensorflow as tf

    from tinysearch.training.backends import compilable

    model = compilable(_probabilities_model(order))
    place = folder.path / "saved_model"
    with quiet():
        model.export(str(place), format="tf_saved_model", verbose=False)
    folder.add("saved_model")
    _write_use(order, folder, {"input": _input_rule(order), "output": "float32: probabilities, one per class"})
    loaded = tf.saved_model.load(str(place))
    parts = [loaded.serve(pixels).numpy() for pixels in batches(order.pixels)]
    return _findings_of_probabilities(order, "SavedModel", np.concatenate(parts))


TARGETS: dict[str, Callable[[Order, Folder], Findings]] = {
    "c": to_c,
    "tflite": to_tflite,
    "onnx": to_onnx,
    "saved_model": to_saved_model,
}


def _quantized(order: Order) -> Int8Network:
    trained = order.trained
    int8 = int8_network(trained, order.dataset.train.pixels)
    return int8 if order.scaling else Int8Network(int8.content, int8.numbers, int8.entry.unscaled, int8.logits_scale)


def _unscaled(trained: Trained) -> Trained:
    """Return a copy of a network that takes scaled pixels."""
    return dataclasses.replace(trained, scales=False)


def _probabilities_model(order: Order) -> Any:
    """Return the Keras model, without its scaling if the order leaves scaling out."""
    if order.scaling:
        return order.trained.model
    from tinysearch.space.keras_builder import build

    with generators_kept():
        model = build(order.trained.architecture, order.trained.task)
    model.set_weights(order.trained.model.get_weights())
    return model


def _findings_of_probabilities(order: Order, what: str, found: npt.NDArray[Any]) -> Findings:
    from tinysearch.training.predictions import probabilities

    own = probabilities(order.trained.model, order.images.pixels)
    return Findings(comparisons={f"{what} float32": compared(found, own, order.images.labels)})


def _input_rule(order: Order) -> str:
    scaling = order.trained.scaling
    return "float32: raw pixels" if order.scaling or scaling.does_nothing else f"float32: {scaling.words}"


def _write_use(order: Order, folder: Folder, use: dict[str, object]) -> None:
    facts: dict[str, object] = {
        "name": order.trained.name,
        "labels": list(order.labels),
        "input_shape": list(order.trained.task.input_shape),
        **use,
        "images": list(order.takes),
    }
    folder.write("model.json", json.dumps(facts, indent=2) + "\n")
