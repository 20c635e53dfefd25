"""A report as one HTML page that opens offline."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from tinysearch.report import figures
from tinysearch.report.contents import Progress, Report, Section
from tinysearch.report.headline import cards, choice, reproduce, sentences
from tinysearch.report.table import choices, columns, row_words
from tinysearch.report.templates import part, rendered
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import ACCURACY
from tinysearch.space.notation import LEGEND


def to_html(report: Report) -> str:
    """Return the page as HTML; names from users are escaped."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    made = f"Networks found under a parameter budget. Made {report.created_at}." if report.created_at else ""
    return rendered(
        "page.html.j2",
        **frame(report.title, made),
        sections=[
            {**section_words(section, report), **choices(section), "rows": row_words(section)}
            for section in report.sections
        ],
        failed=report.failed,
        data=_embedded(report),
        css=Markup(part("page.css")),  # noqa: S704
        js=Markup(part("page.js")),  # noqa: S704
        plotly=Markup(get_plotlyjs()) if report.sections else "",  # noqa: S704
    )


def frame(title: str, subtitle: str) -> dict[str, str]:
    """Return the texts above and below the results of a page."""
    return {
        "title": f"tinysearch: {title}",
        "subtitle": subtitle,
        "footer": "All figures are from the store. Accuracies are of the last epoch; test images were used once per "
        "training. Parameters are Keras's total parameters, moving statistics of batch normalization included.",
        "legend": LEGEND,
    }


def _embedded(report: Report) -> str:
    """Return the data of the page as gzipped JSON in base64: the page is smaller, and the data cannot contain tags."""
    data = report.to_dict()
    for section, plain in zip(report.sections, data["sections"], strict=True):
        plain["metric"] = metric_words(section)
        for one, candidate in zip(section.candidates, plain["candidates"], strict=True):
            candidate["reproduce"] = reproduce(section, report, one)
    text = json.dumps({"sections": data["sections"]}, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def metric_words(section: Section) -> dict[str, Any]:
    """Return the properties of the ranking metric for the scripts of a page."""
    return {
        "title": figures.metric_title(section.metric),
        "is_accuracy": section.metric == ACCURACY,
        "is_share": section.metric in OBJECTIVES,
        "sign": 1 if section.direction == "max" else -1,
    }


def section_words(section: Section, report: Report) -> dict[str, Any]:
    """Return the formatted values of a section for the templates, except its rows and filters."""
    return {
        "metric": figures.metric_title(section.metric),
        "mixed": ", ".join(section.mixed),
        "splits": "; ".join(section.splits),
        "flash": any(one.row.flash_bytes is not None for one in section.candidates),
        "title": figures.dataset_title(section.dataset),
        "cards": cards(section),
        "sentences": sentences(section, report),
        "held_out": any(one.test is not None and one.test.held_out for one in section.candidates),
        "choice": choice(section),
        "columns": columns(section),
        "searches": [_search(search, section.metric) for search in section.searches],
    }


def _search(search: Progress, metric: str) -> dict[str, Any]:
    beside = [f"{search.reused} reused from other runs"] if search.reused else []
    beside += [f"plus {search.baselines} hand-designed"] if search.baselines else []
    return {
        "run": search.run + ("" if search.finished else " (not finished)"),
        "strategy": search.strategy,
        "budget": figures.MISSING if search.budget is None else f"{search.budget:,}",
        "seed": search.seed,
        "trials": ", ".join([f"{len(search.best)}", *beside]),
        "best": figures.measured(search.best[-1] if search.best else None, metric),
        "time": figures.duration(search.seconds[-1] if search.seconds else 0.0),
        "rejected": figures.rejected(search.rejections),
        "failures": [f"{name}: {reason}" for name, reason in search.failures],
    }
