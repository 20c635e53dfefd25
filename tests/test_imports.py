"""The architecture of imports: they run one way only, and what is slow to load is loaded late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinysearch

ROOT = Path(tinysearch.__file__).parent
# A room may import from itself and from the rooms after it.
ROOMS = ("__main__", "cli", "api", "baselines", "search", "workers", "training", "report", "results", "data", "space")
ROOMS += ("runtime", "errors")
HEAVY = ("tensorflow", "keras", "keras_tuner", "sklearn", "scipy", "plotly")


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


def loaded(code: str) -> set[str]:
    """Return the packages that are loaded after some code was run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('loaded:', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_tinysearch_loads_no_package_but_itself() -> None:
    assert loaded("import tinysearch").isdisjoint({"numpy", "rich", "typer", *HEAVY})


@pytest.mark.parametrize("name", tinysearch.__all__)
def test_only_the_builder_of_models_loads_tensorflow(name: str) -> None:
    expected = {"keras"} if name == "build" else set()
    assert loaded(f"from tinysearch import {name}") & {"keras", "keras_tuner"} == expected


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["reproduce", "--help"],
        ["leaderboard", "--help"],
        ["evaluate", "--help"],
        ["cost", "baseline:conv"],
        ["cost", "baseline:conv", "--format", "json"],
        ["show", "baseline:inception"],
        ["space", "--budget", "10000"],
        ["leaderboard"],
    ],
    ids=" ".join,
)
def test_commands_that_train_nothing_load_nothing_heavy(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    code = f"""
import sys
from pathlib import Path
from tinysearch.cli.app import main
from tinysearch.results.store import Store
Store(Path({str(tmp_path / "store.db")!r}), create=True).close()
sys.argv = ["tinysearch", *{words!r}]
try:
    main()
except SystemExit as ending:
    assert ending.code == 0, ending.code
"""
    assert loaded(code).isdisjoint(HEAVY)
