from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.results.folders import folder, old_folder
from tinysearch.results.store import Store

STORE = Path("runs", "exp.db")


@pytest.mark.parametrize("run", ["mnist-10000-1", "a", "7", "v1.2_b"])
def test_a_plain_name_is_that_of_the_folder(run: str) -> None:
    assert folder(STORE, run) == Path("runs", "exp.db-runs", run)


def test_stores_in_one_folder_share_none_of_their_runs() -> None:
    stores = [Path("runs", name) for name in ("exp.db", "exp.sqlite", "exp", "exp.db.old")]
    assert len({folder(store, "mine") for store in stores}) == len(stores)


def test_no_two_names_share_a_folder_even_where_case_does_not_count() -> None:
    names = [
        "exp",
        "Exp",
        "EXP",
        "exp.",
        "exp ",
        " exp",
        "exp/1",
        "exp 1",
        "exp-1",
        "../exp",
        "..",
        ".",
        "é",
        "aux",
        "AUX",
    ]
    names += [folder(STORE, name).name for name in names]
    found = {folder(STORE, name).name.casefold() for name in dict.fromkeys(names)}
    assert len(found) == len(set(names))


@pytest.mark.parametrize(
    "run",
    ["aux", "con", "Nul", "com1", "lpt9.txt", "prn.", "ends.", "ends ", "a:b", "a\\b", "a/b", "..", "-"],
)
def test_a_name_that_windows_does_not_take_is_not_that_of_the_folder(run: str) -> None:
    name = folder(STORE, run).name
    assert name.split(".")[0] not in ("aux", "con", "nul", "com1", "lpt9", "prn")
    assert name[-1] not in ". "
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.+")


def test_a_run_of_an_earlier_version_keeps_its_folder_and_a_new_one_gets_another(tmp_path: Path) -> None:
    path = tmp_path / "exp.db"
    old_folder(path, "before").mkdir(parents=True)
    assert old_folder(path, "before") == tmp_path / "exp-models" / "before"
    with Store(path, create=True) as store:
        # Another store may have left it.
        assert store.folder_of("before") == folder(path, "before")
        store.create_run("before", "toy", "0123456789abcdef", {})
        assert store.folder_of("before") == old_folder(path, "before")
        folder(path, "before").mkdir(parents=True)
        assert store.folder_of("before") == folder(path, "before")
