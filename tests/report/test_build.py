from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.baselines.models import CONV, INCEPTION
from tinysearch.errors import RunError
from tinysearch.report.build import build
from tinysearch.report.contents import Report
from tinysearch.report.html import to_html
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.cost import Cost, cost
from tinysearch.space.task import Task

MakeRecord = Callable[..., Record]
Embedded = Callable[[str], Any]
LABELS = np.array([0, 1, 2, 0])
SETTINGS = {"trials": 3, "strategy": "evolution", "seed": 4, "lag": 2, "budget": {"params": 9_000}}


@pytest.fixture
def path(tmp_path: Path, make_record: MakeRecord) -> Path:
    """Return a store: a search with a failure and an evaluated winner, and a baseline that was evaluated."""
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS)
        store.create_run("models", "toy", "0123456789abcdef", {"kind": "reproduce"})
        store.append(make_record("aaa", trial=0, position=0, val_accuracy=0.8, rejections={"params": 2}))
        store.append(make_record("bbb", trial=1, position=1, failure="out of memory"))
        inception = {"architecture": INCEPTION.architecture, "cost": cost(INCEPTION.architecture, Task())}
        store.append(make_record("ccc", trial=2, position=2, val_accuracy=0.9, rejections={"params": 1}, **inception))
        store.note_rejections("first", {"duplicate": 5})
        store.finish("first")
        for seed in range(3):
            evaluated = {"purpose": "evaluation", "trial": None, "seed": seed, "test_fingerprint": "f" * 16}
            right = Predictions.of(LABELS, LABELS)
            wrong = Predictions.of(LABELS, np.array([0, 2, 2, 1 if seed else 0]))
            store.append(make_record("ccc", test_accuracy=1.0, **evaluated, **inception), right)
            name = "baseline:conv"
            model = {"architecture": CONV.architecture, "cost": cost(CONV.architecture, Task()), "origin": "baseline"}
            store.append(make_record("ddd", name=name, run="models", test_accuracy=0.5, **evaluated, **model), wrong)
    return path


@pytest.fixture
def report(path: Path) -> Report:
    images = np.zeros((4, 2, 3, 1), np.uint8)
    images[1, 0, 0] = 10
    with Store(path) as store:
        return build(store, documented={"baseline:conv": 0.992}, images={"f" * 16: images})


def test_every_candidate_is_there_with_its_run(report: Report) -> None:
    (section,) = report.sections
    assert [one.row.key for one in section.candidates] == ["ccc", "ddd", "aaa"]
    found = {one.row.key: one for one in section.candidates}
    assert (found["ccc"].strategy, found["ccc"].budget, found["ccc"].trial) == ("evolution", 9_000, 2)
    assert (found["ddd"].strategy, found["ddd"].budget) == (None, None)
    assert report.failed == 1


