"""Plots, as pages that open offline."""

from __future__ import annotations

import html
from typing import Any

from tinysearch.report import figures
from tinysearch.results.leaderboard import Leaderboard, Row
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import ACCURACY

# Plotly options without buttons that open a website or upload data.
QUIET = {"displaylogo": False, "responsive": True, "showSendToCloud": False, "plotlyServerURL": ""}


def accuracy_over_params(board: Leaderboard, dataset: str) -> Any:
    """Return a ``plotly`` figure: candidates of one dataset by parameters and accuracy, and their Pareto front.

    If candidates are ranked by another metric than accuracy, the figure shows that metric.

    Candidates that were scored on test images have a second point, with the standard deviation over seeds.
    """
    import plotly.graph_objects as go

    rows = [row for row in board.of(dataset) if row.val_metric is not None]
    metric = rows[0].metric if rows else ACCURACY
    title = figures.metric_title(metric)
    scale, unit = (100, ", %") if metric in OBJECTIVES else (1, "")
    front = sorted((row for row in rows if row.on_pareto_front), key=lambda row: row.params)
    tested = sorted((row for row in rows if row.test_metric_mean is not None), key=lambda row: row.params)
    figure = go.Figure()
    for name, shown, marker in (
        ("candidates", [row for row in rows if row.origin == "search"], {"size": 7, "opacity": 0.6}),
        (
            "hand-designed baselines",
            [row for row in rows if row.origin == "baseline"],
            {"size": 11, "symbol": "diamond"},
        ),
    ):
        figure.add_scatter(
            x=[row.params for row in shown],
            y=[scale * (row.val_metric or 0.0) for row in shown],
            text=[_hover(row) for row in shown],
            hovertemplate="%{text}<extra></extra>",
            mode="markers",
            marker=marker,
            name=f"{name}, validation",
        )
    figure.add_scatter(
        x=[row.params for row in front],
        y=[scale * (row.val_metric or 0.0) for row in front],
        mode="lines",
        line={"shape": "hv", "dash": "dot"},
        hoverinfo="skip",
        name="Pareto front, validation",
    )
    if tested:
        figure.add_scatter(
            x=[row.params for row in tested],
            y=[scale * (row.test_metric_mean or 0.0) for row in tested],
            error_y={"type": "data", "array": [scale * (row.test_metric_std or 0.0) for row in tested]},
            text=[_hover(row) for row in tested],
            hovertemplate="%{text}<extra></extra>",
            mode="markers",
            marker={"size": 10, "symbol": "square"},
            name="test, mean ± standard deviation",
        )
    figure.update_layout(
        title=html.escape(f"{title[:1].upper()}{title[1:]} and parameters, {figures.dataset_title(dataset)}"),
        template="plotly_white",
        legend={"orientation": "h", "y": -0.2},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(type="log", title="parameters, moving statistics included")
    figure.update_yaxes(title=html.escape(f"{title}{unit}"))
    return figure


def page(figure: Any) -> str:
    """Return an HTML page with a figure that opens offline."""
    text: str = figure.to_html(include_plotlyjs=True, full_html=True, config=QUIET)
    return text


def _hover(row: Row) -> str:
    lines = [
        f"<b>{html.escape(row.name)}</b>",
        html.escape(row.layers),
        f"{figures.params(row.params, row.trainable_params, row.non_trainable_params)} parameters, "
        f"{figures.count(row.macs)} MACs",
        f"validation {figures.validated(row.val_accuracy, row.val_seeds)}",
    ]
    if row.metric != ACCURACY:
        value = figures.validated(row.val_metric, row.val_seeds, row.metric)
        lines.insert(3, html.escape(f"{figures.metric_title(row.metric, 'validation')} {value}"))
    if row.test_metric_mean is not None and row.metric != ACCURACY:
        tested = figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, row.metric)
        lines.append(html.escape(f"{figures.metric_title(row.metric, 'test')} {tested}"))
    if row.test_accuracy_mean is not None:
        tested = figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds)
        lines.append(f"test {tested}")
    return "<br>".join(lines)
