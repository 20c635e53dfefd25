"""The int8 network as whole numbers, read from its ``.tflite`` file, so that C code agrees with it by construction.

Zero points, and real factors as a multiplier of 31 bits with a shift, follow Jacob et al. (2018). They are computed
from the file's scales as LiteRT's reference kernels compute them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.litert import Interpreter
from tinysearch.deploy.plan import SLOPE, Plan, Step, Tensor
from tinysearch.deploy.weights import Weights
from tinysearch.errors import WorkError

_OPERATIONS = {
    "convolution": "CONV_2D",
    "depthwise": "DEPTHWISE_CONV_2D",
    "dense": "FULLY_CONNECTED",
    "max_pool": "MAX_POOL_2D",
    "average_pool": "AVERAGE_POOL_2D",
    "average": "MEAN",
    "add": "ADD",
    "concatenate": "CONCATENATION",
    "leaky_relu": "LEAKY_RELU",
}
_POOLINGS = ("max_pool", "average_pool", "average")
_SAME_VALUES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
# Number of bits by which LiteRT shifts the inputs of an addition to the left.
_ADD_SHIFT = 20


class Scale(NamedTuple):
    """Scale of whole numbers: the real value of q is ``scale * (q - zero)``."""

    scale: float
    zero: int


class Factor(NamedTuple):
    """A real factor: ``multiplier * 2 ** (shift - 31)``."""

    multiplier: int
    shift: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The whole numbers of one step.

    Args:
        inputs, output: Scales of the tensors.
        weights: int8, outputs first; depthwise, outputs last.
        biases: int32, one per output.
        factors: One per output. Without weights: none for max and average pooling, else one per input; an addition
            also has one for the sum, a leaky_relu one for negative values.
        shares: Whether the step uses the weights of all steps with the same name of weights.
    """

    inputs: tuple[Scale, ...]
    output: Scale
    weights: npt.NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    biases: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    factors: tuple[Factor, ...] = ()
    shares: bool = True


def factor(real: float) -> Factor:
    """Return a real factor as a multiplier and a shift.

    >>> factor(0.25), factor(-3.0)
    (Factor(multiplier=1073741824, shift=-1), Factor(multiplier=-1610612736, shift=2))
    """
    fraction, shift = math.frexp(abs(real))
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift < -31:
        return Factor(0, 0)
    return Factor(-multiplier if real < 0 else multiplier, shift)


def scaled(value: int, by: Factor) -> int:
    """Return a whole number times a factor, rounded twice as LiteRT's reference kernels round.

    >>> scaled(10, factor(0.25)), scaled(-10, factor(0.25))
    (3, -3)
    """
    high = ((value << max(by.shift, 0)) * by.multiplier + 2**30) >> 31
    right = max(-by.shift, 0)
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def quantized(plan: Plan, weights: Mapping[str, Weights], content: bytes) -> dict[str, Numbers]:
    """Return the whole numbers of each step, by step name.

    Args:
        plan: The steps that the file was made from.
        weights: The weights that it was made from.
        content: The ``.tflite`` file.

    Raises:
        WorkError: if the operations of the file do not match the plan, which is a bug of tinysearch.
    """
    file = _File(content)
    place = {plan.input.number: file.entry}
    found: dict[str, Numbers] = {}
    for step in plan.steps:
        operation = file.operation(step, [place[x.number] for x in step.inputs], weights.get(step.name))
        place[step.output.number] = operation.output
        found[step.name] = _numbers(step, operation, file)
    return _shared(plan, found)


class _Operation(NamedTuple):
    """An operation of a file; ``origins`` are its inputs before they were reshaped or requantized."""

    name: str
    inputs: tuple[int, ...]
    origins: tuple[int, ...]
    output: int


class _File:
    """Content of a ``.tflite`` file."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(content).own
        self._details = {one["index"]: one for one in self._interpreter.get_tensor_details()}
        self.entry = self._interpreter.get_input_details()[0]["index"]
        origins: dict[int, int] = {}
        self._operations: list[_Operation] = []
        for one in self._interpreter._get_ops_details():
            inputs, output = tuple(int(index) for index in one["inputs"]), int(one["outputs"][0])
            found = tuple(origins.get(index, index) for index in inputs)
            if one["op_name"] in (*_SAME_VALUES, "QUANTIZE"):
                origins[output] = found[0]
            else:
                self._operations.append(_Operation(one["op_name"], inputs, found, output))
        self._taken: set[int] = set()
        self._done: dict[object, _Operation] = {}

    def operation(self, step: Step, inputs: list[int], weights: Weights | None) -> _Operation:
        """Return the operation that computes a step on tensors."""
        # Steps that compute the same on the same inputs share one operation.
        window = (step.kernel, step.strides, step.padding, step.same)
        doing = (step.kind, tuple(inputs), window, step.output.size)
        if weights is None and doing in self._done:
            return self._done[doing]
        fits = [
            number
            for number, one in enumerate(self._operations)
            if one.name == _OPERATIONS[step.kind]
            and list(one.origins[: len(inputs)]) == inputs
            and math.prod(self._details[one.output]["shape"]) == step.output.size
        ]
        if weights is not None and len(fits) > 1:
            fits = [number for number in fits if self._has(self._operations[number], step, weights)]
        # Steps with the same weights may share one operation too.
        again = fits[0] if fits and weights is not None else None
        chosen = next((number for number in fits if number not in self._taken), again)
        if chosen is None and step.kind in _POOLINGS and step.input.size == step.output.size:
            # A pooling of single pixels changes nothing, and the converter leaves it out.
            return _Operation(_OPERATIONS[step.kind], tuple(inputs), tuple(inputs), inputs[0])
        if chosen is None:
            raise WorkError(
                f"the converter has made an unexpected operation from the {step.kind} {step.name}; please report this "
                f"with the architecture"
            )
        self._taken.add(chosen)
        self._done[doing] = self._operations[chosen]
        return self._operations[chosen]

    def scale(self, index: int) -> Scale:
        """Return the scale of a tensor of activations."""
        scales, zeros = self.scales(index)
        return Scale(float(scales[0]), int(zeros[0]))

    def scales(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Return the scales and zero points of a tensor."""
        parameters = self._details[index]["quantization_parameters"]
        return parameters["scales"], parameters["zero_points"]

    def constant(self, index: int) -> npt.NDArray[Any]:
        """Return the values of a constant."""
        return np.array(self._interpreter.get_tensor(index))

    def _has(self, one: _Operation, step: Step, weights: Weights) -> bool:
        """Return whether an operation has these weights, within the precision of eight bits."""
        scales, _ = self.scales(one.inputs[1])
        values = outputs_first(step, self.constant(one.inputs[1]).astype(np.float64))
        wanted = outputs_first(step, _as_in_file(step, weights.scaled))
        if values.shape != wanted.shape:
            return False
        apart = np.abs(values * scales[:, None] - wanted)
        return bool((apart <= 0.51 * scales[:, None] + 1e-6 * np.abs(wanted).max()).all())


