"""The command ``dashboard``: the report of runs in progress, as a live page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import options, stores
from tinysearch.cli.numbers import natural, positive
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr, stdout

# Largest share of the time of one core for reading the store.
SHARE = 0.1


@reported
def dashboard(
    runs: options.Runs = None,
    port: Annotated[int, typer.Option(parser=natural, metavar="N", help="Port of the page; 0 for a free one.")] = 0,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    interval: Annotated[
        int, typer.Option(parser=positive, metavar="SECONDS", help="Interval between reads of the store.")
    ] = 2,
    data: Annotated[
        Path | None,
        typer.Option(
            parser=path,
            metavar="FILE",
            help="An .npz file with the test images, to show the misclassified ones.",
            show_default=False,
        ),
    ] = None,
    metric: options.Metric = None,
    store: options.Store = None,
) -> None:
    """Show the report as a live page in the browser while runs are in progress.

    The page shows what tinysearch report writes, and is updated as candidates are trained. It is only served to this
    machine, at an address with a secret token, and needs no network. The store is only read, so runs are not slowed
    down. Press Ctrl-C to stop.

    Example: tinysearch dashboard --open
    """
    from tinysearch.api.known_data import sources_of_evaluations
    from tinysearch.baselines.models import documented
    from tinysearch.data.loading import at_hand
    from tinysearch.report.dashboard.board import Board
    from tinysearch.report.dashboard.changes import Changes
    from tinysearch.report.dashboard.follower import Follower
    from tinysearch.report.dashboard.server import DashboardServer
    from tinysearch.results.store import Store, default_path

    with Store(store or default_path()) as opened:
        board = Board(Changes("dashboard", f"Live, from the store {opened.path}."))
        follower = Follower(
            opened,
            board,
            runs or (),
            metric=metric,
            documented=documented(),
            images=lambda datasets: at_hand(data, datasets, sources=sources_of_evaluations(opened, runs or ())),
            words=stores.store_words(store),
        )
        follower.look()
        with DashboardServer(board, port) as server:
            stdout().print(server.address, soft_wrap=True)
            stderr().print("the page is available while this command runs; press Ctrl-C to stop", soft_wrap=True)
            if browser:
                typer.launch(server.address)
            while True:
                began = time.monotonic()
                follower.look()
                time.sleep(max(interval, (time.monotonic() - began) * (1 / SHARE - 1)))
