"""What a training needs to go on after its last whole epoch, with the numbers that it would have had."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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

    def save(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all.

        A training can do without: if there is no place for it, nothing is written.
        """
        meta = {"identity": self.identity, "curve": [one.to_dict() for one in self.curve], "rule": self.rule}
        part = path.with_suffix(".part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                np.savez(stream, json.dumps(meta), *self.variables)
            part.replace(path)

    @classmethod
    def load(cls, path: Path, identity: Any) -> Checkpoint | None:
        """Read a checkpoint; None if there is none, it is damaged, or it is not of this training."""
        try:
            with path.open("rb") as stream:
                arrays = list(np.load(stream, allow_pickle=False).values())
            meta = json.loads(str(arrays[0]))
            if meta["identity"] != json.loads(json.dumps(identity)):
                return None
            return cls(identity, tuple(Epoch(**one) for one in meta["curve"]), arrays[1:], meta["rule"])
        except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile):
            return None
