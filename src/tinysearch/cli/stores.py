"""The store or archive that a command reads, and its option in printed commands."""

from __future__ import annotations

from pathlib import Path

from tinysearch.errors import InputError


def store_words(store: Path | None) -> list[str]:
    """Return the words by which a printed command finds the given store; none for an archive: it takes no results."""
    from tinysearch.results.archive import SUFFIX

    return [] if store is None or store.suffix == SUFFIX else ["--store", str(store)]


def to_read(store: Path | None, reference: bool) -> Path:
    """Return the store or the archive that a command reads.

    Raises:
        InputError: if both a store and the reference results are named.
    """
    from tinysearch.results.archive import REFERENCE
    from tinysearch.results.store import default_path

    if not reference:
        return store or default_path()
    if store is not None:
        raise InputError(f"--reference and --store {store} name different results; give one of them")
    return REFERENCE