@pytest.mark.parametrize(("dataset", "documented"), [("mnist", 0.992), ("toy", None)])
def test_documented_figures_stand_beside_those_of_mnist_alone(
    dataset: str, documented: float | None, tmp_path: Path, make_record: MakeRecord, embedded: Embedded
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", dataset, "0123456789abcdef", SETTINGS)
        store.append(make_record("ddd", name="baseline:conv", origin="baseline", dataset=dataset, position=0))
        report = build(store, documented={"baseline:conv": 0.992})
    (section,) = report.sections
    assert [one.documented for one in section.candidates] == [documented]
    assert (">documented</button>" in to_html(report)) == (documented is not None)


def test_the_progress_of_a_search_is_its_best_so_far(report: Report) -> None:
    (search,) = report.sections[0].searches
    assert (search.run, search.budget, search.strategy, search.seed) == ("first", 9_000, "evolution", 4)
    assert list(search.best) == [0.8, 0.8, 0.9]
    assert list(search.seconds) == [2.5, 5.0, 7.5]
    assert search.rejections == {"params": 3, "duplicate": 5}
    assert search.failures == [("bbb", "out of memory")]
    assert search.finished


def test_answers_become_a_confusion_matrix_and_the_images_that_were_wrong(report: Report) -> None:
    conv = next(one for one in report.sections[0].candidates if one.row.key == "ddd")
    assert conv.test is not None
    assert conv.test.accuracies == {0: 0.5, 1: 0.5, 2: 0.5}
    assert conv.test.confusion == [[4, 2, 0], [0, 0, 3], [0, 0, 3]]
    first, second = conv.test.mistakes
    assert (first.index, first.label, first.predicted, first.times) == (1, 1, 2, 3)
    assert (second.index, second.label, second.predicted, second.times) == (3, 0, 1, 2)
    assert base64.b64decode(first.pixels) == bytes([255, 0, 0, 0, 0, 0])
    assert conv.test.side == (2, 3)


def test_networks_are_compared_with_documented_models_on_the_same_images(report: Report) -> None:
    found = {one.row.key: one for one in report.sections[0].candidates}
    (versus,) = found["ccc"].versus
    assert (versus.name, versus.seeds) == ("baseline:conv", 3)
    assert versus.mean == pytest.approx(7 / 12)
    assert versus.difference == pytest.approx(5 / 12)
    assert found["ddd"].versus == []


def test_how_a_documented_model_was_trained_otherwise_is_said(path: Path, make_record: MakeRecord) -> None:
    with Store(path) as store:
        for seed in range(3):
            given = {"recipe": {"epochs": 9, "optimizer": "adam"}, "purpose": "evaluation", "trial": None}
            given |= {"seed": seed, "test_accuracy": 0.25}
            wrong = Predictions.of(LABELS, np.array([1, 2, 2, 1]))
            record = make_record(
                "eee", name="baseline:conv", origin="baseline", run="models", test_fingerprint="f" * 16, **given
            )
            store.append(record, wrong)
        (section,) = build(store).sections
    found = next(one for one in section.candidates if one.row.key == "ccc")
    assert [(one.name, one.trained) for one in found.versus] == [
        ("baseline:conv", ""),
        ("baseline:conv", "with another recipe (adam), 9 epochs"),
    ]


def test_what_was_taken_over_stands_with_the_run_that_trained_it(path: Path, make_record: MakeRecord) -> None:
    with Store(path) as store:
        store.create_run("second", "toy", "0123456789abcdef", SETTINGS)
        store.append(make_record("aaa", run="second", position=0, val_accuracy=0.8, reused_from="first"))
        for seed in range(2):
            given = {"purpose": "evaluation", "trial": None, "seed": seed, "test_fingerprint": "f" * 16}
            store.append(make_record("aaa", run="second", test_accuracy=1.0, **given), Predictions.of(LABELS, LABELS))
        (section,) = build(store).sections
    found = next(one for one in section.candidates if one.row.key == "aaa")
    assert (found.row.run, found.row.test_seeds) == ("first", 2)
    assert found.test is not None
    assert found.test.accuracies == {0: 1.0, 1: 1.0}
    assert found.test.confusion
    assert found.versus


def test_layers_tell_their_windows_those_of_branches_too(report: Report) -> None:
    found = {one.row.key: {name: window for name, *_, window in one.layers} for one in report.sections[0].candidates}
    assert found["ddd"]["conv1"] == "7x7, same"
    assert found["ddd"]["pool2"] == "2x2"
    assert found["ccc"]["inception1_branch1_pool2"] == "2x2, stride 1"
    assert found["ccc"]["separable2"] == "3x3, stride 2"


def test_one_run_alone_can_be_reported(path: Path) -> None:
    with Store(path) as store:
        (section,) = build(store, ["models"]).sections
        with pytest.raises(RunError, match="nobody"):
            build(store, ["nobody"])
    assert [one.row.key for one in section.candidates] == ["ddd"]
    assert section.searches == []


def test_the_page_says_which_network_is_the_best_and_whether_that_is_more_than_noise(
    report: Report, embedded: Embedded
) -> None:
    page = to_html(report)
    assert "ccc</button> (3,077 parameters) reaches 100.00 ± 0.00 % (n=3) on the test images." in page
    assert "It is not significantly different from baseline:conv." in page
    assert '<th scope="col">against conv</th>' in page
    assert "<td>unclear (+41.67 ± 8.33)</td>" in page
    data = embedded(page)["sections"][0]
    assert len(data["candidates"]) == 3
    # The store does not say where the data of this run is.
    assert data["candidates"][0]["reproduce"] == "tinysearch reproduce ccc --seeds 3 --data DATA"


def test_the_networks_to_choose_from_are_the_best_of_each_size_and_the_hand_made_ones(
    path: Path, make_record: MakeRecord
) -> None:
    with Store(path) as store:
        given = {"purpose": "evaluation", "trial": None, "seed": 0, "test_fingerprint": "f" * 16}
        given |= {"architecture": CONV.architecture, "cost": cost(CONV.architecture, Task())}
        store.append(make_record("eee", test_accuracy=0.75, **given), Predictions.of(LABELS, np.array([0, 1, 2, 1])))
        page = to_html(build(store))
    table = re.findall(r'<table class="choice">.*?</table>', page, re.DOTALL)
    assert len(table) == 1
    # The new one is as large as the hand-designed baseline, and another one is smaller and better.
    assert re.findall(r'aria-label="open ([^"]*)"', table[0]) == ["ccc", "baseline:conv"]


@pytest.mark.parametrize("flash", [None, 12_345])
def test_the_networks_to_choose_from_have_their_flash_where_it_is_known(
    tmp_path: Path, make_record: MakeRecord, flash: int | None
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS)
        given = {"purpose": "evaluation", "trial": None, "test_fingerprint": "f" * 16}
        store.append(make_record(test_accuracy=0.998, cost=Cost(1_000, 8, 50_000, 3_000, 2_000, (), flash), **given))
        page = to_html(build(store))
    (table,) = re.findall(r'<table class="choice">.*?</table>', page, re.DOTALL)
    assert ("flash, bytes" in table, "weights, bytes" in table) == (flash is not None, flash is None)
    assert ('<td class="n">12.3k</td>' in table) == (flash is not None)
    assert ("the flash that the C code takes" in page) == (flash is not None)


@pytest.mark.parametrize(("validation", "said"), [(0.9985, False), (1.0, True)])
def test_a_validation_accuracy_far_above_that_on_test_images_is_said(
    tmp_path: Path, make_record: MakeRecord, validation: float, said: bool
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS)
        store.append(make_record(position=0, val_accuracy=validation))
        given = {"purpose": "evaluation", "trial": None, "test_fingerprint": "f" * 16}
        store.append(make_record(test_accuracy=0.998, **given))
        page = to_html(build(store))
    assert ("0.20 points above that on the test images. It was selected by this figure" in page) == said


def test_a_row_says_what_of_its_recipe_is_not_usual(tmp_path: Path, make_record: MakeRecord) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS)
        for position, size in enumerate((32, 32, 64)):
            recipe = {"name": f"recipe {position}", "epochs": 1, "batch_size": size}
            store.append(make_record(f"key{position}", position=position, recipe=recipe))
        page = to_html(build(store))
    rows = re.findall(r"<tr data-i=.*?</tr>", page, re.DOTALL)
    assert [("batch_size 64" in row, "batch_size 32" in row) for row in rows] == [(False, False)] * 2 + [(True, False)]
    assert ">documented</button>" not in page