def _as_in_file(step: Step, kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a kernel in the layout of a file: outputs first; depthwise, outputs last."""
    match step.kind:
        case "convolution":
            return np.asarray(kernel.transpose(3, 0, 1, 2))
        case "depthwise":
            return np.asarray(kernel.reshape(1, *kernel.shape[:2], -1))
        case _:
            return np.asarray(kernel.T)


def outputs_first(step: Step, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the weights of a file as a matrix with one row per output."""
    outputs = step.output.shape[2]
    return values.reshape(-1, outputs).T if step.kind == "depthwise" else values.reshape(outputs, -1)


def _numbers(step: Step, operation: _Operation, file: _File) -> Numbers:
    inputs = tuple(file.scale(index) for index in operation.inputs[: len(step.inputs)])
    output = file.scale(operation.output)
    factors: tuple[Factor, ...] = ()
    match step.kind:
        case "convolution" | "depthwise" | "dense":
            return _weighted(step, operation, file, inputs[0], output)
        case "average":
            factors = (_averaging(inputs[0], output, math.prod(step.input.shape[:2])),)
        case "add":
            wide = 2 * max(one.scale for one in inputs)
            factors = tuple(factor(one.scale / wide) for one in inputs)
            factors = (*factors, factor(wide / (2**_ADD_SHIFT * output.scale)))
        case "leaky_relu":
            ratio = inputs[0].scale / output.scale
            slope = float(np.float32(SLOPE))
            factors = (factor(ratio), factor(ratio * slope))
        case "concatenate":
            inputs = tuple(file.scale(index) for index in operation.origins[: len(step.inputs)])
            factors = tuple(factor(one.scale / output.scale) for one in inputs)
    return Numbers(inputs, output, factors=factors)


def _weighted(step: Step, operation: _Operation, file: _File, entry: Scale, output: Scale) -> Numbers:
    scales, _ = file.scales(operation.inputs[1])
    # The file leaves out biases that are all zero.
    absent = len(operation.inputs) < 3 or operation.inputs[2] < 0
    biases = np.zeros(step.output.shape[2], np.int32) if absent else file.constant(operation.inputs[2]).reshape(-1)
    factors = tuple(factor(entry.scale * float(one) / output.scale) for one in np.broadcast_to(scales, len(biases)))
    return Numbers((entry,), output, file.constant(operation.inputs[1]).astype(np.int8), biases, factors)


def _averaging(entry: Scale, output: Scale, pixels: int) -> Factor:
    """Return the factor from a sum to a mean, divided in whole numbers as LiteRT divides it."""
    multiplier, shift = factor(entry.scale / output.scale)
    room = min(63 - (64 - pixels.bit_length()), 32, 31 + shift)
    return Factor((multiplier << room) // pixels, shift - room)


def _shared(plan: Plan, found: dict[str, Numbers]) -> dict[str, Numbers]:
    """Give steps that share weights one array of weights; changes of sign move to the factors.

    The converter scales the weights of a step in another way if all its inputs are zero. Such a step keeps its own.
    """
    owners: dict[str, npt.NDArray[np.int8]] = {}
    for step in plan.steps:
        numbers = found[step.name]
        if not step.weights:
            continue
        first = owners.setdefault(step.weights, numbers.weights)
        rows, ours = outputs_first(step, first).astype(np.int16), outputs_first(step, numbers.weights).astype(np.int16)
        signs = np.where((rows == ours).all(axis=1), 1, -1)
        if not (rows * signs[:, None] == ours).all():
            found[step.name] = dataclasses.replace(numbers, shares=False)
            continue
        factors = tuple(
            Factor(one.multiplier * int(sign), one.shift) for one, sign in zip(numbers.factors, signs, strict=True)
        )
        found[step.name] = dataclasses.replace(
            numbers, weights=first, biases=(numbers.biases * signs).astype(np.int32), factors=factors
        )
    return found


def scale_of(plan: Plan, numbers: Mapping[str, Numbers], tensor: Tensor) -> Scale:
    """Return the scale of a tensor."""
    for step in plan.steps:
        if step.output == tensor:
            return numbers[step.name].output
        if tensor in step.inputs and tensor == plan.input:
            return numbers[step.name].inputs[step.inputs.index(tensor)]
    raise AssertionError(f"no step makes tensor {tensor.number}")
