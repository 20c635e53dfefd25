"""What GitHub runs and shows is well-formed, and is what the project says of itself."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

import tinysearch

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
FORMS = sorted(path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.name != "config.yml")
# Commands that set a machine up, or are GitHub's own.
SET_UP = re.compile(r"python -m pip (un)?install |sudo apt-get update |python -m build$|gh release create ")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = loaded(path)["jobs"]
    return found


def commands(path: Path) -> list[str]:
    """Return the commands of all jobs, those of a matrix with each of its values."""
    found = []
    for job in jobs(path).values():
        lines = [step["run"] for step in job["steps"] if "run" in step]
        for name, values in job.get("strategy", {}).get("matrix", {}).items():
            lines = [
                line.replace(f"${{{{ matrix.{name} }}}}", value)
                for line in lines
                for value in (values if f"matrix.{name} " in line else [""])
            ]
        found += lines
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_command_of_a_workflow_is_one_that_the_project_tells_of(path: Path) -> None:
    pages = ("README.md", "CONTRIBUTING.md", "docs/commands.md")
    told = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in pages)
    found = [command for command in commands(path) if not SET_UP.match(command)]
    assert found
    for command in found:
        script = re.match(r"python (\S+\.py)", command)
        if command.startswith("tinysearch "):
            assert f"tinysearch {command.split()[1]}" in told
        elif script:
            assert script[1] in told
            assert (ROOT / script[1]).is_file()
        else:
            assert command.removeprefix("python -m ") in told


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_needs_and_ends(path: Path) -> None:
    assert set(loaded(path)["permissions"]) == {"contents"}
    for job in jobs(path).values():
        assert job["timeout-minutes"] <= 60
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


def test_the_tests_run_on_each_system_with_the_oldest_and_the_newest_python() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    versions = re.findall(r"Python :: (3\.\d+)", project)
    matrix = jobs(GITHUB / "workflows" / "tests.yml")["systems"]["strategy"]["matrix"]
    assert matrix["python"] == [versions[0], versions[-1]]
    assert f'requires-python = ">={versions[0]}"' in project
    assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]


def test_there_is_a_job_on_jax_without_tensorflow_and_one_with_the_lowest_versions() -> None:
    found = jobs(GITHUB / "workflows" / "tests.yml")
    lines = [step.get("run", "") for step in found["without-tensorflow"]["steps"]]
    assert "python -m pip uninstall --yes tensorflow" in lines
    assert found["without-tensorflow"]["env"]["KERAS_BACKEND"] == "jax"
    assert any("--resolution lowest-direct" in step.get("run", "") for step in found["lowest-versions"]["steps"])


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_asks_for_something(path: Path) -> None:
    form = loaded(path)
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids)) >= 3
    assert all(field["attributes"]["label"] for field in form["body"])
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_the_citation_is_of_this_version() -> None:
    citation = loaded(ROOT / "CITATION.cff")
    assert citation["version"] == tinysearch.__version__
    assert citation["cff-version"] == "1.2.0"
    assert f"[{citation['version']}] - {citation['date-released']}" in (ROOT / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
    assert citation["title"].startswith("tinysearch")
    assert citation["authors"]


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    notes = runpy.run_path(str(ROOT / "tools" / "release_notes.py"))["notes"]
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- New.\n\n## [0.1.0]\n\n- First.\n"
    assert notes(changelog, "v0.2.0") == "- New."
    assert notes(changelog, "0.1.0") == "- First."
    for version in ("v0.3.0", "Unreleased"):
        with pytest.raises(ValueError, match="its sections: Unreleased"):
            notes(changelog, version)
    assert notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), tinysearch.__version__)


def test_the_hooks_of_a_commit_are_the_linters_of_the_workflow() -> None:
    hooks = [hook["entry"] for repo in loaded(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {" ".join(entry.split()[:2]) for entry in hooks} >= {"ruff check", "ruff format", "mypy"}