def test_the_page_needs_nothing_from_elsewhere(report: Report) -> None:
    page = to_html(report)
    assert not re.search(r"<(script|img|iframe|link)[^>]*\b(src|href)=\"(?!data:)", page)
    assert len(page) < 6e6


def test_what_users_named_is_text_and_never_markup(tmp_path: Path, make_record: MakeRecord, embedded: Embedded) -> None:
    evil = "<script>alert(1)</script>"
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run(evil, evil, "0123456789abcdef", {**SETTINGS, "strategy": evil})
        given = {"run": evil, "dataset": evil, "provenance": {evil: evil}, "recipe": {"epochs": 1, evil: evil}}
        store.append(make_record(evil, position=0, **given))
        store.append(make_record("failed", position=1, failure=f"</script>{evil}", **given))
        page = to_html(build(store))
    assert evil not in page
    assert "</script><script>alert" not in page
    assert embedded(page)["sections"][0]["candidates"][0]["row"]["run"] == evil


@pytest.mark.parametrize("records", ["none", "one failed", "one"])
def test_little_is_a_report_too(records: str, tmp_path: Path, make_record: MakeRecord) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS)
        if records != "none":
            store.append(make_record(position=0, failure="out of memory" if records == "one failed" else None))
        page = to_html(build(store))
    expected = {"none": "tinysearch run", "one failed": "1 training failed", "one": "90.00 %"}[records]
    assert expected in page


