from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tinysearch.cli.evaluations import front
from tinysearch.results.hypervolume import of_networks
from tinysearch.results.ranking import best_below, ranked
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Launch = Callable[..., subprocess.CompletedProcess[str]]
MakeRecord = Callable[..., Record]
COMMON = ("frontier", "--budgets", "1000,3000", "--epochs", 2, "--evaluate", 1, "--tune-recipe")
# What is trained does not matter here, how long it takes does.
COMMON += ("--folds", 1, "--space", Path(__file__).parents[1] / "shallow.json")
# One run for all budgets, and a run for each.
ONE = (*COMMON, "--trials", 6)
WORDS = (*COMMON, "--trials", 2, "--strategy", "bayesian")


@pytest.fixture
def swept(call: Launch, tiny: Path, once: Callable[..., Path], untrained: None, tmp_path: Path) -> Path:
    """Return a folder with a sweep over two budgets."""

    def sweep(folder: Path) -> Path:
        done = call(folder, *WORDS, "--data", tiny, "--plot", folder / "front.html")
        assert done.returncode == 0, done.stderr
        (folder / "stdout").write_text(done.stdout)
        (folder / "stderr").write_text(done.stderr)
        with Store(folder / "store.db") as store:
            (folder / "keys").write_text(" ".join(record.key for record in store.records()))
        return folder

    return Path(shutil.copytree(once(sweep), tmp_path / "swept"))


@pytest.fixture
def fronted(call: Launch, tiny: Path, once: Callable[..., Path], untrained: None, tmp_path: Path) -> Path:
    """Return a folder with a front from one run."""

    def search(folder: Path) -> Path:
        done = call(folder, *ONE, "--data", tiny, "--plot", folder / "front.html")
        assert done.returncode == 0, done.stderr
        (folder / "stdout").write_text(done.stdout)
        (folder / "stderr").write_text(done.stderr)
        return folder

    return Path(shutil.copytree(once(search), tmp_path / "fronted"))


def test_one_run_has_a_row_for_the_winner_below_each_budget_and_their_hypervolume(fronted: Path) -> None:
    text = (fronted / "stdout").read_text()
    with Store(fronted / "store.db") as store:
        assert [run.name for run in store.runs()] == ["frontier"]
        records = store.records("frontier")
    winners = best_below(records, (1_000, 3_000))
    assert {one.key for one in records if one.purpose == "evaluation"} == {one.first.key for one in winners.values()}
    assert sum(one.purpose == "search" for one in records) == 6
    for bound, won in winners.items():
        (row,) = (line for line in text.splitlines() if line.strip().startswith(f"{bound:,}"))
        assert won.first.key in row
        assert f"{won.params:,}" in row
    points = [(one.params, one.value or 0.0) for one in winners.values()]
    assert f"hypervolume {of_networks(points, (1_000, 3_000)):.3f}, " in " ".join(text.split())


def test_one_run_says_how_the_largest_winner_is_deployed(fronted: Path, tiny: Path) -> None:
    with Store(fronted / "store.db") as store:
        key = best_below(store.records("frontier"), (1_000, 3_000))[3_000].first.key
    assert f"tinysearch deploy {key} --run frontier --to c -o out" in (fronted / "stderr").read_text()


def test_what_is_limited_stands_in_the_table_of_a_front_in_full(make_record: MakeRecord) -> None:
    found = {1_000: [make_record("a" * 12, params=900)], 500: []}
    cost = found[1_000][0].cost
    console = Console(width=80, file=io.StringIO())
    console.print(front(found, {"flash_bytes", "peak_activation_bytes"}, console.width))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    heading, row, missing = text.splitlines()[1:4]
    assert "layers" not in heading
    assert re.search(r"below +params +RAM +flash +validation", heading)
    flash = "-" if cost.flash_bytes is None else f"{cost.flash_bytes:,}"
    assert row.split()[:4] == ["1,000", "900", f"{cost.peak_activation_bytes:,}", flash]
    assert missing.split()[0] == "500"
    assert "RAM and flash in bytes; a buffer for the image and the stack come on top of RAM" in " ".join(text.split())
    console = Console(width=80, file=io.StringIO())
    console.print(front(found))
    assert "RAM" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_one_run_says_what_it_is_about_to_do(fronted: Path) -> None:
    said = " ".join((fronted / "stderr").read_text().split())
    assert "the best below each of 1,000, 3,000 parameters" in said
    assert "6 trials by pareto" in said


