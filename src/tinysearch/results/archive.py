"""Archives: runs and their records as JSON lines, to be kept beside code or carried to another machine.

The first line says what the file is. Each run is a line, followed by a line for each of its records.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError
from tinysearch.results import upgrade
from tinysearch.results.record import Measurement, Record, Run
from tinysearch.results.store import IN_MEMORY, Store
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost

SUFFIX = ".jsonl"
FORMAT = "tinysearch archive"
VERSION = 2
REFERENCE = Path(__file__).parent / "reference" / f"records{SUFFIX}"


def write(store: Store, runs: Iterable[str], path: Path) -> int:
    """Write runs of a store to an archive.

    What the networks predicted on test images is not written.

    Returns:
        How many records were written.

    Raises:
        RunError: if a run is unknown.
        OSError: if the file cannot be written.
    """
    lines: list[dict[str, Any]] = [{"format": FORMAT, "version": VERSION}]
    written = 0
    for name in runs:
        lines.append({"run": asdict(store.run(name))})
        for record in store.records(name):
            lines.append({"record": _plain(record)})
            written += 1
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines), encoding="utf-8")
    part.replace(path)
    return written


def open_to_read(path: Path) -> Store:
    """Open a store, or an archive as one, by the ending of its name.

    Raises:
        StoreError: if it cannot be used.
    """
    return read(path) if path.suffix == SUFFIX else Store(path)


def read(path: Path) -> Store:
    """Return a store in memory with what an archive holds; nothing that is written to it is kept.

    Raises:
        StoreError: if the file cannot be read, or is no archive.
    """
    try:
        first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if first.get("format") != FORMAT or first["version"] > VERSION:
            raise ValueError(f"its first line is {json.dumps(first)[:80]}")
        parsed = [
            Run(**upgrade.run(line["run"])) if "run" in line else _record(upgrade.record(line["record"]))
            for line in lines
        ]
    except OSError as error:
        raise StoreError(f"the archive {path} cannot be read ({error.strerror}); name another file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} is no archive that this tinysearch can read ({type(error).__name__}: {error}); 'tinysearch "
            f"export' writes one"
        ) from None
    store = Store(IN_MEMORY, create=True)
    store.add([one for one in parsed if isinstance(one, Run)], [one for one in parsed if isinstance(one, Record)])
    return store


def _plain(record: Record) -> dict[str, Any]:
    plain = {item.name: getattr(record, item.name) for item in fields(Record)}
    return {
        **plain,
        "architecture": record.architecture.to_dict(),
        "cost": record.cost.to_dict(),
        "measurement": replace(record.measurement, log="").to_dict(),
    }


def _record(data: dict[str, Any]) -> Record:
    values = {
        "architecture": Architecture.from_dict(data["architecture"]),
        "cost": Cost.from_dict(data["cost"]),
        "measurement": Measurement.from_dict(data["measurement"]),
    }
    return Record(**{**data, **values})