@pytest.mark.parametrize(
    ("source", "words"), [({"path": "/data/toy", "size": [9, 9]}, ""), ({}, " --data DATA"), (None, " --data DATA")]
)
def test_what_was_never_tested_says_how_to(
    source: dict[str, Any] | None, words: str, tmp_path: Path, make_record: MakeRecord, embedded: Embedded
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("a run", "toy", "0123456789abcdef", SETTINGS, source)
        store.append(make_record(run="a run", position=0))
        page = to_html(build(store))
    assert f"<pre>tinysearch evaluate &#39;a run&#39;{words}</pre>" in page
    command = embedded(page)["sections"][0]["candidates"][0]["reproduce"]
    assert command == f"tinysearch reproduce aaaaaaaaaaaa --seeds 3{words}"


def test_baselines_are_trained_on_the_data_of_a_run_that_says_where_it_is(
    tmp_path: Path, make_record: MakeRecord
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", SETTINGS, {"path": "/data/toy"})
        store.append(make_record(dataset="toy", position=0))
        store.append(make_record(dataset="toy", purpose="evaluation", trial=None, test_accuracy=0.9))
        page = to_html(build(store))
    epochs = len(make_record().measurement.curve)
    assert f"<pre>tinysearch reproduce --seeds 3 --epochs {epochs} --run first</pre>" in page


def test_commands_name_the_store_and_the_epochs_where_they_must(tmp_path: Path, make_record: MakeRecord) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "digits", "0123456789abcdef", SETTINGS)
        store.append(make_record(dataset="digits", position=0))
        store.append(make_record(dataset="digits", purpose="evaluation", trial=None, test_accuracy=0.9))
        page = to_html(build(store, words=["--store", "my store.db"]))
    epochs = len(make_record().measurement.curve)
    assert (
        f"<pre>tinysearch reproduce --seeds 3 --epochs {epochs} --dataset digits --store &#39;my store.db&#39;</pre>"
    ) in page


def test_trainings_without_the_images_held_out_are_marked(path: Path, make_record: MakeRecord) -> None:
    with Store(path) as store:
        given = {"purpose": "evaluation", "trial": None, "test_fingerprint": "f" * 16}
        store.append(make_record("eee", run="models", test_accuracy=0.75, val_accuracy=None, **given))
        (section,) = build(store).sections
        page = to_html(build(store))
    marked = {one.row.key: one.test.held_out for one in section.candidates if one.test is not None}
    assert marked == {"ccc": True, "ddd": True, "eee": False}
    assert "100.00 ± 0.00 % (n=3) †" in page
    assert "75.00 % (n=1)</td>" in page
    assert "† trained without the validation images" in page


def test_documented_models_are_no_trials(path: Path, make_record: MakeRecord) -> None:
    with Store(path) as store:
        store.append(make_record("fff", name="baseline:conv", origin="baseline", trial=None, position=3))
        (section,) = build(store).sections
        page = to_html(build(store))
    (search,) = section.searches
    assert (len(search.best), search.baselines) == (3, 1)
    assert "3, plus 1 hand-designed" in page


# Objectives


def test_a_report_is_by_the_objective_of_its_runs_and_says_so(
    tmp_path: Path, make_record: MakeRecord, embedded: Embedded
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        for run, objective in (("macro", "macro_f1"), ("plain", "accuracy")):
            store.create_run(run, "toy", "0123456789abcdef", {**SETTINGS, "objective": objective, "direction": "max"})
        for place, (key, accuracy, macro) in enumerate((("aaa", 0.95, 0.49), ("bbb", 0.9, 0.85))):
            measured = {"val_accuracy": accuracy, "metrics": {"macro_f1": macro}, "earlier": (0.5,)}
            store.append(make_record(key, run="macro", trial=place, position=place, **measured))
            tested = {"purpose": "evaluation", "test_accuracy": accuracy, "test_metrics": {"macro_f1": macro}}
            store.append(make_record(key, run="macro", test_fingerprint="f" * 16, **tested))
        store.append(make_record("ccc", run="plain", position=0, val_accuracy=0.97))
        report, mixed = build(store, ["macro"]), build(store)
        by_metric, by_accuracy = build(store, metric="macro_f1"), build(store, ["macro"], metric="accuracy")
    (section,) = report.sections
    assert (section.metric, section.best.row.key, section.searches[0].best) == ("macro_f1", "bbb", [0.49, 0.85])
    assert section.best.curve["val_metric"] == [None, 0.85]
    page = to_html(report)
    assert "best by validation macro F1" in page
    assert "85.00 %" in page
    assert "Ranks are by macro F1," in page
    (data,) = embedded(page)["sections"]
    assert data["metric"] == {"title": "macro F1", "is_accuracy": False, "is_share": True, "sign": 1}
    assert [one["row"]["val_metric"] for one in data["candidates"]] == [0.85, 0.49]
    (section,) = mixed.sections
    assert (section.metric, section.best.row.key, section.mixed) == ("accuracy", "ccc", ("accuracy", "macro_f1"))
    assert [search.best for search in section.searches] == [[0.95, 0.95], [0.97]]
    assert "because the runs have different objectives (accuracy, macro_f1;" in to_html(mixed)
    assert [one.sections[0].best.row.key for one in (by_metric, by_accuracy)] == ["bbb", "aaa"]
    assert "different objectives" not in to_html(by_metric)


def test_a_report_by_an_objective_of_ones_own_writes_numbers_and_puts_the_least_first(
    tmp_path: Path, make_record: MakeRecord, embedded: Embedded
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        own = {**SETTINGS, "objective": "mine:<Cost>", "direction": "min"}
        store.create_run("own", "toy", "0123456789abcdef", own)
        for place, (key, cost) in enumerate((("aaa", 12.0), ("bbb", 2.5))):
            given = {"metrics": {"mine:<Cost>": cost}, "position": place, "trial": place}
            store.append(make_record(key, run="own", **given))
        report = build(store)
    (section,) = report.sections
    assert (section.best.row.key, section.searches[0].best) == ("bbb", [12.0, 2.5])
    page = to_html(report)
    assert "validation mine:&lt;Cost&gt;" in page
    assert "mine:<Cost>" not in page
    assert "has the lowest validation mine" in page
    assert embedded(page)["sections"][0]["metric"]["sign"] == -1
