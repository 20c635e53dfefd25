"""Tables that compare evaluations, for the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tinysearch.baselines.models import PREFIX
from tinysearch.report import figures
from tinysearch.results.hypervolume import of_networks
from tinysearch.results.leaderboard import Row
from tinysearch.results.predictions import Evaluated, Predictions, by_network, compare
from tinysearch.results.ranking import metric_of
from tinysearch.results.record import Record
from tinysearch.runtime.rich import Console, Group, RenderableType, Table, Text
from tinysearch.search.frontier import winners

if TYPE_CHECKING:
    from tinysearch.results.store import Store

# Smallest readable width of the column of layers, in characters.
_LEAST_LAYERS = 18
# Resources besides parameters that may be limited, with the titles of their columns.
_LIMITED = {"macs": "MACs", "peak_activation_bytes": "RAM", "flash_bytes": "flash"}


@contextlib.contextmanager
def telling_what_is_kept(notes: Console) -> Iterator[None]:
    """Print on Ctrl-C that finished evaluations are stored."""
    try:
        yield
    except KeyboardInterrupt:
        notes.print("the evaluations finished so far are stored and will not be repeated", soft_wrap=True)
        raise


def comparisons(store: Store, records: Sequence[Record]) -> RenderableType | None:
    """Compare evaluated networks with each hand-designed baseline that was scored on the same test images.

    Returns:
        A table for each candidate; None if there is nothing to compare.
    """
    marks = {record.test_fingerprint for record in records if record.test_fingerprint is not None}
    networks = [group for mark in sorted(marks) for group in by_network(store.evaluations(mark)).values()]
    baselines = [one for one in networks if one[0].origin == "baseline"]
    wanted = {(record.run, record.key) for record in records}
    tables: list[RenderableType] = []
    for one in networks:
        if (one[0].run, one[0].key) not in wanted:
            continue
        others = {
            (other[0].key, other[0].held_out): other
            for other in baselines
            if other[0].fingerprint == one[0].fingerprint and other[0].key != one[0].key
        }
        if others:
            tables += [_compared(one, list(others.values())), Text()]
    if not tables:
        return None
    note = (
        "difference: of the means, in points, ± its standard error. Better or worse: significant at 5 % by Welch's "
        "t-test, which compares the means, and for most seeds by McNemar's test, which compares the answers image by "
        "image (p: how likely it is that equally good networks differ at least this much; the median over the seeds "
        "that both have); otherwise unclear. 90 %: trained without the held-out fold."
    )
    return Group(*tables, Text(note, style="dim"))


def _compared(one: Sequence[Evaluated], others: Sequence[Sequence[Evaluated]]) -> Table:
    title = f"{one[0].name} (n={len(one)}) against the hand-designed baselines, on the same test images"
    table = Table(title=title, title_justify="left", header_style="bold", box=None)
    for heading in ("against (recipe)", "test", "n", "difference", "McNemar p", "verdict"):
        # On a narrow terminal, words are wrapped and no number is cut.
        left = heading in ("against (recipe)", "verdict")
        table.add_column(heading, justify="left" if left else "right", no_wrap=not left)
    for other in others:
        found = compare(_by_seed(one), _by_seed(other))
        error = "" if found.standard_error is None else f" ± {100 * found.standard_error:.2f}"
        table.add_row(
            f"{other[0].name.removeprefix(PREFIX)} ({_training(other[0], one[0])})",
            figures.spread(*figures.mean_and_std(found.others)),
            str(len(found.others)),
            f"{100 * found.difference:+.2f}{error}",
            figures.p_value(found.median_p),
            found.verdict,
        )
    return table


def _by_seed(evaluated: Sequence[Evaluated]) -> Mapping[int, Predictions | float]:
    return {one.seed: one.scored for one in evaluated}


def _training(other: Evaluated, one: Evaluated) -> str:
    """Return the recipe of another network, with its epochs and its share of images if they differ."""
    from tinysearch.training.recipe import Recipe

    parts = [Recipe.from_dict(other.recipe).name]
    if other.recipe["epochs"] != one.recipe["epochs"]:
        parts.append(figures.epochs(other.recipe["epochs"]))
    if other.held_out and not one.held_out:
        parts.append("90 %")
    return ", ".join(parts)


def front(records: Mapping[int, Sequence[Record]], limited: Collection[str] = (), width: int = 120) -> RenderableType:
    """Return a table of the best network below each budget, and their hypervolume.

    Args:
        records: Records by budget: of networks below it, or of a search below it.
        limited: Fields of a row that the searches limit besides parameters; each has a column with exact values.
        width: Width of the terminal in columns; the column of layers is left out if it has no room.
    """
    table = Table(title="the best below each budget", title_justify="left", header_style="bold", box=None)
    metric, direction = metric_of([record for found in records.values() for record in found])
    extra = [(name, title) for name, title in _LIMITED.items() if name in limited]
    for title in (
        "below",
        "params",
        *(title for _, title in extra),
        figures.metric_title(metric, "validation"),
        figures.metric_title(metric, "test"),
        "n",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("candidate", no_wrap=True)
    # These numbers are the widths of the other columns.
    with_layers = width - 60 - 9 * len(extra) >= _LEAST_LAYERS
    if with_layers:
        table.add_column("layers", overflow="fold")
    rows = winners(records)
    for bound, row in rows.items():
        if row is None:
            table.add_row(f"{bound:,}", *(figures.MISSING for _ in range(3 + len(extra))))
            continue
        taken = [getattr(row, name) for name, _ in extra]
        table.add_row(
            f"{bound:,}",
            f"{row.params:,}",
            *(figures.MISSING if value is None else figures.exact(value) for value in taken),
            figures.measured(row.val_metric, metric),
            figures.spread(row.test_metric_mean, row.test_metric_std, metric),
            str(row.test_seeds),
            Text(row.name),
            *([Text(row.layers)] if with_layers else []),
        )
    shown = [row for row in rows.values() if row is not None]
    words = [_hypervolume(shown, list(records))] if direction == "max" else []
    of_memory = [title for name, title in extra if name != "macs"]
    if of_memory:
        on_top = "; a buffer for the image and the stack come on top of RAM (see show)" if "RAM" in of_memory else ""
        words.insert(0, f"{' and '.join(of_memory)} in bytes{on_top}")
    return Group(table, Text(), *(Text(one, style="dim") for one in words if one))


def _hypervolume(rows: Sequence[Row], budgets: Sequence[int]) -> str:
    """Return the hypervolume of a front in words; empty if a value of its metric is not between 0 and 1."""
    validated = [(row.params, row.val_metric) for row in rows if row.val_metric is not None]
    if not validated or not all(0 <= value <= 1 for _, value in validated):
        return ""
    tested = [(row.params, row.test_metric_mean) for row in rows if row.test_metric_mean is not None]
    on_test = f", {of_networks(tested, budgets):.3f} on the test images" if len(tested) == len(rows) else ""
    return (
        f"the whole table as one number: hypervolume {of_networks(validated, budgets):.3f}{on_test}. Fewer errors with "
        f"fewer parameters make it larger; compare it with other searches below the same budgets only"
    )
