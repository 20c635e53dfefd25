"""The command ``report``: results as an HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import options, sources, stores
from tinysearch.cli.output import write_page
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.store import Store


@reported
@sources.reads_data
def report(
    runs: options.Runs = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=path, metavar="FILE", help="HTML file to write.")
    ] = Path("report.html"),
    data: Annotated[
        Path | None,
        typer.Option(
            parser=path,
            metavar="SOURCE",
            help="Data with the test images, to show the misclassified ones.",
            show_default=False,
        ),
    ] = None,
    metric: options.Metric = None,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
    *,
    reading: Reading,
) -> None:
    """Write a page with the results in the store: plots, leaderboard, and details of each candidate.

    The page is one file that opens offline. If the data of a run is still where it was, or --data or $TINYSEARCH_DATA
    has the test images, it shows those that were misclassified.

    Example: tinysearch report mnist-10000-1 -o report.html
    """
    from tinysearch.results.archive import open_to_read

    with open_to_read(stores.to_read(store, reference)) as opened:
        words = stores.store_words(store)
        page = page_of(opened, runs or (), data, reading=reading, reference=reference, words=words, metric=metric)
    write_page(page, output)
    stderr().print(f"wrote {output}", soft_wrap=True)


def page_of(
    store: Store,
    runs: Sequence[str],
    data: Path | None = None,
    *,
    reading: Reading | None = None,
    reference: bool = False,
    words: Sequence[str] = (),
    metric: str | None = None,
) -> str:
    """Return the page of the given runs of a store, or of all runs; see ``report`` and ``Report``."""
    from datetime import datetime, timezone

    from tinysearch.api.known_data import sources_of_evaluations
    from tinysearch.baselines.models import documented
    from tinysearch.data.loading import at_hand
    from tinysearch.report.build import build
    from tinysearch.report.html import to_html

    made = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    named = {run.dataset for run in store.runs() if not runs or run.name in runs}
    images = at_hand(data, named, reading, sources_of_evaluations(store, runs))
    title = "reference results" if reference else "all results"
    return to_html(
        build(
            store,
            runs,
            documented=documented(),
            images=images,
            created_at=made,
            title=title,
            words=words,
            metric=metric,
        )
    )
