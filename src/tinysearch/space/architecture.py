"""Architectures as values: layers and head, independent of the dataset.

Every layer is frozen and validates itself. ``to_dict`` returns plain JSON values and ``from_dict`` reads them. Fields
that hold their default are left out, so that a field added later does not change the keys of architectures trained
before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from tinysearch.errors import ArchitectureError
from tinysearch.space.convolution import MAX_KERNEL, PADDINGS, BaseConvolution, Padding
from tinysearch.space.fields import (
    Sides,
    both,
    check_fields,
    keep_integer,
    keep_option,
    keep_sides,
    mapping,
    non_default_fields,
    plain_list,
)
from tinysearch.space.scalars import real


@dataclass(frozen=True, slots=True)
class Conv(BaseConvolution):
    """Standard convolution to ``filters`` channels, then activation and normalization.

    >>> Conv(20, kernel=7).to_dict()
    {'kind': 'conv', 'filters': 20, 'kernel': [7, 7]}
    """

    kind: ClassVar[str] = "conv"
    filters: int

    def __post_init__(self) -> None:
        super(Conv, self).__post_init__()
        keep_integer(self, "filters", 1, 4096)

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return _layer_to_dict(self)


@dataclass(frozen=True, slots=True)
class SeparableConv(BaseConvolution):
    """Depthwise convolution followed by a 1x1 convolution to ``filters`` channels (Chollet, 2017)."""

    kind: ClassVar[str] = "separable"
    filters: int

    def __post_init__(self) -> None:
        super(SeparableConv, self).__post_init__()
        self._check_one_stride()
        keep_integer(self, "filters", 1, 4096)

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return _layer_to_dict(self)


@dataclass(frozen=True, slots=True)
class DepthwiseConv(BaseConvolution):
    """Depthwise convolution: ``multiplier`` kernels, and as many output channels, per input channel."""

    kind: ClassVar[str] = "depthwise"
    multiplier: int = 1

    def __post_init__(self) -> None:
        super(DepthwiseConv, self).__post_init__()
        self._check_one_stride()
        keep_integer(self, "multiplier", 1, 64)

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return _layer_to_dict(self)


@dataclass(frozen=True, slots=True)
class Pool:
    """Max or average pooling.

    Args:
        mode: ``"max"`` or ``"average"``.
        size: Side of a square window in pixels, 1 to 11; or height and width.
        stride: Vertical and horizontal step: one integer for both, or a pair; 0 (the default) stands for ``size``.
        padding: ``"same"`` or ``"valid"``.

    >>> Pool("max", (2, 1)).to_dict(), Pool("max", (2, 2)) == Pool()
    ({'kind': 'pool', 'size': [2, 1]}, True)
    """

    kind: ClassVar[str] = "pool"
    mode: Literal["max", "average"] = "max"
    size: Sides = 2
    stride: Sides = 0
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        keep_option(self, "mode", ("max", "average"))
        keep_sides(self, "size", 1, MAX_KERNEL)
        keep_sides(self, "stride", 0, MAX_KERNEL)
        if isinstance(self.stride, tuple) and 0 in self.stride:
            raise ArchitectureError(f"both steps of a stride must be at least 1, got {self.stride!r}")
        keep_option(self, "padding", PADDINGS)
        if self.stride == self.size:
            object.__setattr__(self, "stride", 0)

    @property
    def step(self) -> Sides:
        """The stride in pixels."""
        return self.stride or self.size

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of the window."""
        return both(self.size)

    @property
    def strides(self) -> tuple[int, int]:
        """Vertical and horizontal step."""
        return both(self.step)

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return _layer_to_dict(self)


