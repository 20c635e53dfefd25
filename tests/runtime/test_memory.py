from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.runtime import memory
from tinysearch.runtime.memory import left_by_limits, usable_memory, worker_bytes

GIGABYTE = 10**9


def groups(root: Path, lines: str, **files: dict[str, object]) -> Path:
    """Write files of control groups below a folder that stands for the root; ``a__b`` is the folder ``a/b``."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    for folder, contents in files.items():
        path = root / "sys/fs/cgroup" / folder.replace("__", "/").strip("/")
        path.mkdir(parents=True, exist_ok=True)
        for name, value in contents.items():
            (path / name.replace("_dot_", ".")).write_text(f"{value}\n")
    return root


def version_2(limit: object, usage: int = 0, cached: int = 0) -> dict[str, object]:
    stat = f"anon {usage - cached}\ninactive_file {cached}"
    return {"memory.max": limit, "memory.current": usage, "memory.stat": stat}


def test_the_tightest_limit_on_the_way_to_the_root_counts(tmp_path: Path) -> None:
    root = groups(
        tmp_path,
        "0::/slice/service\n",
        slice=version_2(2 * GIGABYTE, usage=GIGABYTE // 2),
        slice__service=version_2("max"),
    )
    assert list(left_by_limits(root)) == [GIGABYTE * 3 // 2]


def test_what_is_only_cached_of_files_does_not_count_as_taken(tmp_path: Path) -> None:
    root = groups(tmp_path, "0::/own\n", own=version_2(2 * GIGABYTE, usage=GIGABYTE, cached=GIGABYTE // 2))
    assert list(left_by_limits(root)) == [GIGABYTE * 3 // 2]


def test_a_container_that_is_told_the_path_of_its_host_finds_its_limit_at_the_top(tmp_path: Path) -> None:
    root = groups(tmp_path, "0::/../../docker/1a2b\n", **{"": version_2(GIGABYTE)})
    assert list(left_by_limits(root)) == [GIGABYTE]


def test_limits_of_the_first_version_count_too(tmp_path: Path) -> None:
    root = groups(
        tmp_path,
        "9:name=systemd:/\n4:hugetlb,memory:/pod/own\n0::/\n",
        memory={"memory.limit_in_bytes": 2**63 - 4096, "memory.usage_in_bytes": 5},
        memory__pod__own={
            "memory.limit_in_bytes": GIGABYTE,
            "memory.usage_in_bytes": 400,
            "memory.stat": "inactive_file 7\ntotal_inactive_file 100",
        },
    )
    assert list(left_by_limits(root)) == [2**63 - 4096 - 5, GIGABYTE - 300]


@pytest.mark.parametrize("lines", ["", "4:cpu:/\n", "0::/gone\n"])
def test_where_there_are_no_limits_there_are_none(lines: str, tmp_path: Path) -> None:
    assert list(left_by_limits(groups(tmp_path, lines))) == []
    assert list(left_by_limits(tmp_path / "no such system")) == []


def test_what_can_be_used_is_what_limits_and_system_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    without = usable_memory()
    assert without > 0
    monkeypatch.setattr(memory, "left_by_limits", lambda: [without, GIGABYTE])
    assert usable_memory() <= GIGABYTE
    monkeypatch.setattr(memory, "left_by_limits", lambda: [5])
    assert usable_memory() <= 5


def test_a_worker_takes_more_the_more_images_it_has() -> None:
    assert worker_bytes(GIGABYTE // 10) - worker_bytes(0) >= GIGABYTE // 5


def test_images_that_stay_on_disk_are_shared_however_many_they_are() -> None:
    assert worker_bytes(100 * GIGABYTE) == worker_bytes(GIGABYTE) < 2 * GIGABYTE
