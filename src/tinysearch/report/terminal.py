"""A leaderboard, the layers of a network and a training curve, for the terminal."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from tinysearch.report import figures
from tinysearch.results.leaderboard import Leaderboard, Row
from tinysearch.results.record import ACCURACY
from tinysearch.runtime.rich import Console, Group, RenderableType, Table, Text

# Priority from which a column is never left out, and up to which it is left out without a remark.
_ALWAYS, _DISPENSABLE = 90, 20
# Titles of the columns that a leaderboard can be sorted by and that may be left out, by field.
_SORTED = {
    "test_accuracy": "test",
    "macs": "MACs",
    "peak_activation_bytes": "RAM",
    "flash_bytes": "flash",
    "train_seconds": "time",
}
_BYTES = ("peak_activation_bytes", "flash_bytes")


class _Column(NamedTuple):
    title: str
    right: bool
    cells: list[str]
    keep: int  # the lowest are left out first when space is short


def leaderboard(
    board: Leaderboard,
    width: int,
    documented: Mapping[str, float] | None = None,
    sort: str = "rank",
    limited: Collection[str] = (),
    space: str = "widen the terminal or use --format csv",
) -> RenderableType:
    """Return a table per dataset that is at most ``width`` characters wide, leaving out the least important columns.

    Args:
        board: The leaderboard to show.
        width: Width of the terminal in characters.
        documented: Documented test accuracies of hand-designed baselines, by name, for a separate column.
        sort: Field that the rows are sorted by; its column is not left out.
        limited: Fields of a row that the runs have limits on; their columns show exact values and are not left out.
        space: Advice for the remark about columns that do not fit.
    """
    if not board.rows:
        return Text("No candidate has been measured yet.")
    parts: list[RenderableType] = []
    for dataset in board.datasets:
        # The documented accuracies were measured on MNIST.
        known = documented or {} if dataset.split()[0] == "mnist" else {}
        rows = board.of(dataset)
        shown, hidden = _shown(rows, width, known, {sort}, limited)
        parts += [_table(dataset, rows, shown), *_remarks(rows, hidden, board, dataset, space)]
        parts += [*_units(shown), Text()]
    parts.pop()
    if board.hidden_rows:
        more = figures.counted(board.hidden_rows, "more candidate")
        are = "is" if board.hidden_rows == 1 else "are"
        parts.append(Text(f"{more} {are} not shown; --top 0 shows all", style="dim"))
    if board.failed:
        failed = figures.counted(board.failed, "failed training")
        parts.append(Text(f"{failed} {'is' if board.failed == 1 else 'are'} not ranked", style="dim"))
    return Group(*parts)


def plain(board: Leaderboard, documented: Mapping[str, float] | None = None, **shown: Any) -> str:
    """Return the table as text without colour, 120 characters wide; see ``leaderboard``."""
    console = Console(width=120, record=True, file=io.StringIO(), force_jupyter=False)
    console.print(leaderboard(board, console.width, documented, **shown))
    return console.export_text()


def _remarks(rows: Sequence[Row], hidden: Sequence[str], board: Leaderboard, dataset: str, space: str) -> list[Text]:
    mixed, splits = board.mixed.get(dataset, ()), board.splits.get(dataset, ())
    baselines = [row.name for row in rows if row.origin == "baseline"]
    marks = f"* on the Pareto front of parameters and validation {figures.metric_title(rows[0].metric)}"
    found = [f"{marks}; baselines are bold" if baselines else marks]
    if len(set(baselines)) < len(baselines):
        found.append("a baseline that is listed more than once was trained with different recipes or numbers of epochs")
    if any(row.other_environment for row in rows):
        found.append("^ reused from a training with other versions, backend, threads or machine")
    if any(row.val_seeds > 1 for row in rows):
        found.append("validation with n: the mean of n trainings; ranks correct for the difficulty of folds")
    if mixed:
        found.append(
            f"ranked by accuracy, because the runs have different objectives: {', '.join(mixed)}; choose with --metric"
        )
    if splits:
        found.append(
            "runs held out different images, so their validation figures are not comparable; ranks correct for this "
            f"as far as revalidations show how difficult each fold is: {'; '.join(splits)}"
        )
    if hidden:
        found.append(f"hidden for lack of space: {', '.join(hidden)}; {space}")
    return [Text(one, style="dim") for one in found]


def _units(shown: Sequence[_Column]) -> list[Text]:
    """Return a remark on what the RAM and flash columns count, and in which unit."""
    titles = {column.title for column in shown}
    if "RAM" not in titles:
        return []
    both = " and ".join(_SORTED[name] for name in _BYTES if _SORTED[name] in titles)
    words = "RAM: activations in int8; a buffer for the image and the stack come on top (see show)"
    if _SORTED["flash_bytes"] in titles:
        words += "; flash: on a Cortex-M0+, for an AVR see show"
    return [Text(f"{both} in bytes; {words}", style="dim")]


def _shown(
    rows: Sequence[Row], width: int, documented: Mapping[str, float], kept: Collection[str], limited: Collection[str]
) -> tuple[list[_Column], list[str]]:
    """Return the columns that fit, and the titles of the others, except dispensable ones."""
    needed = {_SORTED[name] for name in (*kept, *limited) if name in _SORTED}

    def columns(*, split: bool) -> list[_Column]:
        every = _columns(rows, documented, limited, split=split)
        return [one._replace(keep=100) if one.title in needed else one for one in every]

    every = columns(split=True)
    shown = _fitting(every, width)
    if any(row.test_seeds for row in rows) and "test" not in {column.title for column in shown}:
        # The test column is more important than the number of trainable parameters.
        every = columns(split=False)
        shown = _fitting(every, width)
    titles = {column.title for column in shown}
    return shown, [column.title for column in every if column.keep > _DISPENSABLE and column.title not in titles]


def _table(dataset: str, rows: Sequence[Row], shown: Sequence[_Column]) -> Table:
    table = Table(
        title=Text(f"Leaderboard: {figures.dataset_title(dataset)}", style="bold"),
        title_justify="left",
        header_style="bold",
        box=None,
    )
    for column in shown:
        last = column.title == "layers"
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not last,
            overflow="fold" if last else "ellipsis",
        )
    for index, row in enumerate(rows):
        style = "bold" if row.origin == "baseline" else "green" if row.rank == 1 else ""
        table.add_row(*(Text(column.cells[index]) for column in shown), style=style)
    return table


def _columns(
    rows: Sequence[Row], documented: Mapping[str, float], limited: Collection[str], *, split: bool
) -> list[_Column]:
    """Return all columns.

    If candidates are ranked by another metric than accuracy, its columns come before those of accuracy.

    Args:
        rows: Rows of the table.
        documented: Documented test accuracies by name.
        limited: Fields with exact values.
        split: Whether the parameters column also shows trainable and other parameters.
    """
    any_tested = any(row.test_seeds for row in rows)
    by_accuracy = rows[0].metric == ACCURACY

    def counts(field: str) -> list[str]:
        values = [getattr(row, field) for row in rows]
        write = figures.exact if field in limited else figures.count
        return [figures.MISSING if value is None else write(value) for value in values]

    return [
        _Column("#", True, [f"{'*' if row.on_pareto_front else ''}{row.rank}" for row in rows], 100),
        _Column("candidate", False, [row.name + (" ^" if row.other_environment else "") for row in rows], 100),
        _Column(
            "params (trainable + not)" if split else "params",
            True,
            [
                figures.params(row.params, row.trainable_params, row.non_trainable_params)
                if split
                else f"{row.params:,}"
                for row in rows
            ],
            90,
        ),
        _Column("MACs", True, counts("macs"), 60),
        *_metric_columns(rows, any_tested=any_tested),
        _Column(
            "validation",
            True,
            [figures.validated(row.val_accuracy, row.val_seeds) for row in rows],
            95 if by_accuracy else 65,
        ),
        _Column(
            "test",
            True,
            [figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds) for row in rows],
            (80 if by_accuracy else 64) if any_tested else 1,
        ),
        _Column(
            "documented",
            True,
            [figures.percent(documented[row.name]) if row.name in documented else "" for row in rows],
            70 if any(row.name in documented for row in rows) else 0,
        ),
        _Column(
            "test, int8",
            True,
            [figures.tested(row.int8_accuracy_mean, row.int8_accuracy_std, row.int8_seeds) for row in rows],
            68 if any(row.int8_seeds for row in rows) else 0,
        ),
        _Column("RAM", True, counts("peak_activation_bytes"), 45),
        _Column("flash", True, counts("flash_bytes"), 44 if any(row.flash_bytes is not None for row in rows) else 0),
        _Column("time", True, [figures.duration(row.train_seconds) for row in rows], 40),
        _Column(
            # Important if trainings had different lengths, because these are not comparable.
            "epochs",
            True,
            [str(row.epochs) for row in rows],
            75 if len({row.epochs for row in rows}) > 1 else 20,
        ),
        _Column("run", False, [row.run for row in rows], 50 if len({row.run for row in rows}) > 1 else 10),
        _Column("layers", False, [row.layers for row in rows], 30),
    ]


def _metric_columns(rows: Sequence[Row], *, any_tested: bool) -> list[_Column]:
    """Return the columns of the metric that candidates are ranked by; none if it is accuracy."""
    metric = rows[0].metric
    if metric == ACCURACY:
        return []
    return [
        _Column(
            figures.metric_title(metric, "validation"),
            True,
            [figures.validated(row.val_metric, row.val_seeds, metric) for row in rows],
            96,
        ),
        _Column(
            figures.metric_title(metric, "test"),
            True,
            [figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, metric) for row in rows],
            81 if any_tested else 1,
        ),
    ]


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """Return the columns that fit, without the least important ones; some are always kept, even if too wide."""
    shown = [column for column in columns if column.keep]
    while sum(_width(column) + 2 for column in shown) > width:
        least = min(shown, key=lambda column: column.keep)
        if least.keep >= _ALWAYS:
            break
        shown.remove(least)
    return shown


def _width(column: _Column) -> int:
    # Long lists of layers may wrap over several lines.
    longest = max(len(column.title), *(len(cell) for cell in column.cells))
    return min(longest, 34) if column.title == "layers" else longest
