"""A report as one page that opens offline."""

from __future__ import annotations

import base64
import gzip
import json
import shlex
from pathlib import Path
from typing import Any

from tinysearch.results.render import figures
from tinysearch.results.report import Candidate, Progress, Report, Section
from tinysearch.space.notation import LEGEND

_FOLDER = Path(__file__).parent / "report"
_COLUMNS = (
    ("#", "rank", "no"),
    ("candidate", "name", "no"),
    ("parameters", "params", "no"),
    ("MACs", "macs", "no"),
    ("activations", "peak_activation_bytes", "no"),
    ("validation", "val_accuracy", "yes"),
    ("test", "test_accuracy_mean", "yes"),
    ("documented", "documented", "yes"),
    ("run", "run", "no"),
    ("time", "train_seconds", "no"),
)

_VERDICTS = {
    "better": "By more than noise explains, it is better than {}",
    "worse": "By more than noise explains, it is worse than {}",
    "unclear": "It is not clearly different from {}",
}


def to_html(report: Report) -> str:
    """Return the page. Whatever users have named is escaped."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    title = f"tinysearch: {', '.join(report.runs)}" if report.runs else "tinysearch: all results"
    page: str = environment.get_template("page.html.j2").render(
        title=title,
        subtitle=f"Networks found under a parameter budget. Made {report.created_at}." if report.created_at else "",
        footer="Every figure is from the store: last epoch, test images used once per training. Parameters are Keras's "
        "total parameters, moving statistics of batch normalization included.",
        sections=[_section(section) for section in report.sections],
        failed=report.failed,
        columns=[{"title": title, "key": key, "down": down} for title, key, down in _COLUMNS],
        legend=LEGEND,
        data=_embedded(report),
        css=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),  # noqa: S704
        js=Markup((_FOLDER / "page.js").read_text(encoding="utf-8")),  # noqa: S704
        plotly=Markup(get_plotlyjs()) if report.sections else "",  # noqa: S704
    )
    return page


def _embedded(report: Report) -> str:
    """Return the data of the page, JSON in gzip in base64: a tenth of the size, and no tag can begin or end in it."""
    data = report.to_dict()
    for section, plain in zip(report.sections, data["sections"], strict=True):
        for one, candidate in zip(section.candidates, plain["candidates"], strict=True):
            candidate["commands"] = _commands(one)
    text = json.dumps({"sections": data["sections"]}, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _commands(one: Candidate) -> dict[str, str]:
    return {
        "reproduce": f"tinysearch reproduce {shlex.quote(one.row.key)} --seeds 3",
    }


def _section(section: Section) -> dict[str, Any]:
    strategies = {one.strategy for one in section.candidates if one.strategy}
    return {
        "title": figures.dataset_title(section.dataset),
        "cards": _cards(section),
        "sentences": _sentences(section),
        "origins": sorted({one.row.origin for one in section.candidates}),
        "strategies": sorted(strategies),
        "runs": sorted({one.row.run for one in section.candidates}),
        "rows": [_row(index, one) for index, one in enumerate(section.candidates)],
        "searches": [_search(search) for search in section.searches],
    }


def _row(index: int, one: Candidate) -> dict[str, Any]:
    row = one.row
    return {
        "index": index,
        "rank": row.rank,
        "front": row.on_pareto_front,
        "origin": row.origin,
        "name": row.name,
        "params": figures.params(row.params, row.trainable_params, row.non_trainable_params),
        "macs": figures.count(row.macs),
        "memory": figures.count(row.peak_activation_bytes),
        "validation": figures.percent(row.val_accuracy),
        "test": figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds),
        "documented": figures.percent(one.documented),
        "run": row.run,
        "time": figures.duration(row.train_seconds),
        "layers": row.layers,
    }


def _search(search: Progress) -> dict[str, Any]:
    taken = f", {search.taken} taken from other runs" if search.taken else ""
    return {
        "run": search.run + ("" if search.finished else " (not finished)"),
        "strategy": search.strategy,
        "budget": figures.MISSING if search.budget is None else f"{search.budget:,}",
        "seed": search.seed,
        "trainings": f"{len(search.best)}{taken}",
        "best": figures.percent(search.best[-1] if search.best and search.best[-1] else None),
        "time": figures.duration(search.seconds[-1] if search.seconds else 0.0),
        "rejected": figures.rejected(search.rejections) or "none",
        "failed": ", ".join(f"{name}: {reason}" for name, reason in search.failures) or "none",
    }


def _cards(section: Section) -> list[dict[str, str]]:
    best = section.best
    tested = [one for one in section.candidates if one.row.test_accuracy_mean is not None]
    cards = [
        {
            "name": "best by validation",
            "value": figures.percent(best.row.val_accuracy),
            "note": f"{best.row.name}, {best.row.params:,} parameters",
        }
    ]
    if tested:
        top = max(tested, key=lambda one: one.row.test_accuracy_mean or 0.0)
        row = top.row
        cards.append(
            {
                "name": f"best of {len(tested)} by test, n={row.test_seeds}",
                "value": figures.spread(row.test_accuracy_mean, row.test_accuracy_std),
                "note": f"{row.name}, {row.params:,} parameters",
            }
        )
    budgets = sorted({search.budget for search in section.searches if search.budget is not None})
    if budgets:
        cards.append(
            {
                "name": "budget" if len(budgets) == 1 else "budgets",
                "value": ", ".join(f"{budget:,}" for budget in budgets),
                "note": "parameters; every candidate is below",
            }
        )
    trained = sum(len(search.best) for search in section.searches)
    if trained:
        spent = sum(search.seconds[-1] for search in section.searches if search.seconds)
        cards.append({"name": "trained", "value": f"{trained:,}", "note": f"in {figures.duration(spent)} of training"})
    return cards


def _sentences(section: Section) -> list[str]:
    """Say which network to take, and whether it is really better than the documented ones."""
    compared = [one for one in section.candidates if one.row.origin != "baseline" and one.test is not None]
    if not compared:
        return [
            f"{section.best.row.name} has the highest validation accuracy. It was chosen by it, so the figure flatters "
            f"it, and single trainings do not tell neighbours apart: tinysearch evaluate retrains the best with "
            f"several seeds and scores them on the test images."
        ]
    found = []
    otherwise: dict[str, None] = {}
    for one in sorted(compared, key=lambda each: -(each.row.test_accuracy_mean or 0.0))[:3]:
        row = one.row
        said = (
            f"{row.name} ({row.params:,} parameters) reaches "
            f"{figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds)} on the test images."
        )
        for verdict, words in _VERDICTS.items():
            names = []
            for other in one.versus:
                if other.trained:
                    otherwise[other.trained] = None
                if other.verdict == verdict:
                    names.append(f"{other.name} ({100 * other.difference:+.2f} points, n={other.seeds})")
            said += f" {words.format(', '.join(names))}." if names else ""
        if not one.versus:
            said += (
                f" No documented model was scored on these images with several seeds; tinysearch reproduce --seeds 3 "
                f"does it (with the --dataset or --data of the search, here {section.dataset}, and its --epochs)."
            )
        found.append(said)
    if otherwise:
        found.append(
            f"The documented models were trained {'; '.join(otherwise)}: a part of a difference may come from that."
        )
    return found
