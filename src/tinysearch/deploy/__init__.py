"""Deployment of trained networks to devices: as C code, for LiteRT, as ONNX or as SavedModel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinysearch.deploy.deployment import Deployment, deploy
    from tinysearch.deploy.trained import Trained

__all__ = ["Deployment", "Trained", "deploy"]

_LAZY = {
    "Deployment": "tinysearch.deploy.deployment",
    "Trained": "tinysearch.deploy.trained",
    "deploy": "tinysearch.deploy.deployment",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tinysearch.deploy' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
