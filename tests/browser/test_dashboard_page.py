"""The dashboard as a person finds it in a browser, while a run goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.report.dashboard.board import Board
from tinysearch.report.dashboard.changes import Changes
from tinysearch.report.dashboard.follower import Follower
from tinysearch.report.dashboard.server import DashboardServer
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.results.store import Store

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
EXECUTABLE = next(filter(None, map(shutil.which, BROWSERS)), None)
SETTINGS = {"trials": 20_000, "strategy": "evolution", "seed": 0, "lag": 4, "budget": {"params": 10_000}}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(needs: Callable[..., None]) -> Iterator[Any]:
    needs(EXECUTABLE, f"a browser ({', '.join(BROWSERS)})", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page of a dashboard, and what went wrong in it. Each ``look`` is one of the command's."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.reader = Store(path)
        self.board = Board(Changes("dashboard", "Live."))
        self.follower = Follower(self.reader, self.board)
        self.follower.look()
        self.server = DashboardServer(self.board)
        self.server.__enter__()
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.sizes: dict[str, int] = {}
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: self.problems.append(f"alert: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfinished", self._arrived)
        self.page.goto(self.server.address)
        self.wait("document.getElementById('link').textContent === 'live'")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def _arrived(self, request: Any) -> None:
        if "/changes" in request.url:
            self.sizes[request.url] = request.sizes()["responseBodySize"]

    def wait(self, condition: str) -> None:
        # As a string it would need eval, which the page's policy does not allow.
        self.page.wait_for_function(f"() => {condition}", timeout=120_000)

    def look_until(self, condition: str) -> None:
        """Look at the store again and again until a page shows something."""
        for _ in range(1_200):
            self.follower.look()
            if self.page.evaluate(f"() => Boolean({condition})"):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"it has never come to {condition}; the page says {self.page.inner_text('main')}")

    def names(self) -> list[str]:
        return [text.strip() for text in self.page.locator(".board tbody button.open").all_inner_texts()]

    def close(self) -> None:
        self.context.close()
        self.server.__exit__(None, None, None)
        self.reader.close()
        assert self.problems == []
        assert [url for url in self.requests if not url.startswith((self.server.address, "data:", "blob:"))] == []


def points(store: Store, count: int, make_record: Callable[..., Record], first: int = 0) -> None:
    rng = np.random.default_rng(first)
    store.add(
        [],
        [
            make_record(
                f"{place:012d}",
                run="search",
                trial=place,
                position=place,
                val_accuracy=0.9 + 0.09 * rng.random(),
                params=1_000 + int(rng.integers(9_000)),
            )
            for place in range(first, first + count)
        ],
    )


DRAWN = "document.querySelectorAll('.scatter .trace.scatter:first-child path.point').length"


def test_points_appear_and_a_killed_run_is_shown_while_a_real_run_goes_on(
    browser: Any, tmp_path: Path, tiny: Path, prepare: Callable[..., dict[str, Any]]
) -> None:
    with Store(tmp_path / "store.db", create=True):
        pass
    words = ["--budget", 2_000, "--data", tiny, "--trials", 500, "--epochs", 1, "--workers", 1, "--name", "real"]
    arguments = prepare(tmp_path, "run", *words, "--no-baselines")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    opened = Opened(browser, tmp_path / "store.db")
    assert "The store has no run yet" in opened.page.inner_text("#runs")
    with subprocess.Popen(**arguments, **quiet, start_new_session=True) as run:
        try:
            opened.look_until("document.querySelector('tr.running')")
            assert "in progress, in process" in opened.page.inner_text("#runs")
            opened.look_until(f"{DRAWN} >= 2")
            before = len(opened.names())
            opened.look_until(f"document.querySelectorAll('.board tbody tr').length > {before}")
            assert opened.page.evaluate("performance.getEntriesByType('navigation').length") == 1
        finally:
            run.send_signal(signal.SIGKILL)
    opened.look_until("document.querySelector('tr.stopped')")
    assert "resume it with tinysearch run --name real --resume" in opened.page.inner_text("#runs")
    opened.close()


def test_what_is_new_takes_its_place_and_what_a_person_has_chosen_stays(
    browser: Any, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("search", "toy", "0123456789abcdef", SETTINGS)
        points(store, 30, make_record)
        opened = Opened(browser, tmp_path / "store.db")
        for first in (30, 33):
            points(store, 3, make_record, first)
            opened.look_until(f"document.querySelectorAll('.board tbody tr').length === {first + 3}")
            assert opened.names() == [row.name for row in rank(store.records()).rows]
            ranks = opened.page.locator(".board .rank").all_inner_texts()
            assert ranks == [str(place + 1) for place in range(first + 3)]
        opened.page.locator(".f-text").fill("0000000001")
        opened.page.get_by_role("button", name="parameters").click()
        opened.page.locator("button.open").first.focus()
        focused = opened.page.evaluate("document.activeElement.textContent")
        points(store, 70, make_record, 36)
        opened.look_until("document.querySelector('.shown').value.includes('of 106 candidates')")
        sizes = {row.name: row.params for row in rank(store.records()).rows if "0000000001" in row.name}
        assert opened.names() == sorted(sizes, key=lambda name: sizes[name])
        assert opened.page.evaluate("document.activeElement.textContent") == focused
        opened.page.locator(".board button.open").first.press("Enter")
        opened.page.wait_for_selector("dialog[open] .plot .main-svg")
        assert "tinysearch reproduce" in opened.page.inner_text("dialog")
        opened.close()


def test_ten_thousand_records_are_a_small_page_to_which_only_what_is_new_is_sent(
    browser: Any, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("search", "toy", "0123456789abcdef", SETTINGS)
        points(store, 10_000, make_record)
        opened = Opened(browser, tmp_path / "store.db")
        assert len(opened.names()) == 200
        assert "10000 of 10000 candidates, the first 200 listed" in opened.page.locator(".shown").inner_text()
        assert 500 < opened.page.evaluate(DRAWN) < 5_000
        whole = max(opened.sizes.values())
        points(store, 1, make_record, 10_000)
        opened.look_until("document.querySelector('.shown').value.includes('of 10001')")
        assert min(opened.sizes.values()) < whole / 100
        assert len(opened.page.locator(".board tbody tr").all()) == 200
        opened.page.get_by_role("button", name="list more").click()
        assert len(opened.page.locator(".board tbody tr").all()) == 1_200
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(
    browser: Any, tmp_path: Path, make_record: Callable[..., Record], scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("search", "toy", "0123456789abcdef", SETTINGS)
        points(store, 30, make_record)
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    opened = Opened(browser, tmp_path / "store.db", **look)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    opened.close()


def test_when_the_command_ends_the_page_says_so(
    browser: Any, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("search", "toy", "0123456789abcdef", SETTINGS)
        points(store, 3, make_record)
    opened = Opened(browser, tmp_path / "store.db")
    opened.server.__exit__(None, None, None)
    opened.wait("document.getElementById('link').textContent.startsWith('tinysearch dashboard has ended')")
    opened.context.close()
    opened.reader.close()
