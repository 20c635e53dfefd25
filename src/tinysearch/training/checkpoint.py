"""What a training needs to go on after its last whole epoch, with the numbers that it would have had."""

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
        identity: What the training must have in common with the one that goes on: candidate, seed, versions, threads.
        curve: The epochs so far.
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
        """Read a checkpoint; None if it is damaged, or not of this training."""
        try:
            arrays = list(np.load(io.BytesIO(content), allow_pickle=False).values())
            meta = json.loads(str(arrays[0]))
            if meta["identity"] != json.loads(json.dumps(identity)):
                return None
            return cls(identity, tuple(Epoch(**one) for one in meta["curve"]), arrays[1:], meta["rule"])
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile):
            return None
