"""Checkpoints, from which a training resumes after its last finished epoch with identical results."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.results.record import Epoch


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training after an epoch.

    Args:
        identity: Properties that a resumed training must share: candidate, seed, images, versions, threads.
        curve: The finished epochs.
        variables: All variables of model and optimizer, in Keras's order.
        rule: State of the learning-rate rule.
    """

    identity: Any
    curve: tuple[Epoch, ...]
    variables: Sequence[npt.NDArray[Any]]
    rule: Any = None

    def to_bytes(self) -> bytes:
        """Return the checkpoint as the bytes of an ``.npz`` file."""
        meta = {"identity": self.identity, "curve": [one.to_dict() for one in self.curve], "rule": self.rule}
        stream = io.BytesIO()
        np.savez(stream, json.dumps(meta), *self.variables)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, identity: Any) -> Checkpoint | None:
        """Read a checkpoint; return None if it is damaged or belongs to another training."""
        try:
            arrays = list(np.load(io.BytesIO(content), allow_pickle=False).values())
            meta = json.loads(str(arrays[0]))
            if meta["identity"] != json.loads(json.dumps(identity)):
                return None
            return cls(identity, tuple(Epoch(**one) for one in meta["curve"]), arrays[1:], meta["rule"])
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile):
            return None
