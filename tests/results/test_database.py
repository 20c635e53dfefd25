"""Disks on which SQLite cannot do what it usually does, several threads, and files that were closed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import StoreError, StoreWriteError, TinySearchWarning
from tinysearch.results.record import Record
from tinysearch.results.store import Store

MakeRecord = Callable[..., Record]
EARLIER = Path(__file__).parents[1] / "earlier" / "store-4.sql"


@pytest.fixture
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have SQLite lock by files, with which there is no write-ahead log: as on some network disks."""
    connect = sqlite3.connect

    def by_files(path: str, **given: Any) -> sqlite3.Connection:
        return connect(f"file:{path}?vfs=unix-dotfile", **{**given, "uri": True})

    monkeypatch.setattr(sqlite3, "connect", by_files)


@pytest.mark.usefixtures("no_shared_memory")
@pytest.mark.skipif(os.name != "posix", reason="SQLite has no such locks here")
def test_without_a_write_ahead_log_a_rollback_journal_is_kept_and_said(tmp_path: Path, make_record: MakeRecord) -> None:
    path = tmp_path / "store.db"
    with pytest.warns(TinySearchWarning, match=r"store\.db.*rollback journal"):
        store = Store(path, create=True)
    with store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        store.append(make_record("a"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Store(path) as again:
            assert [record.key for record in again.records()] == ["a"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Return a folder, and what makes it a place where nothing can be written."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name != "posix":
        pytest.skip("folders cannot be closed to writing here")
    if os.geteuid() != 0:
        yield folder, lambda: folder.chmod(0o500)
        folder.chmod(0o700)
        return
    # Permissions do not bind root.
    mount = ["mount", "-t", "tmpfs", "tmpfs", folder]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,ro", folder], check=True) and None
    subprocess.run(["umount", folder], check=True)


Disk = tuple[Path, Callable[[], None]]


def test_a_store_where_nothing_can_be_written_is_read(disk: Disk, make_record: MakeRecord) -> None:
    folder, close = disk
    path = folder / "store.db"
    with Store(path, create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        store.append(make_record("a"))
        stored = store.records()
    close()
    with Store(path) as store:
        assert store.records() == stored
        assert [one.key for one in store.summaries()] == ["a"]
        with pytest.raises(StoreWriteError, match="readonly"):
            store.append(make_record("b"))
    with pytest.raises(StoreError, match=r"store\.db"):
        Store(path, create=True)
    assert [one.name for one in folder.iterdir()] == ["store.db"]


def test_one_of_an_earlier_version_is_read_as_the_present_one_and_stays_as_it_is(
    disk: Disk, tmp_path: Path, make_record: MakeRecord
) -> None:
    folder, close = disk
    path = folder / "store.db"
    connection = sqlite3.connect(path)
    connection.executescript(EARLIER.read_text(encoding="utf-8"))
    connection.close()
    before = path.read_bytes()
    with Store(Path(shutil.copy(path, tmp_path / "writable.db"))) as store:
        expected = store.records()
    close()
    with Store(path) as store:
        assert store.records() == expected
        with pytest.raises(StoreWriteError, match="readonly"):
            store.append(make_record("b", run="done"))
    assert path.read_bytes() == before


def test_one_that_was_not_closed_is_not_read_without_its_log(
    disk: Disk, tmp_path: Path, make_record: MakeRecord
) -> None:
    folder, close = disk
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        for name in ("store.db", "store.db-wal"):
            shutil.copy(tmp_path / name, folder)
    close()
    with pytest.raises(StoreError, match=r"store\.db-wal.*copy both"):
        Store(folder / "store.db")


def test_threads_write_and_read_at_once(tmp_path: Path, make_record: MakeRecord) -> None:
    def use(number: int) -> None:
        for place in range(20):
            store.append(make_record(f"{number}-{place}", seed=number))
            assert {record.seed for record in store.records("first")} <= {0, 1, 2, 3}

    with ThreadPoolExecutor(4) as threads:
        store = threads.submit(Store, tmp_path / "store.db", create=True).result()
        store.create_run("first", "toy", "0123456789abcdef", {})
        list(threads.map(use, range(4)))
    assert len(store.records()) == 80
    store.close()


def test_what_was_closed_says_so(tmp_path: Path, make_record: MakeRecord) -> None:
    store = Store(tmp_path / "store.db", create=True)
    store.close()
    store.close()
    for use in (store.records, store.summaries, lambda: store.append(make_record())):
        with pytest.raises(StoreError, match=r"store\.db was closed; open it, or the study, again"):
            use()
