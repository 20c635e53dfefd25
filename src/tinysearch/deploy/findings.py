"""What is found out about what was deployed."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinysearch.deploy.evidence import Comparison
from tinysearch.deploy.fit import Fit, Prediction


@dataclass
class Findings:
    """What is known of what was deployed.

    Args:
        comparisons: With Keras, by what was compared.
        sizes: Bytes, by processor and level of optimization.
        predicted: What C code takes by arithmetic, by processor; empty for what is no C code.
        instructions: Of one inference, by processor and level of optimization.
        checks: What was checked, in words.
        notes: What could not be checked, and why.
        litert_bytes: Size of the LiteRT file that C code in int8 agrees with.
        image_bytes: Memory that an image takes as C code reads it.
        fit: Whether what was built is within the limits of the runs that have found the network, build by build.
        verdict: The same in lines of text.
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
    verdict: list[str] = field(default_factory=list)
