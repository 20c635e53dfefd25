"""The README's example in a real Jupyter kernel: progress is shown, and an interrupted cell goes on when run again."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"
PATIENCE = 300.0


def example(store: Path) -> str:
    """Return the README's Python, for digits, few trials and a store of the test."""
    (code,) = re.findall(
        r"^```python\n(import tinysearch\n.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    small = f'data="digits", epochs=2, baselines=False, folds=1, evaluate=1, workers=1, store={str(store)!r}'
    changed = code.replace('data="mnist"', small).replace("trials=20", "trials=3").replace("10_000", "1_500")
    assert changed.count("digits") == changed.count("trials=3") == 1
    return changed


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Any]:
    """A client of a kernel whose notebook has the example as its only cell."""
    import nbformat
    from nbclient import NotebookClient

    cell = nbformat.v4.new_code_cell(example(tmp_path / "store.db"))
    client = NotebookClient(nbformat.v4.new_notebook(cells=[cell]), timeout=PATIENCE, kernel_name="python3")
    with client.setup_kernel(cwd=str(tmp_path)):
        yield client


def text_of(cell: Any) -> str:
    """Return all that a cell shows, without its markup."""
    shown = []
    for output in cell.outputs:
        shown.append(output.get("text", "") + output.get("data", {}).get("text/html", ""))
    return re.sub("<[^>]*>", "", "".join(shown))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_example_shows_progress_and_goes_on_after_an_interruption(notebook: Any, tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    (cell,) = notebook.nb.cells
    stopped: list[BaseException] = []

    def run() -> None:
        try:
            notebook.execute_cell(cell, 0)
        except CellExecutionError as error:
            stopped.append(error)

    running = threading.Thread(target=run, daemon=True)
    running.start()
    until, tick = time.monotonic() + PATIENCE, threading.Event()
    while "1/3" not in text_of(cell):
        assert running.is_alive(), (stopped, text_of(cell))
        assert time.monotonic() < until, text_of(cell)
        tick.wait(0.1)
    shown = text_of(cell)
    assert "trained" in shown
    assert "epoch" in shown
    assert "best so far" in shown
    asyncio.run(notebook.km.interrupt_kernel())
    running.join(PATIENCE)
    assert [error.ename for error in stopped] == ["KeyboardInterrupt"]

    import tinysearch

    with tinysearch.open("first", store=tmp_path / "store.db", data="digits") as study:
        kept = [record.key for record in study.records]
    assert kept
    notebook.execute_cell(cell, 0)
    shown = text_of(cell)
    assert re.search(r"\d+ 0\.\d+", shown), shown
    assert f"{len(kept)} of 3 trained already" in " ".join(shown.split())
    with tinysearch.open("first", store=tmp_path / "store.db", data="digits") as study:
        assert [record.key for record in study.records][: len(kept)] == kept
        assert [record.purpose for record in study.records] == ["search"] * 3 + ["evaluation"]
