"""The architecture of imports: they run one way only, and what is slow to load is loaded late."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tinysearch
from tinysearch.results.store import Store

ROOT = Path(tinysearch.__file__).parent
# A room may import from itself and from the rooms after it.
# What others import of tinysearch comes first: its doors.
ROOMS: tuple[str, ...] = ("__main__", "cli", "executors", "testing", "keras_tuner", "api")
ROOMS += (
    "baselines",
    "deploy",
    "search",
    "workers",
    "training",
    "report",
    "results",
    "data",
    "space",
    "runtime",
    "errors",
)
HEAVY = ("tensorflow", "keras", "keras_tuner", "sklearn", "scipy", "plotly", "optuna", "ray")


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    above = ROOMS[: ROOMS.index(room(path))]
    ours = [name for name in imported(path) if name.split(".")[0] == "tinysearch"]
    assert [name for name in ours if name.split(".")[1] in above] == []


def test_rich_is_loaded_in_one_place_only() -> None:
    users = {
        path.relative_to(ROOT) for path in modules() if any(name.split(".")[0] == "rich" for name in imported(path))
    }
    assert users == {Path("runtime", "rich.py")}


def test_every_room_and_module_has_its_place_in_the_order() -> None:
    assert {room(path) for path in modules()} == set(ROOMS)


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {".".join(("tinysearch", *path.relative_to(ROOT).with_suffix("").parts)): path for path in modules()}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    needs = {
        name: {part for one in imported(path) for part in (one, one.rpartition(".")[0]) if part in names} - {name}
        for name, path in names.items()
    }
    # Modules that need none of the others are taken away until none is left, or all that are left need each other.
    while free := [name for name, found in needs.items() if not found & needs.keys()]:
        for name in free:
            del needs[name]
    assert needs == {}


def reported(code: str) -> Any:
    """Run some code in a fresh interpreter and return the JSON that it prints last.

    In it ``loaded()`` are the packages that were loaded.
    """
    before = "import json, sys\ndef loaded(): return sorted({name.split('.')[0] for name in sys.modules})\n"
    done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_tinysearch_loads_no_package_but_itself() -> None:
    assert {"numpy", "rich", "typer", *HEAVY}.isdisjoint(reported("import tinysearch; print(json.dumps(loaded()))"))


def test_only_the_builder_of_models_and_what_is_of_keras_tuner_load_tensorflow() -> None:
    # They come last: what is loaded stays loaded.
    heavy = {"build", "keras_tuner"}
    names = sorted(tinysearch.__all__, key=lambda name: name in heavy)
    code = f"import tinysearch\nfound = {{}}\nfor name in {names}: getattr(tinysearch, name); found[name] = loaded()\n"
    found = reported(f"{code}print(json.dumps(found))")
    assert {name for name in names if {"keras", "keras_tuner"} & set(found[name])} == heavy


COMMANDS = ("--help", "--version", "run --help", "reproduce --help", "leaderboard --help", "evaluate --help")
COMMANDS += ("cost baseline:conv", "cost baseline:conv --format json", "show baseline:inception")
COMMANDS += ("space --budget 10000", "leaderboard")


def test_commands_that_train_nothing_load_nothing_heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    Store(tmp_path / "store.db", create=True).close()
    code = f"""
from tinysearch.cli.app import main
found = {{}}
for words in {COMMANDS}:
    sys.argv = ["tinysearch", *words.split()]
    try:
        main()
    except SystemExit as ending:
        assert ending.code == 0, (words, ending.code)
    found[words] = loaded()
print(json.dumps(found))
"""
    found = reported(code)
    assert {words: set(HEAVY) & set(found[words]) for words in COMMANDS} == {words: set() for words in COMMANDS}
