"""``report``: results as a page to look at and to send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.reporting import reported, stderr


@reported
def report(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; all if none is named.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page.")] = Path("report.html"),
    data: Annotated[
        Path | None,
        typer.Option(
            help="An .npz file with the test images, to show those that were misclassified.", show_default=False
        ),
    ] = None,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
) -> None:
    """Write a page with everything that the store holds: plots, leaderboard, and each candidate explained.

    One file that needs no network. Where --data or $TINYSEARCH_DATA gives the images that networks were tested on,
    those that they got wrong are shown.

    Example: tinysearch report mnist-10000-1 -o report.html
    """
    from datetime import datetime, timezone

    from tinysearch.baselines.models import BASELINES, PREFIX
    from tinysearch.errors import InputError
    from tinysearch.results.archive import open_to_read
    from tinysearch.results.render.html import to_html
    from tinysearch.results.report import build
    from tinysearch.search.datasets import at_hand

    with open_to_read(options.to_read(store, reference)) as opened:
        made = build(
            opened,
            runs or (),
            documented={PREFIX + name: model.test_accuracy for name, model in BASELINES.items()},
            images=at_hand(data),
            created_at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        )
    try:
        output.write_text(to_html(made), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}); name another file with -o") from None
    count = sum(len(section.candidates) for section in made.sections)
    stderr().print(f"wrote {count} candidates to {output}", soft_wrap=True)