def test_one_run_again_trains_nothing_and_more_trials_go_on(call: Launch, fronted: Path, tiny: Path) -> None:
    again = call(fronted, *ONE, "--data", tiny)
    assert again.returncode == 0, again.stderr
    assert again.stdout == (fronted / "stdout").read_text()
    assert not re.search(r"training \d+ of", again.stderr)
    more = call(fronted, "frontier", "--budgets", "1k,3k", "--trials", 7, "--data", tiny)
    assert more.returncode == 0, more.stderr
    with Store(fronted / "store.db") as store:
        settings, records = store.run("frontier").settings, store.records("frontier")
    assert (settings["trials"], settings["recipe"]["epochs"], settings["evaluate"]) == (7, 2, 1)
    assert sum(one.purpose == "search" for one in records) == 7


def test_the_plot_of_one_run_has_every_candidate_once(fronted: Path) -> None:
    text = (fronted / "front.html").read_text()
    with Store(fronted / "store.db") as store:
        keys = {one.key for one in store.records("frontier")}
    assert all(key in text for key in keys)


def test_no_hypervolume_is_shown_of_an_objective_that_is_no_share(make_record: MakeRecord) -> None:
    cost = {"objective": "mine:Cost", "direction": "min"}
    found = {1_000: [make_record("a" * 12, params=900, metrics={"mine:Cost": 3.0}, **cost)]}
    console = Console(width=120, file=io.StringIO())
    console.print(front(found))
    assert "hypervolume" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_each_budget_is_a_run_and_the_best_winner_below_it_a_row(swept: Path) -> None:
    text = (swept / "stdout").read_text()
    winners = []
    with Store(swept / "store.db") as store:
        for bound in (1_000, 3_000):
            records = store.records(f"frontier-{bound}")
            searched = [record for record in records if record.purpose == "search"]
            (evaluated,) = (record for record in records if record.purpose == "evaluation")
            assert len(searched) == 2
            assert all(record.cost.params < bound for record in searched)
            (won,) = (record for record in searched if record.key == evaluated.key)
            winners.append(won)
            first = ranked(winners)[0].first
            (row,) = (line for line in text.splitlines() if line.strip().startswith(f"{bound:,}"))
            assert first.key in row
            assert f"{first.cost.params:,}" in row


def test_where_each_budget_is_a_run_it_says_that_others_follow(swept: Path) -> None:
    first, second = (swept / "stderr").read_text().split("below 3,000 parameters")[:2]
    assert "1 more follows; the expected time is for this one only" in first
    assert "the expected time is for this one only" not in second


def test_a_small_network_that_is_better_is_the_best_below_a_larger_budget_too(make_record: MakeRecord) -> None:
    records = {
        3_000: [make_record("a" * 12, params=2_500, val_accuracy=0.98)],
        1_000: [make_record("b" * 12, params=900, val_accuracy=0.99), make_record("c" * 12, params=950)],
        800: [make_record("d" * 12, params=700, val_accuracy=0.97)],
        10: [],
    }
    console = Console(width=120, file=io.StringIO())
    console.print(front(records))
    rows = console.file.getvalue().splitlines()[2:]
    keys = ["b" * 12, "b" * 12, "d" * 12]
    assert [key in row for key, row in zip(keys, rows, strict=False)] == [True] * 3
    assert rows[3].split() == ["10", "-", "-", "-"]


