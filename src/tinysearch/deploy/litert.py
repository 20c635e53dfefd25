"""LiteRT (TensorFlow Lite) files, made by TensorFlow's converter, and LiteRT's interpreter to run them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.plan import SLOPE, Plan, Step
from tinysearch.deploy.scaling import AS_IT_IS, Scaling
from tinysearch.deploy.weights import Weights
from tinysearch.errors import WorkError
from tinysearch.runtime.backend import quiet

# Number of images per call of the interpreter.
_BATCH = 100


def convert(
    plan: Plan,
    weights: Mapping[str, Weights],
    *,
    scaling: Scaling = AS_IT_IS,
    calibration: npt.NDArray[np.float32] | None = None,
) -> bytes:
    """Return a network as a ``.tflite`` file with logits as output.

    Args:
        plan: Steps of the network.
        weights: See ``weights_of``.
        scaling: Scaling that the network applies to its input first, in float32.
        calibration: Images from which the ranges of all tensors are determined for int8, shape ``(images, height,
            width, channels)``; None for a float32 file.
    """
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, *plan.input.shape), tf.float32, name="image")])  # type: ignore[untyped-decorator]
    def network(image: Any) -> Any:
        if not scaling.does_nothing:
            image = image * tf.constant(scaling.factors, tf.float32) + tf.constant(scaling.offsets, tf.float32)
        return run(plan, weights, image)

    with _loud_libraries():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()], network)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[None]] for image in calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def run(plan: Plan, weights: Mapping[str, Weights], image: Any) -> Any:
    """Run the steps of a plan in TensorFlow.

    Args:
        plan: The steps.
        weights: See ``weights_of``.
        image: Shape ``(batch, height, width, channels)``.

    Returns:
        The logits, shape ``(batch, classes)``.
    """
    import tensorflow as tf

    values = {plan.input.number: image}
    for step in plan.steps:
        result = _run(step, weights.get(step.name), [values[x.number] for x in step.inputs])
        values[step.output.number] = tf.nn.relu(result) if step.relu else result
    return values[plan.output.number]


def _run(step: Step, weights: Weights | None, inputs: list[Any]) -> Any:
    import tensorflow as tf

    x = inputs[0]
    padding = "SAME" if step.same else "VALID"
    if weights is not None:
        kernel, bias = tf.constant(weights.scaled), tf.constant(weights.bias)
        match step.kind:
            case "convolution":
                x = tf.nn.conv2d(x, kernel, step.strides, padding)
            case "depthwise":
                x = tf.nn.depthwise_conv2d(x, kernel, (1, *step.strides, 1), padding)
            case "dense":
                x = tf.matmul(tf.reshape(x, (-1, step.input.size)), kernel)
        return tf.nn.bias_add(x, bias)
    match step.kind:
        case "max_pool":
            return tf.nn.max_pool2d(x, step.kernel, step.strides, padding)
        case "average_pool":
            return tf.nn.avg_pool2d(x, step.kernel, step.strides, padding)
        case "average":
            return tf.reduce_mean(x, (1, 2), keepdims=True)
        case "add":
            return inputs[0] + inputs[1]
        case "concatenate":
            return tf.concat(inputs, axis=-1)
        case "leaky_relu":
            return tf.nn.leaky_relu(x, SLOPE)
        case _:
            raise AssertionError(f"a step of kind {step.kind} has weights")


class Interpreter:
    """LiteRT's interpreter with its reference kernels.

    Args:
        content: Content of a ``.tflite`` file.
        keep: Whether all tensors can be read after a run.

    Raises:
        WorkError: if LiteRT cannot run the file.
    """

    def __init__(self, content: bytes, *, keep: bool = False) -> None:
        import tensorflow as tf

        with _loud_libraries():
            self.own = tf.lite.Interpreter(
                model_content=content,
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=keep,
            )
        try:
            self.own.allocate_tensors()
        except RuntimeError as error:
            # LiteRT refuses scales that its converter chose for a layer whose outputs are all 0.
            raise WorkError(
                f"LiteRT cannot run the converted network ({error}); if a layer is 0 for all training images, "
                'another candidate or `dtype="float32"` works'
            ) from None

    def logits(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the logits of the network for images.

        Args:
            images: Images of the input type of the file, shape ``(images, height, width, channels)``.

        Returns:
            Logits of the output type of the file, shape ``(images, classes)``.
        """
        (entry,), (end,) = self.own.get_input_details(), self.own.get_output_details()
        results = []
        for begin in range(0, len(images), _BATCH):
            part = images[begin : begin + _BATCH]
            self.own.resize_tensor_input(entry["index"], part.shape)
            self.own.allocate_tensors()
            self.own.set_tensor(entry["index"], part)
            self.own.invoke()
            results.append(self.own.get_tensor(end["index"]))
        return np.concatenate(results)


@contextmanager
def _loud_libraries() -> Iterator[None]:
    """Suppress the output and the warnings of the converter, none of which is about the code of tinysearch."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
