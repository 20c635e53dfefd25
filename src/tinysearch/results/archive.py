"""Archives: runs and their records as JSON lines, to keep next to code or move to another machine.

The first line holds the format and its version. Each run is a line, followed by a line for each of its records. Damaged
lines are handled like damaged rows of a store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError
from tinysearch.results import upgrade
from tinysearch.results.damage import Damage, refuse, skipped
from tinysearch.results.record import Record
from tinysearch.results.rows import parsed, to_record, to_run
from tinysearch.results.run import Run
from tinysearch.results.runs import IN_MEMORY
from tinysearch.results.store import Store

SUFFIX = ".jsonl"
FORMAT = "tinysearch archive"
VERSION = 4
# Fields that a record takes from its run; an archive stores them with the run.
_OF_THE_RUN = ("objective", "direction")
REFERENCE = Path(__file__).parent / "reference" / f"records{SUFFIX}"


def write(store: Store, runs: Iterable[str], path: Path) -> int:
    """Write runs of a store to an archive.

    The archive leaves out predictions on test images, folder names of data sources, worker logs, and records that
    cannot be read.

    Returns:
        The number of records written.

    Raises:
        RunError: if a run is unknown.
        DamagedError: if one of the runs cannot be read.
        OSError: if the file cannot be written.
    """
    lines: list[dict[str, Any]] = [{"format": FORMAT, "version": VERSION}]
    written = 0
    for name in runs:
        run = store.run(name)
        lines.append({"run": {**asdict(run), "source": _without_folders(run.source)}})
        for record in store.records(name, all_needed=False):
            lines.append({"record": _plain(record)})
            written += 1
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines), encoding="utf-8")
    part.replace(path)
    return written


def open_to_read(path: Path) -> Store:
    """Open a store; a file whose name ends in ``.jsonl`` is read as an archive into a store in memory.

    Raises:
        StoreError: if the file cannot be used.
    """
    return read(path) if path.suffix == SUFFIX else Store(path)


def read(path: Path, *, all_needed: bool = False) -> Store:
    """Read an archive into a store in memory; changes to this store are not saved.

    Args:
        path: The archive.
        all_needed: Whether every line is needed; if not, lines that cannot be read are left out with a warning.

    Raises:
        StoreError: if the file cannot be read or is not an archive.
        DamagedError: if a line cannot be read and all are needed, or if no line can be read.
    """
    try:
        first, *lines = path.read_bytes().splitlines()
    except OSError as error:
        raise StoreError(f"the archive {path} cannot be read ({error.strerror}); name another file") from None
    except ValueError:
        first, lines = b"", []
    _check_is_archive(first, path)
    runs: dict[str, Run] = {}
    records: list[Record] = []
    damages: list[Damage] = []
    for number, line in enumerate(lines, start=2):
        try:
            one = _made_of(line)
            if isinstance(one, Run):
                if runs.setdefault(one.name, one) is not one:
                    raise ValueError(f"an earlier line holds run {one.name!r} already")
            elif one.run in runs:
                records.append(one)
            else:
                raise ValueError(f"no earlier line holds its run {one.run!r}")
        except ValueError as error:
            damages.append(Damage(f"line {number}", str(error)))
    if len(damages) == len(lines) or all_needed:
        refuse(path, damages)
    skipped(path, damages)
    store = Store(IN_MEMORY, create=True)
    store.add(runs.values(), records)
    return store


def _check_is_archive(first: bytes, path: Path) -> None:
    """Raise an error if the first line of a file is not that of an archive.

    Raises:
        StoreError: if the line has another format or a newer version.
    """
    try:
        says = parsed(first.decode(), "first line")
        if says["format"] == FORMAT and says["version"] <= VERSION:
            return
        reason = f"its first line is {json.dumps(says)[:80]}"
    except (ValueError, KeyError, TypeError):
        reason = f"its first line is {first[:80]!r}"
    raise StoreError(f"{path} is not an archive that this version can read: {reason}; 'tinysearch export' writes one")


def _made_of(line: bytes) -> Run | Record:
    """Return the run or record that a line holds.

    Raises:
        ValueError: if the line holds neither.
    """
    plain = parsed(line.decode(), "text")
    try:
        if "run" in plain:
            return to_run(upgrade.run(plain["run"]))
        return to_record(upgrade.record(plain["record"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is neither a run nor a record: {error!r}") from None


def _without_folders(source: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a data source with its path reduced to the file name, without the folders of this machine."""
    if source is None:
        return None
    path = source.get("path")
    return {**source, "path": Path(path).name} if isinstance(path, str) else dict(source)


def _plain(record: Record) -> dict[str, Any]:
    plain = {item.name: getattr(record, item.name) for item in fields(Record) if item.name not in _OF_THE_RUN}
    return {
        **plain,
        "architecture": record.architecture.to_dict(),
        "cost": record.cost.to_dict(),
        "measurement": replace(record.measurement, log="").to_dict(),
    }
