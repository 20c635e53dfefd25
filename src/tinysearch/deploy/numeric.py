"""The two numeric types of C code: int8, computed as LiteRT does, and float32."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from tinysearch.deploy.entry import Entry
from tinysearch.deploy.plan import Plan, Step
from tinysearch.deploy.quantized import Factor, Numbers, scale_of
from tinysearch.deploy.scaling import Scaling
from tinysearch.deploy.source import Call, Conversion, Table, address, plain, window
from tinysearch.deploy.weights import Weights


class Int8:
    """C calls that compute in int8.

    Args:
        plan: The steps.
        numbers: Whole numbers of each step, see ``quantized``.
        entry: Conversion of pixels to the int8 input.
        bytes_in: Whether pixels are bytes.
    """

    folder = "int8"
    value = "int8_t"

    def __init__(self, plan: Plan, numbers: Mapping[str, Numbers], entry: Entry, *, bytes_in: bool) -> None:
        self._plan = plan
        self._numbers = numbers
        logits = scale_of(plan, numbers, plan.output)
        self.definitions: Mapping[str, object] = {
            "MODEL_LOGIT_SCALE": f"{plain(logits.scale)}f",
            "MODEL_LOGIT_ZERO": logits.zero,
        }
        self.pixel = "uint8_t" if bytes_in else "float"
        self.conversion = entry.conversion(bytes_in=bytes_in)

    def calls(self, step: Step) -> Iterator[Call]:
        """Yield the calls of a step."""
        numbers = self._numbers[step.name]
        ends = {"input": address(self._plan, step.input), "output": address(self._plan, step.output)}
        zeros = {"input_zero": str(numbers.inputs[0].zero), "output_zero": str(numbers.output.zero)}
        match step.kind:
            case "convolution" | "depthwise" | "dense":
                yield self._weighted(step, numbers, ends, zeros)
            case "max_pool" | "average_pool":
                yield Call(step.kind, step.name, {**ends, "window": window(step)})
            case "average":
                height, width, channels = step.input.shape
                counts = {"pixels": str(height * width), "channels": str(channels)}
                yield Call("average", step.name, {**ends, **_factor("", numbers.factors[0]), **counts, **zeros})
            case "add":
                yield self._added(step, numbers)
            case "concatenate":
                yield from self._concatenated(step, numbers)
            case "leaky_relu":
                factors = {**_factor("", numbers.factors[0]), **_factor("negative_", numbers.factors[1])}
                fields = {"values": ends["output"], **factors, "count": str(step.output.size), **zeros}
                yield Call("leaky_relu", step.name, fields)

    def _weighted(self, step: Step, numbers: Numbers, ends: dict[str, str], zeros: dict[str, str]) -> Call:
        owner = step.weights if step.weights and numbers.shares else step.name
        weights = Table("int8_t", f"{owner}_weights", numbers.weights)
        multipliers = np.array([one.multiplier for one in numbers.factors], np.int32)
        shifts = np.array([one.shift for one in numbers.factors], np.int8)
        tables = {
            "weights": weights,
            "biases": Table("int32_t", f"{step.name}_biases", numbers.biases),
            "multipliers": Table("int32_t", f"{step.name}_multipliers", multipliers),
            "shifts": Table("int8_t", f"{step.name}_shifts", shifts),
        }
        lowest = max(-128, numbers.output.zero) if step.relu else -128
        pointers = {name: table.name for name, table in tables.items()}
        fields = {**ends, **pointers, "window": window(step), **zeros, "lowest": str(lowest)}
        fields |= _own(step)
        if step.kind != "depthwise":
            fields["dense"] = str(int(step.kind == "dense"))
        function = "convolution" if step.kind == "dense" else step.kind
        return Call(function, step.name, fields, tuple(tables.values()))

    def _added(self, step: Step, numbers: Numbers) -> Call:
        left, right = step.inputs
        factors = zip(("left_", "right_", "output_"), numbers.factors, strict=True)
        fields = {
            "left": address(self._plan, left),
            "right": address(self._plan, right),
            "output": address(self._plan, step.output),
            "count": str(step.output.size),
            "left_zero": str(numbers.inputs[0].zero),
            "right_zero": str(numbers.inputs[1].zero),
            "output_zero": str(numbers.output.zero),
        }
        for name, one in factors:
            fields |= _factor(name, one)
        return Call("add", step.name, fields)

    def _concatenated(self, step: Step, numbers: Numbers) -> Iterator[Call]:
        begin = self._plan.offset(step.output)
        for index, (x, scale, factor) in enumerate(zip(step.inputs, numbers.inputs, numbers.factors, strict=True)):
            fields = {
                "input": address(self._plan, x),
                "output": f"arena + {begin}",
                **_factor("", factor),
                "pixels": str(math.prod(x.shape[:2])),
                "channels": str(x.shape[2]),
                "all_channels": str(step.output.shape[2]),
                "input_zero": str(scale.zero),
                "output_zero": str(numbers.output.zero),
            }
            yield Call("concatenate", f"{step.name}_{index}", fields)
            begin += x.shape[2]


class Float32:
    """C calls that compute in float32.

    Args:
        plan: The steps.
        weights: Weights of each step, see ``weights_of``.
        scaling: Scaling that the network applies to pixels.
        bytes_in: Whether pixels are bytes.
    """

    folder = "float32"
    value = "float"

    def __init__(self, plan: Plan, weights: Mapping[str, Weights], scaling: Scaling, *, bytes_in: bool) -> None:
        self._plan = plan
        self._weights = weights
        uses = [step.weights for step in plan.steps if step.weights]
        self._shared = {name for name in uses if uses.count(name) > 1}
        self.definitions: Mapping[str, object] = {}
        self.pixel = "uint8_t" if bytes_in else "float"
        self.conversion = Conversion("(float)image[i]", "each pixel as it is")
        if not scaling.does_nothing:
            numbers = (
                Table("float", "input_factors", np.array(scaling.factors, np.float32)),
                Table("float", "input_offsets", np.array(scaling.offsets, np.float32)),
            )
            self.conversion = Conversion.of("(float)image[i] * {factors} + {offsets}", scaling.words, numbers)

    def calls(self, step: Step) -> Iterator[Call]:
        """Yield the calls of a step."""
        ends = {"input": address(self._plan, step.input), "output": address(self._plan, step.output)}
        match step.kind:
            case "convolution" | "depthwise" | "dense":
                yield self._weighted(step, ends)
            case "max_pool" | "average_pool":
                yield Call(step.kind, step.name, {**ends, "window": window(step)})
            case "average":
                height, width, channels = step.input.shape
                yield Call("average", step.name, {**ends, "pixels": str(height * width), "channels": str(channels)})
            case "add":
                right = {"right": address(self._plan, step.inputs[1])}
                fields = {"left": ends["input"], **right, "output": ends["output"], "count": str(step.output.size)}
                yield Call("add", step.name, fields)
            case "concatenate":
                yield from self._concatenated(step)
            case "leaky_relu":
                yield Call("leaky_relu", step.name, {"values": ends["output"], "count": str(step.output.size)})

    def _weighted(self, step: Step, ends: dict[str, str]) -> Call:
        weights = self._weights[step.name]
        shared = step.weights in self._shared
        kernel = weights.kernel if shared else weights.scaled
        if step.kind == "convolution":
            kernel = kernel.transpose(3, 0, 1, 2)
        elif step.kind == "dense":
            kernel = kernel.T
        tables = {"weights": Table("float", f"{step.weights or step.name}_weights", kernel)}
        if shared:
            tables["gains"] = Table("float", f"{step.name}_gains", weights.gain)
        tables["biases"] = Table("float", f"{step.name}_biases", weights.bias)
        pointers = {"gains": "0", **{name: table.name for name, table in tables.items()}}
        function = "convolution" if step.kind == "dense" else step.kind
        fields = {**ends, **pointers, "window": window(step), "relu": str(int(step.relu)), **_own(step)}
        return Call(function, step.name, fields, tuple(tables.values()))

    def _concatenated(self, step: Step) -> Iterator[Call]:
        begin = self._plan.offset(step.output)
        for index, x in enumerate(step.inputs):
            fields = {
                "input": address(self._plan, x),
                "output": f"arena + {begin}",
                "pixels": str(math.prod(x.shape[:2])),
                "channels": str(x.shape[2]),
                "all_channels": str(step.output.shape[2]),
            }
            yield Call("concatenate", f"{step.name}_{index}", fields)
            begin += x.shape[2]


def _own(step: Step) -> dict[str, str]:
    """Return the fields that only depthwise convolutions have."""
    return {"multiple": str(step.output.shape[2] // step.input.shape[2])} if step.kind == "depthwise" else {}


def _factor(name: str, factor: Factor) -> dict[str, str]:
    return {f"{name}multiplier": str(factor.multiplier), f"{name}shift": str(factor.shift)}
