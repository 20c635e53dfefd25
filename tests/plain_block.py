"""A block of the search space as the value that a draw gives, for tests that change some of it."""

from __future__ import annotations

from typing import Any

PLAIN: dict[str, Any] = {
    "kind": "conv",
    "filters": 4,
    "kernel": "3x1",
    "stride": 2,
    "padding": "valid",
    "activation": "leaky_relu",
    "norm": "after",
    "bias": False,
    "repeat": 1,
    "shortcut": False,
    "pool": "none",
    "dropout": 0.0,
}
