"""A report as one page that opens offline."""

from __future__ import annotations

import base64
import gzip
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinysearch.results.render import figures
from tinysearch.results.report import Candidate, Progress, Report, Section
from tinysearch.space.notation import LEGEND

_FOLDER = Path(__file__).parent / "report"
# Title, what it is sorted by, and what its cells show.
_COLUMNS = (
    ("#", "rank", "rank"),
    ("candidate", "name", "name"),
    ("validation", "val_accuracy", "validation"),
    ("test", "test_accuracy_mean", "test"),
    ("documented", "documented", "documented"),
    ("parameters", "params", "params"),
    ("MACs", "macs", "macs"),
    ("activations", "peak_activation_bytes", "memory"),
    ("run", "run", "run"),
    ("time", "train_seconds", "time"),
)

_SAID = {
    "better": "By more than noise explains, it is better than",
    "worse": "By more than noise explains, it is worse than",
    "unclear": "It is not clearly different from",
}

_BEST_FIRST = ("validation", "test", "documented")

_VERDICTS = {"better": "better", "worse": "worse", "unclear": "not clearly different"}
# Points by which a validation accuracy is above the test accuracy when the page says so.
_FLATTERED = 0.1


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
    usual = _usual([one.recipe for one in section.candidates])
    left_out = {"documented"} if all(one.documented is None for one in section.candidates) else set()
    return {
        "title": figures.dataset_title(section.dataset),
        "cards": _cards(section),
        "sentences": _sentences(section),
        "choice": _choice(section),
        "columns": [
            {"title": title, "key": key, "cell": cell, "down": "yes" if cell in _BEST_FIRST else "no"}
            for title, key, cell in _COLUMNS
            if cell not in left_out
        ],
        "origins": sorted({one.row.origin for one in section.candidates}),
        "strategies": sorted(strategies),
        "runs": sorted({one.row.run for one in section.candidates}),
        "rows": [_row(index, one, usual) for index, one in enumerate(section.candidates)],
        "searches": [_search(search) for search in section.searches],
    }


def _usual(recipes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the commonest value of each knob."""
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    return {
        name: json.loads(Counter(json.dumps(recipe.get(name)) for recipe in recipes).most_common(1)[0][0])
        for name in names
    }


def _row(index: int, one: Candidate, usual: Mapping[str, Any]) -> dict[str, Any]:
    row = one.row
    otherwise = [f"{name} {value}" for name, value in one.recipe.items() if name != "name" and usual[name] != value]
    return {
        "index": index,
        "rank": row.rank,
        "front": row.on_pareto_front,
        "origin": row.origin,
        "name": row.name,
        "params": f"{row.params:,}",
        "macs": figures.count(row.macs),
        "memory": figures.count(row.peak_activation_bytes),
        "validation": figures.percent(row.val_accuracy),
        "test": figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds),
        "documented": figures.percent(one.documented),
        "run": row.run,
        "time": figures.duration(row.train_seconds),
        "layers": row.layers,
        "otherwise": ", ".join(otherwise),
    }


def _choice(section: Section) -> dict[str, Any]:
    """Tell what was scored on the test images, by size, and how each compares with the documented models."""
    scored = sorted((one for one in section.candidates if one.test is not None), key=lambda one: one.row.params)
    found = [one for one in scored if one.row.origin != "baseline"]
    if not found:
        return {}
    against = list(dict.fromkeys(other.name for one in found for other in one.versus))
    return {
        "against": against,
        "rows": [
            {
                "index": section.candidates.index(one),
                "origin": one.row.origin,
                "name": one.row.name,
                "params": f"{one.row.params:,}",
                "bytes": figures.count(one.int8_weight_bytes),
                "macs": figures.count(one.row.macs),
                "test": figures.tested(one.row.test_accuracy_mean, one.row.test_accuracy_std, one.row.test_seeds),
                "verdicts": ["" if one.row.origin == "baseline" else _verdict(one, name) for name in against],
            }
            for one in _best_of_sizes(scored)
        ],
    }


def _best_of_sizes(scored: Sequence[Candidate]) -> list[Candidate]:
    """Leave out those that another one of at most their size beats, but no hand-made one; smallest first."""
    kept: list[Candidate] = []
    best = -1.0
    for one in sorted(scored, key=lambda each: (each.row.params, -(each.row.test_accuracy_mean or 0.0))):
        accuracy = one.row.test_accuracy_mean or 0.0
        if accuracy > best or one.row.origin == "baseline":
            kept.append(one)
            best = max(best, accuracy)
    return kept


def _verdict(one: Candidate, name: str) -> str:
    compared = [other for other in one.versus if other.name == name]
    if not compared:
        return figures.MISSING
    # Of several trainings of a documented model, the one that is most alike.
    other = min(compared, key=lambda each: len(each.trained))
    return f"{_VERDICTS[other.verdict]} ({100 * other.difference:+.2f}, n={other.seeds})"


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
        "failures": [f"{name}: {reason}" for name, reason in search.failures],
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
                "name": "best on the test images",
                "value": figures.spread(row.test_accuracy_mean, row.test_accuracy_std),
                "note": f"n={row.test_seeds}; {row.name}, {row.params:,} parameters; of {len(tested)} networks that "
                "were scored, hand-made ones among them",
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
        taken = sum(search.taken for search in section.searches)
        note = f"in {figures.duration(spent)} of training, by {len(section.searches)} searches"
        note = note.removesuffix("es") if len(section.searches) == 1 else note
        cards.append(
            {
                "name": "trained to search",
                "value": f"{trained - taken:,}",
                "note": f"{note}; the leaderboard also has what was trained otherwise",
            }
        )
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
    top = max(compared, key=lambda each: each.row.test_accuracy_mean or 0.0)
    row = top.row
    found = [
        f"{row.name} ({row.params:,} parameters) reaches "
        f"{figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds)} on the test images."
    ]
    for verdict, words in _SAID.items():
        names = dict.fromkeys(other.name for other in top.versus if other.verdict == verdict)
        found[0] += f" {words} {', '.join(names)}." if names else ""
    above = 100 * ((row.val_accuracy or 0.0) - (row.test_accuracy_mean or 0.0))
    if above >= _FLATTERED:
        found[0] += (
            f" Its validation accuracy is {above:.2f} points higher: it was chosen by that figure, which flatters what "
            f"is chosen by it."
        )
    if not top.versus:
        found.append(
            f"No documented model was scored on these images with several seeds; tinysearch reproduce --seeds 3 "
            f"does it (with the --dataset or --data of the search, here {section.dataset}, and its --epochs)."
        )
    otherwise = list(dict.fromkeys(other.trained for one in compared for other in one.versus if other.trained))
    if otherwise:
        found.append(
            f"The documented models were trained {'; '.join(otherwise)}: a part of a difference may come from that."
        )
    return found
