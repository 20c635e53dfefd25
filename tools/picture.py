"""Draw the picture of the README: test accuracy against parameters, of reference results, baselines and others.

    python tools/picture.py -o docs/images

Writes ``frontier-light.svg`` and ``frontier-dark.svg``. The figures of tinysearch come from the reference results,
those of others from the constants below, see docs/results.md. Needs Matplotlib: ``pip install -e '.[docs]'``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.leaderboard import Row, rank

# Parameters and test accuracy in percent: the best published results for MNIST with a full schedule of 10 epochs.
PUBLISHED = ((1_055, 98.01), (4_360, 99.02), (7_872, 99.44), (9_568, 99.475))
# The same for longer schedules, of 15 to about 2,000 epochs.
PUBLISHED_LONGER = (
    *((697, 99.03), (1_936, 99.10), (2_180, 99.17), (3_882, 99.52), (7_510, 99.56), (8_340, 99.57), (9_960, 99.60)),
)
# Prefixes of the names of the runs of this version, and of earlier ones.
LATEST, EARLIER = "reference-", ("sweep-", "mnist-")
TICKS = (96, 97, 98, 98.5, 99, 99.2, 99.4, 99.5, 99.6)


class Theme(NamedTuple):
    """Colors of a picture."""

    ink: str
    line: str
    ours: str
    earlier: str
    others: str
    baselines: str


THEMES = {
    "light": Theme("#1f2328", "#d1d9e0", "#0969da", "#80ccff", "#6e7781", "#bc4c00"),
    "dark": Theme("#e6edf3", "#3d444d", "#58a6ff", "#1f4f8f", "#9198a1", "#f0883e"),
}


def winners(rows: Sequence[Row]) -> list[Row]:
    """Return the row of each run's leader in validation, from the rows of a leaderboard, the smallest first."""
    leaders: dict[str, Row] = {}
    for row in rows:
        leaders.setdefault(row.run, row)
    return sorted(leaders.values(), key=lambda one: one.params)


def draw(theme: Theme, path: Path) -> None:
    """Draw the picture with the colors of a theme."""
    with open_to_read(REFERENCE) as store:
        tested = [row for row in rank(store.summaries(), tested=True).rows if row.test_seeds > 1]
    found = winners([row for row in tested if row.run.startswith(LATEST)])
    earlier = winners([row for row in tested if row.origin == "search" and row.run.startswith(EARLIER)])
    baselines = [row for row in tested if row.origin == "baseline"]
    settings = {
        "font.size": 11,
        "svg.fonttype": "path",
        "svg.hashsalt": "tinysearch",
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), theme.ink),
        "axes.edgecolor": theme.line,
    }
    with mpl.rc_context(settings):
        figure, axes = plt.subplots(figsize=(8, 4.6))
        others = {"color": theme.others, "linestyle": "none", "marker": "s", "markersize": 5.5}
        axes.plot(
            *zip(*PUBLISHED_LONGER, strict=True), **others, markerfacecolor="none", label="published, more epochs"
        )
        axes.plot(*zip(*PUBLISHED, strict=True), **others, label="published, 10 epochs")
        bars(axes, baselines, theme.baselines, "D", f"hand-designed baselines, n={baselines[0].test_seeds}")
        bars(axes, earlier, theme.earlier, "o", f"searched by version 0.1.0, 10 epochs, n={earlier[0].test_seeds}")
        bars(axes, found, theme.ours, "o", f"tinysearch, 10 epochs, mean ± sd of n={found[0].test_seeds}")
        axes.set_xlabel("parameters, moving statistics included")
        axes.set_ylabel("MNIST test accuracy, %")
        axes.set_yscale("function", functions=(lambda y: -_log(100.01 - y), lambda y: 100.01 - _exp(-y)))
        axes.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axes.minorticks_off()
        axes.set_ylim(94.3, 99.68)
        axes.set_xlim(0, 10_400)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
        axes.grid(color=theme.line, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower right", frameon=False, fontsize=10)
        figure.tight_layout()
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def bars(axes: Axes, rows: Sequence[Row], color: str, marker: str, label: str) -> None:
    """Draw means with their standard deviations."""
    axes.errorbar(
        [row.params for row in rows],
        [100 * (row.test_accuracy_mean or 0) for row in rows],
        yerr=[100 * (row.test_accuracy_std or 0) for row in rows],
        color=color,
        marker=marker,
        markersize=7,
        linestyle="-" if label.startswith("tinysearch") else "none",
        linewidth=1.2,
        capsize=3,
        label=label,
    )


def _log(values: object) -> object:
    import numpy as np

    return np.log(np.maximum(values, 1e-3))  # type: ignore[call-overload]


def _exp(values: object) -> object:
    import numpy as np

    return np.exp(values)  # type: ignore[call-overload]


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, theme in THEMES.items():
        draw(theme, arguments.output / f"frontier-{name}.svg")


if __name__ == "__main__":
    main()
