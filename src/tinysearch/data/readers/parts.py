"""How parts of a dataset are called: arrays, folders, files beside each other, and values of a column."""

from __future__ import annotations

# In lower case; the first of each is the one to recommend.
NAMES = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test",),
}


def part_of(name: str) -> str | None:
    """Return the part that a name stands for, in any case; None if it is no name of a part.

    >>> part_of("Valid"), part_of("cat")
    ('validation', None)
    """
    return next((part for part, names in NAMES.items() if name.strip().lower() in names), None)