@pytest.mark.usefixtures("untrained")
def test_the_best_is_deployed_from_the_run_that_has_found_it(tinysearch: Launch, tiny: Path, tmp_path: Path) -> None:
    done = tinysearch(*COMMON, "--trials", 1, "--strategy", "random", "--seed", 3, "--data", tiny)
    assert done.returncode == 0, done.stderr
    found = re.search(r"tinysearch deploy (\w+) --run (\S+) ", done.stderr)
    assert found is not None
    assert found[2] == "frontier-1000"
    with Store(tmp_path / "store.db") as store:
        assert found[1] in {one.key for one in store.records(found[2])}


def test_the_second_begins_with_what_was_best_in_the_first(swept: Path) -> None:
    with Store(swept / "store.db") as store:
        first, second = (store.records(f"frontier-{bound}") for bound in (1_000, 3_000))
        starts = store.run("frontier-3000").settings["initial_candidates"]
        assert store.run("frontier-1000").settings["warm_start_trials"] == []
        assert store.run("frontier-3000").settings["warm_start_trials"] == [["frontier-1000", 2]]
    assert 1 <= len(starts) <= 2
    searched = [record for record in second if record.purpose == "search"]
    assert searched[0].architecture.to_dict() == starts[0]["architecture"]
    assert searched[0].recipe == starts[0]["recipe"]
    best = ranked(record for record in first if record.purpose == "search")[0].first
    assert len(best.architecture.layers) == len(searched[0].architecture.layers)


def test_the_same_command_again_trains_nothing_and_says_the_same(call: Launch, swept: Path, tiny: Path) -> None:
    again = call(swept, *WORDS, "--data", tiny)
    assert again.returncode == 0, again.stderr
    assert again.stdout == (swept / "stdout").read_text()
    assert not re.search(r"training \d+ of", again.stderr)


def test_more_trials_go_on_with_all_else_as_it_began(call: Launch, swept: Path, tiny: Path) -> None:
    more = call(swept, "frontier", "--budgets", "1000,3000", "--trials", 3, "--data", tiny)
    assert more.returncode == 0, more.stderr
    with Store(swept / "store.db") as store:
        for bound in (1_000, 3_000):
            settings = store.run(f"frontier-{bound}").settings
            assert (settings["trials"], settings["recipe"]["epochs"], settings["evaluate"]) == (3, 2, 1)
            assert sum(record.purpose == "search" for record in store.records(f"frontier-{bound}")) == 3


def test_a_front_learns_from_another_run_too(call: Launch, swept: Path, tiny: Path) -> None:
    words = (
        "--budgets",
        2000,
        "--trials",
        1,
        "--epochs",
        1,
        "--evaluate",
        0,
        "--folds",
        1,
        "--learn-from",
        "frontier-1000",
    )
    done = call(swept, "frontier", *words, "--name", "other", "--data", tiny)
    assert done.returncode == 0, done.stderr
    with Store(swept / "store.db") as store:
        ((lesson, *_),) = store.run("other").settings["warm_start_trials"]
    assert lesson == "frontier-1000"


def test_budgets_below_the_smallest_network_are_refused_before_anything_is_trained(light: Launch, tiny: Path) -> None:
    done = light("frontier", "--budgets", "3000,15", "--data", tiny)
    assert done.returncode == 2
    assert "the smallest one has 21" in done.stderr


@pytest.mark.parametrize("budgets", ["3000,abc", "3000,3000", "0,5"])
def test_budgets_that_make_no_sense_are_refused(light: Launch, budgets: str) -> None:
    done = light("frontier", "--budgets", budgets)
    assert done.returncode == 2
    assert budgets.split(",")[-1] in done.stderr


def test_the_plot_has_every_candidate_and_needs_no_network(swept: Path) -> None:
    text = (swept / "front.html").read_text()
    assert all(key in text for key in (swept / "keys").read_text().split())
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", text)


def test_where_a_plot_cannot_be_written_is_said_before_anything_is_trained(call: Launch, tmp_path: Path) -> None:
    done = call(tmp_path, *WORDS, "--plot", "no/such/folder/front.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no/such/folder" in done.stderr
    assert not (tmp_path / "store.db").exists()
