"""Findings about a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinysearch.deploy.evidence import Comparison
from tinysearch.deploy.fit import Fit, Prediction


@dataclass
class Findings:
    """Comparisons, sizes, checks and notes of a deployment.

    Args:
        comparisons: Comparisons with Keras, by format and type, such as ``"LiteRT int8"``.
        sizes: Bytes, by processor and optimization level.
        predicted: Predicted flash and RAM of C code, by processor; empty for other targets.
        instructions: Instructions per inference, by processor and optimization level.
        checks: Results of checks, in words.
        notes: Notes in words, such as which check was not possible and why.
        litert_bytes: Size of the LiteRT file that the int8 C code agrees with.
        image_bytes: Bytes of an input image in memory, as the C code reads it.
        fit: Verdict on each build against the limits of the runs that found the network.
        all_checked: Whether the verdicts are about each limit of these runs.
        verdict: The verdicts as lines of text.
    """

    comparisons: dict[str, Comparison] = field(default_factory=dict)
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    predicted: dict[str, Prediction] = field(default_factory=dict)
    instructions: dict[str, int] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    litert_bytes: int | None = None
    image_bytes: int | None = None
    fit: tuple[Fit, ...] = ()
    all_checked: bool = True
    verdict: list[str] = field(default_factory=list)