@dataclass(frozen=True, slots=True)
class Dropout:
    """Dropout of a fraction ``rate`` of the activations during training (Srivastava et al., 2014)."""

    kind: ClassVar[str] = "dropout"
    rate: float

    def __post_init__(self) -> None:
        rate = real(self.rate)
        if rate is None or not 0 <= rate < 1:
            raise ArchitectureError(f"a dropout rate is at least 0 and below 1, got {self.rate!r}")
        object.__setattr__(self, "rate", rate)

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain JSON values."""
        return _layer_to_dict(self)


@dataclass(frozen=True, slots=True)
class Inception:
    """Inception block: branches with the same input, concatenated along the channels (Szegedy et al., 2015)."""

    kind: ClassVar[str] = "inception"
    branches: tuple[tuple[Layer, ...], ...]

    def __post_init__(self) -> None:
        if not isinstance(self.branches, (tuple, list)) or not self.branches:
            raise ArchitectureError(f"an inception block needs at least one branch, got {self.branches!r}")
        object.__setattr__(self, "branches", tuple(_layers("a branch", branch) for branch in self.branches))

    def to_dict(self) -> dict[str, Any]:
        """Return the block as plain JSON values."""
        branches = [[layer.to_dict() for layer in branch] for branch in self.branches]
        return {"kind": self.kind, "branches": branches}


@dataclass(frozen=True, slots=True)
class Residual:
    """Residual block: its input plus the output of ``body``; both must have the same shape (He et al., 2016)."""

    kind: ClassVar[str] = "residual"
    body: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", _layers("the body of a residual block", self.body))

    def to_dict(self) -> dict[str, Any]:
        """Return the block as plain JSON values."""
        return {"kind": self.kind, "body": [layer.to_dict() for layer in self.body]}


Convolution = Conv | SeparableConv | DepthwiseConv
Layer = Convolution | Pool | Dropout | Inception | Residual
LAYER_KINDS: dict[str, type[Layer]] = {
    kind.kind: kind for kind in (Conv, SeparableConv, DepthwiseConv, Pool, Dropout, Inception, Residual)
}


@dataclass(frozen=True, slots=True)
class Head:
    """Classification head, from feature maps to class probabilities: a pooling, an optional hidden layer, a softmax.

    Args:
        pooling: ``"flatten"``, or the global ``"average"`` or ``"max"`` of each channel.
        hidden: Units of a dense hidden layer with relu; 0 for none.
    """

    pooling: Literal["flatten", "average", "max"] = "flatten"
    hidden: int = 0

    def __post_init__(self) -> None:
        keep_option(self, "pooling", ("flatten", "average", "max"), "head pooling")
        keep_integer(self, "hidden", 0, 4096, "hidden units")

    def to_dict(self) -> dict[str, Any]:
        """Return the head as plain JSON values."""
        return non_default_fields(self)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network as a value: its layers and its head.

    >>> tiny = Architecture((Conv(4, norm="before", bias=False), Pool()), Head("average"))
    >>> Architecture.from_dict(tiny.to_dict()) == tiny
    True
    """

    layers: tuple[Layer, ...]
    head: Head = field(default_factory=Head)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _layers("an architecture", self.layers))
        # A subclass would have the same key, whatever it does.
        if type(self.head) is not Head:
            raise ArchitectureError(f"the head of an architecture is a Head, got {self.head!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the architecture as plain JSON values."""
        return {"layers": [layer.to_dict() for layer in self.layers], "head": self.head.to_dict()}

    @classmethod
    def from_dict(cls, data: object) -> Architecture:
        """Create an architecture from plain JSON values.

        Raises:
            ArchitectureError: if a layer, a field or a value is unknown or out of range.
        """
        fields = mapping("an architecture", data)
        check_fields("an architecture", fields, {"layers", "head"})
        layers = plain_list("the layers of an architecture", fields.get("layers"))
        head = mapping("the head of an architecture", fields.get("head", {}))
        check_fields("the head of an architecture", head, {item.name for item in dataclasses.fields(Head)})
        return cls(tuple(layer_from_dict(layer) for layer in layers), Head(**head))

    @property
    def key(self) -> str:
        """Identifier of the architecture: twelve hexadecimal digits, identical for equal architectures."""
        return digest(self.to_dict())


def layer_from_dict(data: object) -> Layer:
    """Create a layer from plain JSON values.

    Raises:
        ArchitectureError: if the kind, a field or a value is unknown or out of range.
    """
    fields = dict(mapping("a layer", data))
    kind = fields.pop("kind", None)
    if not isinstance(kind, str) or kind not in LAYER_KINDS:
        raise ArchitectureError(f"a layer's kind is one of {', '.join(LAYER_KINDS)}; got {kind!r}")
    layer = LAYER_KINDS[kind]
    check_fields(f"a layer of kind {kind}", fields, {item.name for item in dataclasses.fields(layer)})
    if "branches" in fields:
        branches = plain_list("the branches of an inception block", fields["branches"])
        fields["branches"] = tuple(
            tuple(layer_from_dict(step) for step in plain_list("a branch", branch)) for branch in branches
        )
    if "body" in fields:
        body = plain_list("the body of a residual block", fields["body"])
        fields["body"] = tuple(layer_from_dict(step) for step in body)
    try:
        return layer(**fields)
    except TypeError as error:
        raise ArchitectureError(f"a layer of kind {kind} cannot be created from {fields}: {error}") from None


def digest(data: object) -> str:
    """Return a hash of plain JSON values: twelve hexadecimal digits (48 bits of SHA-256)."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _layer_to_dict(layer: Convolution | Pool | Dropout) -> dict[str, Any]:
    return {"kind": layer.kind, **non_default_fields(layer)}


def _layers(owner: str, layers: Any) -> tuple[Layer, ...]:
    if not isinstance(layers, (tuple, list)) or not layers:
        raise ArchitectureError(f"{owner} needs at least one layer, got {layers!r}")
    for layer in layers:
        if type(layer) not in LAYER_KINDS.values():
            raise ArchitectureError(f"{owner} must consist of layers ({', '.join(LAYER_KINDS)}), got {layer!r}")
    return tuple(layers)
