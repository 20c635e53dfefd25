"""The report as a person finds it in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.baselines.models import CONV, INCEPTION
from tinysearch.report.build import build
from tinysearch.report.html import to_html
from tinysearch.results.archive import REFERENCE, read
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
EXECUTABLE = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory, make_record: Callable[..., Record]) -> Path:
    """Write the report of a search of 1,000 candidates with an evaluated winner and hand-designed baselines."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    space = SearchSpace()
    networks = [INCEPTION.architecture, *(space.sample(rng) for _ in range(40))]
    settings = {"trials": 1_000, "strategy": "evolution", "seed": 0, "lag": 2, "budget": {"params": 10_000}}
    with Store(folder / "store.db", create=True) as store:
        store.create_run("search", "mnist", "0123456789abcdef", settings)
        store.create_run("<script>alert(1)</script>", "mnist", "0123456789abcdef", {"kind": "reproduce"})
        records = []
        for trial in range(1_000):
            network = networks[trial % len(networks)]
            found = {"architecture": network, "cost": cost(network, Task()), "run": "search"}
            scores = {"val_accuracy": 0.97 + 0.02 * rng.random(), "earlier": tuple(rng.random(9))}
            records.append(make_record(f"{trial:012d}", trial=trial, position=trial, **scores, **found))
        store.add([], records)
        labels = np.arange(200) % 10
        winner = max(records, key=lambda record: record.score)
        conv = {"architecture": CONV.architecture, "cost": cost(CONV.architecture, Task())}
        for seed in range(3):
            guesses = labels.copy()
            guesses[rng.integers(200, size=4)] = 3
            given = {"purpose": "evaluation", "trial": None, "seed": seed, "test_fingerprint": "f" * 16}
            predictions = Predictions.of(labels, guesses)
            accuracy = float((guesses == labels).mean())
            own = {"architecture": winner.architecture, "cost": winner.cost, "run": "search"}
            store.append(make_record(winner.key, test_accuracy=accuracy, **given, **own), predictions)
            theirs = {**conv, "run": "<script>alert(1)</script>", "name": "baseline:conv", "origin": "baseline"}
            store.append(make_record("cccccccccccc", test_accuracy=accuracy, **given, **theirs), predictions)
        images = rng.integers(0, 255, (200, 28, 28, 1)).astype(np.uint8)
        made = build(store, documented={"baseline:conv": 0.992}, images={"f" * 16: images})
    path = folder / "report.html"
    path.write_text(to_html(made), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def real_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the searches on MNIST that come with tinysearch."""
    path = tmp_path_factory.mktemp("reference") / "report.html"
    with read(REFERENCE) as store:
        path.write_text(to_html(build(store, documented={"baseline:conv": 0.992})), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(needs: Callable[..., None]) -> Iterator[Any]:
    needs(EXECUTABLE, f"a browser ({', '.join(BROWSERS)})", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self._heard(message))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: self.problems.append(f"alert: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(".scatter .main-svg")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def column(self, number: int) -> list[str]:
        cells = f".board tbody tr:not([hidden]) td:nth-child({number})"
        return [text.strip() for text in self.page.locator(cells).all_inner_texts()]


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Opened]:
    opened = Opened(browser, page_file, viewport={"width": 1440, "height": 900})
    yield opened
    assert opened.problems == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    opened.context.close()


def test_it_opens_without_errors_or_requests_and_has_every_candidate(opened: Opened, page_file: Path) -> None:
    assert page_file.stat().st_size < 6_000_000
    assert len(opened.column(1)) == 1_001
    assert opened.page.title() == "tinysearch: all results"


def test_the_table_is_sorted_by_any_column_both_ways(opened: Opened) -> None:
    button = opened.page.get_by_role("button", name="parameters")
    for direction, reverse in (("ascending", False), ("descending", True)):
        button.click()
        shown = [int(text.split(" ")[0].replace(",", "")) for text in opened.column(6)]
        assert shown == sorted(shown, reverse=reverse)
        assert opened.page.locator(f"th[aria-sort={direction}]").inner_text().startswith("parameters")
    opened.page.get_by_role("button", name="test", exact=True).click()
    assert "n=3" in opened.column(4)[0]
    assert opened.column(4)[-1] == "-"


def test_the_table_is_filtered_by_words_origin_and_test(opened: Opened) -> None:
    opened.page.locator(".f-text").fill("00000000001 search")
    assert set(opened.column(2)) == {f"{number:012d}" for number in (1, *range(10, 20))}
    assert opened.page.locator(".shown").inner_text() == "11 of 1001 candidates"
    opened.page.locator(".f-text").fill("")
    opened.page.locator(".f-origin").select_option("baseline")
    assert opened.column(2) == ["baseline:conv"]
    opened.page.locator(".f-origin").select_option("")
    opened.page.locator(".f-tested").check()
    assert len(opened.column(2)) == 2


def test_a_point_tells_its_layers_when_it_is_hovered_and_opens_when_it_is_clicked(opened: Opened) -> None:
    point = opened.page.locator(".scatter .trace.scatter").nth(2).locator("path.point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.page.wait_for_selector(".hovertext")
    assert "c20k7 M c10k5 M" in opened.page.locator(".hovertext").first.text_content()
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.page.wait_for_selector("dialog[open]")
    assert opened.page.locator("#c-title").inner_text() == "baseline:conv"


def test_a_row_opens_its_candidate_wherever_it_is_clicked(opened: Opened) -> None:
    opened.page.locator("table.board tbody tr td.layers").nth(3).click()
    opened.page.wait_for_selector("dialog[open]")
    assert opened.page.locator("#c-title").inner_text() == opened.column(2)[3]


def test_no_button_of_a_plot_leads_away_from_the_page(opened: Opened) -> None:
    opened.page.locator(".plot.scatter").hover()
    titles = opened.page.locator(".modebar-btn").evaluate_all("found => found.map((one) => one.dataset.title)")
    assert "Zoom" in titles
    assert not [title for title in titles if "hare" in title or "loud" in title or "Plotly" in title]


def test_a_candidate_opens_by_keyboard_with_all_that_is_known_of_it_and_closes(opened: Opened) -> None:
    opened.page.locator("button.open").first.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("dialog[open] .plot .main-svg")
    dialog = opened.page.locator("dialog")
    for text in ("Network", "Confusion", "Misclassified", "Training", "tinysearch reproduce", "against"):
        assert text in dialog.inner_text()
    assert dialog.locator("canvas").count() > 0
    opened.page.keyboard.press("Escape")
    opened.page.wait_for_selector("dialog", state="hidden")


def test_a_link_to_a_candidate_opens_it(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file)
    opened.page.goto(page_file.as_uri() + "#c0-5")
    opened.page.reload()
    opened.page.wait_for_selector("dialog[open]")
    assert opened.page.locator("#c-title").inner_text() == opened.column(2)[5]
    opened.context.close()


def test_the_plots_can_be_switched(opened: Opened) -> None:
    opened.page.locator(".axis").select_option("macs")
    opened.page.wait_for_function("document.querySelector('.scatter .xtitle').textContent.startsWith('multiply')")
    opened.page.locator(".over").select_option("time")
    opened.page.wait_for_function("document.querySelector('.progress .xtitle').textContent.startsWith('minutes')")


def test_on_paper_plots_are_dark_on_white_and_as_wide_as_a_sheet(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file, viewport={"width": 1440, "height": 900}, color_scheme="dark")

    def wait_for(width: str, color: str) -> None:
        is_wide = f"document.querySelector('.scatter .main-svg').getBoundingClientRect().width {width}"
        is_colored = f"getComputedStyle(document.querySelector('.scatter .xtitle')).fill {color}"
        opened.page.wait_for_function(f"{is_wide} && {is_colored}")

    wait_for("> 1000", "!== 'rgb(0, 0, 0)'")
    opened.page.emulate_media(media="print", color_scheme="dark")
    wait_for("=== 700", "=== 'rgb(0, 0, 0)'")
    opened.page.emulate_media(media="screen", color_scheme="dark")
    wait_for("> 1000", "!== 'rgb(0, 0, 0)'")
    assert opened.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 768, 1440])
def test_nothing_is_wider_than_the_window(browser: Any, page_file: Path, scheme: str, width: int) -> None:
    opened = Opened(browser, page_file, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.page.locator("button.open").first.click()
    opened.page.wait_for_selector("dialog[open]")
    dialog = opened.page.locator("dialog")
    assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, page_file: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = Opened(browser, page_file, viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    for dialog in (False, True):
        if dialog:
            opened.page.locator("button.open").first.click()
            opened.page.wait_for_selector("dialog[open] .plot .main-svg")
        found = Axe().run(opened.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    opened.context.close()


def test_the_report_of_real_searches_works(browser: Any, real_file: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = Opened(browser, real_file, viewport={"width": 1440, "height": 900})
    with read(REFERENCE) as store:
        (section,) = build(store).sections
        trained = {record.key for record in store.records() if not record.failed}
    # Baselines that were validated on images held out in two ways have a row for each.
    keys = [one.row.key for one in section.candidates]
    assert set(keys) == trained
    assert len(opened.column(1)) == len(keys) >= 18
    opened.page.get_by_role("button", name="parameters").click()
    sizes = [int(text.split(" ")[0].replace(",", "")) for text in opened.column(6)]
    assert sizes == sorted(sizes)
    opened.page.locator(".f-tested").check()
    assert 0 < len(opened.column(2)) < len(keys)
    assert all("n=" in text for text in opened.column(4))
    opened.page.locator(".scatter path.point").first.hover(force=True)
    opened.page.wait_for_selector(".hovertext")
    opened.page.locator(".board tbody tr:not([hidden]) button.open").first.click()
    opened.page.wait_for_selector("dialog[open] .plot .main-svg")
    assert "tinysearch reproduce" in opened.page.locator("dialog").inner_text()
    found = Axe().run(opened.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert opened.problems == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    opened.context.close()


@pytest.mark.parametrize(
    ("metric", "direction", "axis"), [("macro_f1", "max", "macro F1, %"), ("mine:Cost", "min", "mine:Cost")]
)
def test_a_page_by_another_metric_shows_it_first_and_everywhere(
    browser: Any, tmp_path: Path, make_record: Callable[..., Record], metric: str, direction: str, axis: str
) -> None:
    settings = {"trials": 3, "strategy": "evolution", "objective": metric, "direction": direction}
    network = {"architecture": INCEPTION.architecture, "cost": cost(INCEPTION.architecture, Task()), "run": "own"}
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("own", "toy", "0123456789abcdef", settings)
        for place, value in enumerate((0.5, 0.25, 0.75)):
            given = {"metrics": {metric: value}, "earlier": (0.5,), "position": place, "trial": place, **network}
            store.append(make_record(f"{place:012d}", **given))
        tested = {"purpose": "evaluation", "test_accuracy": 0.5, "test_fingerprint": "f" * 16}
        store.append(make_record("000000000000", test_metrics={metric: 0.375}, **tested, **network))
        path = tmp_path / "report.html"
        path.write_text(to_html(build(store)), encoding="utf-8")
    opened = Opened(browser, path, viewport={"width": 1440, "height": 900})
    order = ["000000000002", "000000000000", "000000000001"][:: 1 if direction == "max" else -1]
    assert opened.column(2) == order
    assert axis in opened.page.locator(".scatter .ytitle").text_content()
    shown = "25.00 %" if metric == "macro_f1" else "0.25"
    assert shown in opened.column(3)
    opened.page.locator(".scatter path.point").first.hover(force=True)
    opened.page.wait_for_selector(".hovertext")
    opened.page.locator(".board tbody tr button.open").first.click()
    opened.page.wait_for_selector("dialog[open] .plot .main-svg")
    text = opened.page.locator("dialog").inner_text()
    assert f"validation {axis.split(',')[0]}" in text
    assert opened.problems == []
    opened.context.close()
