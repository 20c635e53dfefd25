"""The results that come with tinysearch: whole, traceable, and what docs/results.md shows."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.report.text import to_markdown
from tinysearch.results.archive import REFERENCE, read
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

MODELS = sorted(REFERENCE.parent.glob("*.keras"))
RESULTS = Path(__file__).parents[2] / "docs" / "results.md"
TOOL = Path(__file__).parents[2] / "tools" / "reference.py"
COMMAND = "leaderboard --reference --tested --sort params --format markdown"


@pytest.fixture(scope="module")
def records() -> list[Record]:
    with read(REFERENCE) as store:
        return store.records()


def test_every_figure_can_be_traced(records: list[Record]) -> None:
    assert records
    assert {record.fingerprint for record in records if record.dataset == "mnist"} == {"5dae7b7cfc491af0"}
    for record in records:
        assert record.provenance["commit"]
        assert {"tensorflow", "keras", "numpy", "python"} <= record.provenance.keys()
        assert record.key == Candidate(record.architecture, Recipe.from_dict(record.recipe)).key
        # Figures layer by layer are counted again where they are shown.
        counted = cost(record.architecture, Task())
        assert record.cost == dataclasses.replace(counted, layers=record.cost.layers)


def test_searches_stayed_below_their_budget_and_saw_no_test_image(records: list[Record]) -> None:
    with read(REFERENCE) as store:
        budgets = {run.name: run.settings["budget"]["params"] for run in store.runs() if "budget" in run.settings}
    for record in records:
        if record.run in budgets:
            assert record.cost.params < budgets[record.run]
        if record.purpose == "search":
            assert record.test_accuracy is None


def test_what_was_tested_was_trained_with_several_seeds_to_its_last_epoch(records: list[Record]) -> None:
    seeds: dict[tuple[str, str], list[int]] = {}
    for record in records:
        if record.purpose == "evaluation":
            seeds.setdefault((record.run, record.key), []).append(record.seed)
            assert len(record.measurement.curve) == record.recipe["epochs"] == 10
    for found in seeds.values():
        assert len(found) >= 3
        assert sorted(found) == list(range(len(found)))


def test_the_page_shows_the_table_that_the_command_prints(
    light: Callable[..., subprocess.CompletedProcess],
) -> None:
    with read(REFERENCE) as store:
        splits = {run.name: run.split for run in store.runs()}
        table = to_markdown(rank(store.summaries(), sort="params", tested=True, splits=splits))
    assert f"<!-- tinysearch {COMMAND} -->\n{table}<!-- end -->\n" in RESULTS.read_text(encoding="utf-8")
    assert light(*COMMAND.split()).stdout == table


def test_candidates_can_be_shown_by_their_key(light: Callable[..., subprocess.CompletedProcess]) -> None:
    rows = json.loads(light(*COMMAND.split()[:-1], "json").stdout)
    done = light("show", rows[0]["key"], "--reference")
    assert done.returncode == 0
    assert rows[0]["layers"] in done.stdout


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_are_small_and_loaded_by_keras_alone(path: Path, records: list[Record]) -> None:
    from tinysearch.runtime.backend import load_keras

    load_keras()
    import keras

    record = next(one for one in records if one.key == path.stem and one.purpose == "evaluation")
    assert path.stat().st_size < 100_000
    model = keras.saving.load_model(path, custom_objects={})
    assert model.count_params() == record.cost.params
    assert not model.compiled
    assert not re.search(r"tinysearch[.>]", model.to_json())


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_earlier_versions_of_keras_know_each_argument_of_a_model(path: Path) -> None:
    with zipfile.ZipFile(path) as model:
        config = model.read("config.json").decode()
    assert [name for name in runpy.run_path(str(TOOL))["NEWER"] if f'"{name}"' in config] == []


def test_there_is_a_model_for_all_that_was_evaluated_in_a_search(records: list[Record]) -> None:
    wanted = {one.key for one in records if one.purpose == "evaluation" and one.origin == "search"}
    assert {path.stem for path in MODELS} == wanted
