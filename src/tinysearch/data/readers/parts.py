"""Names of the parts of a dataset: in arrays, folders, files next to each other, and values of a column."""

from __future__ import annotations

# In lower case; the first name of each part is the recommended one.
NAMES = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test",),
}


def part_of(name: str) -> str | None:
    """Return the part that a name stands for, ignoring case; None if it stands for none.

    >>> part_of("Valid"), part_of("cat")
    ('validation', None)
    """
    return next((part for part, names in NAMES.items() if name.strip().lower() in names), None)
