"""Comparison of images: duplicates, shared groups, and statistics of values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Channel, Images, pixel_statistics
from tinysearch.data.storage import chunks

# Number of evenly spaced images from which statistics are computed.
_SAMPLE = 4_096
_DIGEST = 8
_BYTE = 255


@dataclass(frozen=True, slots=True)
class Pairs:
    """Images that are identical to other images.

    Args:
        count: Number of such images in the part that is examined.
        examples: Pairs of numbers of a few identical images.
        disagreeing: Number of images whose label differs from that of an identical image.
        disagreement: Numbers of one such pair.
    """

    count: int
    examples: tuple[tuple[int, int], ...] = ()
    disagreeing: int = 0
    disagreement: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Copies:
    """Hashes of the images of a part: equal for equal images, whatever their type.

    Args:
        marks: Hash of each image, 64 bits.
        labels: Label of each image.
        constant: Number of images in which all values are equal.
        first_constant: Number of the first of these; -1 if there are none.
    """

    marks: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int32] = field(repr=False)
    constant: int = 0
    first_constant: int = -1

    @property
    def total(self) -> int:
        """Number of images."""
        return len(self.marks)

    def repeated(self) -> Pairs:
        """Return the images that are identical to an earlier one."""
        order = np.argsort(self.marks, kind="stable")
        marks, labels = self.marks[order], self.labels[order]
        again = np.flatnonzero(marks[1:] == marks[:-1]) + 1
        if not len(again):
            return Pairs(0)
        begins = np.maximum.accumulate(np.where(np.r_[True, marks[1:] != marks[:-1]], np.arange(len(marks)), 0))
        firsts = begins[again]
        unlike = labels[again] != labels[firsts]
        disagreement = (0, 0)
        if unlike.any():
            place = int(np.flatnonzero(unlike)[0])
            disagreement = (int(order[firsts[place]]), int(order[again[place]]))
        examples = tuple((int(order[one]), int(order[two])) for one, two in zip(firsts[:4], again[:4], strict=True))
        return Pairs(len(again), examples, int(unlike.sum()), disagreement)

    def shared_with(self, other: Copies) -> Pairs:
        """Return the images of another part that this part has too, with pairs of numbers (here, there) as examples."""
        there = np.flatnonzero(np.isin(other.marks, self.marks))
        examples = tuple((int(np.flatnonzero(self.marks == other.marks[row])[0]), int(row)) for row in there[:4])
        return Pairs(len(there), examples)


@dataclass(frozen=True)
class Groups:
    """Groups of a part, with the number of images of each.

    Args:
        names: Distinct groups, numbers or texts, shape ``(groups,)``.
        sizes: Number of images of each group, shape ``(groups,)``.
    """

    names: npt.NDArray[np.generic]
    sizes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, groups: npt.NDArray[np.generic]) -> Groups:
        """Count the images of each group; images whose group is NaN belong to none."""
        names, sizes = np.unique(groups, return_counts=True)
        # NaN is not equal to itself.
        there = names == names
        return cls(names[there], sizes[there])

    @property
    def total(self) -> int:
        """Number of images that belong to a group."""
        return int(self.sizes.sum())

    def shared_with(self, other: Groups) -> tuple[list[str], int]:
        """Return the groups that another part has too, and the number of images of this part in these groups."""
        names, others = self.names, other.names
        if "U" in (names.dtype.kind, others.dtype.kind):
            # The other part may come from another file, with texts instead of numbers.
            names, others = names.astype(str), others.astype(str)
        both = np.isin(names, others)
        return [str(name) for name in self.names[both]], int(self.sizes[both].sum())


def copies(images: Images) -> Copies:
    """Return hashes of images, reading about 32 MiB at a time."""
    marks = np.empty(len(images), np.uint64)
    constant, first = 0, -1
    for part in chunks(images.pixels):
        chunk: Any = np.asarray(images.pixels[part])
        flat = chunk.reshape(len(chunk), -1)
        same = flat.min(axis=1) == flat.max(axis=1)
        if same.any() and first < 0:
            first = part.start + int(np.flatnonzero(same)[0])
        constant += int(same.sum())
        # Whole numbers are hashed as bytes, because another part may store the same values as floats.
        whole = ((flat == np.rint(flat)) & (flat >= 0) & (flat <= _BYTE)).all(axis=1)
        rows, small = np.ascontiguousarray(flat), flat.astype(np.uint8) if whole.any() else flat
        for number in range(len(rows)):
            row = small[number] if whole[number] else rows[number]
            digest = hashlib.blake2b(row.data, digest_size=_DIGEST).digest()
            marks[part.start + number] = int.from_bytes(digest, "little")
    return Copies(marks, images.labels, constant, first)


def same_channels(images: Images) -> bool:
    """Whether there are three channels, equal in a sample of up to 4,096 images, as in grey pictures stored as RGB."""
    if images.pixels.shape[3] != 3:
        return False
    values = _sampled(images)[0]
    return bool((values == values[..., :1]).all())


def figures(images: Images) -> Channel:
    """Return the statistics over all channels together, of a sample of up to 4,096 images."""
    values, labels = _sampled(images)
    return pixel_statistics(Images(values.reshape(len(values), -1, 1, 1), labels))[0]


def _sampled(images: Images) -> tuple[Any, Any]:
    """Return pixels and labels of up to 4,096 evenly spaced images."""
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), _SAMPLE)).astype(np.int64))
    return np.asarray(images.pixels[rows]), images.labels[rows]
