"""A report as one page that opens offline."""

from __future__ import annotations

import base64
import functools
import gzip
import json
import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.report import figures
from tinysearch.report.contents import Candidate, Progress, Report, Section
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import ACCURACY
from tinysearch.space.notation import LEGEND

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "page"
# Title, what it is sorted by, and what its cells show.
_COLUMNS = (
    ("#", "rank", "rank"),
    ("candidate", "name", "name"),
    ("validation of the metric", "val_metric", "val_metric"),
    ("test of the metric", "test_metric_mean", "test_metric"),
    ("validation", "val_accuracy", "validation"),
    ("test", "test_accuracy_mean", "test"),
    ("test, int8", "int8_accuracy_mean", "int8"),
    ("documented", "documented", "documented"),
    ("parameters", "params", "params"),
    ("MACs", "macs", "macs"),
    ("RAM", "peak_activation_bytes", "memory"),
    ("flash", "flash_bytes", "flash"),
    ("run", "run", "run"),
    ("time", "train_seconds", "time"),
)

# Those that are found by name; of others there is a file.
_DATASETS = ("mnist", "fashion_mnist", "digits")

_SAID = {
    "better": "It is better than {} by more than noise explains.",
    "worse": "It is worse than {} by more than noise explains.",
    "unclear": "It is not clearly different from {}.",
}

_BEST_FIRST = ("val_metric", "test_metric", "validation", "test", "int8", "documented")
# Where candidates are ranked by accuracy, these would be the same as those of it.
_OF_METRIC = {"val_metric": "validation", "test_metric": "test"}

_VERDICTS = {"better": "better", "worse": "worse", "unclear": "not clearly different"}
# Points by which a validation accuracy is above the test accuracy when the page says so.
_FLATTERED = 0.1


def to_html(report: Report) -> str:
    """Return the page. Whatever users have named is escaped."""
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


def rendered(template: str, **values: Any) -> str:
    """Return a page, or a part of one, by the name of its template."""
    text: str = _environment().get_template(template).render(**values)
    return text


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def part(name: str) -> str:
    """Return a file that pages are made of: a style sheet or a script."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def frame(title: str, subtitle: str) -> dict[str, str]:
    """Return what stands above and below the results of a page."""
    return {
        "title": f"tinysearch: {title}",
        "subtitle": subtitle,
        "footer": "Every figure is from the store: last epoch, test images used once per training. Parameters are "
        "Keras's total parameters, moving statistics of batch normalization included.",
        "legend": LEGEND,
    }


def _embedded(report: Report) -> str:
    """Return the data of the page, JSON in gzip in base64: a smaller page, in whose data no tag can begin or end."""
    data = report.to_dict()
    for section, plain in zip(report.sections, data["sections"], strict=True):
        plain["metric"] = metric_words(section)
        for one, candidate in zip(section.candidates, plain["candidates"], strict=True):
            candidate["reproduce"] = reproduce(section, report, one)
    text = json.dumps({"sections": data["sections"]}, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def metric_words(section: Section) -> dict[str, Any]:
    """Return what the scripts of a page know of the metric that candidates are ranked by."""
    return {
        "title": figures.metric_title(section.metric),
        "is_accuracy": section.metric == ACCURACY,
        "is_share": section.metric in OBJECTIVES,
        "sign": 1 if section.direction == "max" else -1,
    }


def reproduce(section: Section, report: Report, one: Candidate | None = None) -> str:
    """Return the command that trains a candidate again, or the baselines as the candidates were trained."""
    name = section.dataset.split()[0]
    words = ["tinysearch", "reproduce", *([one.row.key] if one is not None else []), "--seeds", "3"]
    if one is None:
        words += ["--epochs", str(section.best.row.epochs)]
    if name != "mnist":
        words += ["--dataset", name] if name in _DATASETS else ["--data", f"{name}.npz"]
    return shlex.join([*words, *report.store])


def section_words(section: Section, report: Report) -> dict[str, Any]:
    """Return what the templates show of a section, but for its rows and the choices among them."""
    titles = {cell: figures.metric_title(section.metric, part) for cell, part in _OF_METRIC.items()}
    hidden = {"documented"} if all(one.documented is None for one in section.candidates) else set()
    hidden |= set(_OF_METRIC) if section.metric == ACCURACY else set()
    hidden |= set() if any(one.row.int8_seeds for one in section.candidates) else {"int8"}
    hidden |= set() if any(one.row.flash_bytes is not None for one in section.candidates) else {"flash"}
    best_first = set(_BEST_FIRST) - (set() if section.direction == "max" else set(_OF_METRIC))
    return {
        "metric": figures.metric_title(section.metric),
        "mixed": ", ".join(section.mixed),
        "splits": "; ".join(section.splits),
        "flash": any(one.row.flash_bytes is not None for one in section.candidates),
        "title": figures.dataset_title(section.dataset),
        "cards": _cards(section),
        "sentences": _sentences(section, report),
        "held_out": any(one.test is not None and one.test.held_out for one in section.candidates),
        "choice": _choice(section),
        "columns": [
            {
                "title": titles.get(cell, title),
                "key": key,
                "cell": cell,
                "down": "yes" if cell in best_first else "no",
                "kind": {"name": "", "run": "run"}.get(cell, "n"),
            }
            for title, key, cell in _COLUMNS
            if cell not in hidden
        ],
        "searches": [_search(search, section.metric) for search in section.searches],
    }


def choices(section: Section) -> dict[str, list[str]]:
    """Return by what the rows of a section can be chosen."""
    return {
        "origins": sorted({one.row.origin for one in section.candidates}),
        "strategies": sorted({one.strategy for one in section.candidates if one.strategy}),
        "runs": sorted({one.row.run for one in section.candidates}),
    }


def row_words(section: Section) -> list[dict[str, Any]]:
    """Return what the templates show of each candidate."""
    usual = usual_recipe([one.recipe for one in section.candidates])
    return [row_word(index, one, usual) for index, one in enumerate(section.candidates)]


def usual_recipe(recipes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the commonest value of each knob."""
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    return {
        name: json.loads(Counter(json.dumps(recipe.get(name)) for recipe in recipes).most_common(1)[0][0])
        for name in names
    }


def row_word(index: int, one: Candidate, usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the templates show of a candidate.

    Args:
        index: Its place among the candidates of the section.
        one: The candidate.
        usual: The commonest recipe, from which its own may differ.
    """
    row = one.row
    otherwise = [f"{name} {value}" for name, value in one.recipe.items() if name != "name" and usual.get(name) != value]
    return {
        "index": index,
        "rank": row.rank,
        "front": row.on_pareto_front,
        "origin": row.origin,
        "name": row.name,
        "params": f"{row.params:,}",
        "macs": figures.count(row.macs),
        "memory": figures.count(row.peak_activation_bytes),
        "flash": figures.MISSING if row.flash_bytes is None else figures.count(row.flash_bytes),
        "int8": figures.tested(row.int8_accuracy_mean, row.int8_accuracy_std, row.int8_seeds),
        "val_metric": figures.validated(row.val_metric, row.val_seeds, row.metric),
        "test_metric": figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, row.metric),
        "validation": figures.validated(row.val_accuracy, row.val_seeds),
        "test": _tested(one),
        "documented": figures.percent(one.documented),
        "run": row.run,
        "time": figures.duration(row.train_seconds),
        "layers": row.layers,
        "otherwise": ", ".join(otherwise),
    }


def _tested(one: Candidate) -> str:
    """Write a test accuracy, marked where it is of trainings that did not see all training images."""
    row = one.row
    mark = " †" if one.test is not None and one.test.held_out else ""
    return figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds) + mark


def _choice(section: Section) -> dict[str, Any]:
    """Return what was scored on the test images, by size, and how each compares with the hand-designed baselines."""
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
                "memory": figures.count(one.row.peak_activation_bytes),
                "macs": figures.count(one.row.macs),
                "test": _tested(one),
                "verdicts": ["" if one.row.origin == "baseline" else _verdict(one, name) for name in against],
            }
            for one in _best_of_sizes(section, scored)
        ],
    }


def _best_of_sizes(section: Section, scored: Sequence[Candidate]) -> list[Candidate]:
    """Leave out those that another one of at most their size beats, but no hand-designed one; smallest first."""
    kept: list[Candidate] = []
    best = -math.inf
    for one in sorted(scored, key=lambda each: (each.row.params, -_test_score(section, each))):
        score = _test_score(section, one)
        if score > best or one.row.origin == "baseline" or not kept:
            kept.append(one)
            best = max(best, score)
    return kept


def _test_score(section: Section, one: Candidate) -> float:
    """Return what a candidate is ranked by, on the test images: the larger the better."""
    value = one.row.test_metric_mean
    if value is None:
        return -math.inf
    return value if section.direction == "max" else -value


def _verdict(one: Candidate, name: str) -> str:
    compared = [other for other in one.versus if other.name == name]
    if not compared:
        return figures.MISSING
    # Of several trainings of a hand-designed baseline, the one that is most alike.
    other = min(compared, key=lambda each: len(each.trained))
    error = "" if other.standard_error is None else f" ± {100 * other.standard_error:.2f}"
    return f"{_VERDICTS[other.verdict]} ({100 * other.difference:+.2f}{error})"


def _search(search: Progress, metric: str) -> dict[str, Any]:
    beside = [f"{search.reused} reused from other runs"] if search.reused else []
    beside += [f"{search.baselines} hand-designed beside"] if search.baselines else []
    return {
        "run": search.run + ("" if search.finished else " (not finished)"),
        "strategy": search.strategy,
        "budget": figures.MISSING if search.budget is None else f"{search.budget:,}",
        "seed": search.seed,
        "trials": ", ".join([f"{len(search.best)}", *beside]),
        "best": figures.measured(search.best[-1] if search.best else None, metric),
        "time": figures.duration(search.seconds[-1] if search.seconds else 0.0),
        "rejected": figures.rejected(search.rejections) or "none",
        "failures": [f"{name}: {reason}" for name, reason in search.failures],
    }


def _cards(section: Section) -> list[dict[str, Any]]:
    best = section.best
    tested = [one for one in section.candidates if one.row.test_metric_mean is not None]
    cards: list[dict[str, Any]] = [
        {
            "name": f"best by {figures.metric_title(section.metric, 'validation')}",
            "value": figures.validated(best.row.val_metric, best.row.val_seeds, section.metric),
            "candidate": best.row.name,
            "index": section.candidates.index(best),
            "note": f"{best.row.params:,} parameters",
        }
    ]
    if tested:
        top = max(tested, key=lambda one: _test_score(section, one))
        row = top.row
        of_metric = "" if section.metric == ACCURACY else f", {figures.metric_title(section.metric)}"
        drawn = sum(one.row.origin == "baseline" for one in tested)
        among = f"the best of {len(tested)} that were scored" if len(tested) > 1 else "the only one that was scored"
        among += f", {drawn} of them hand-designed" if drawn and len(tested) > 1 else ""
        cards.append(
            {
                "name": "best on the test images" + of_metric,
                "value": figures.spread(row.test_metric_mean, row.test_metric_std, section.metric),
                "candidate": row.name,
                "index": section.candidates.index(top),
                "note": f"n={row.test_seeds}, {row.params:,} parameters; {among}",
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
    trials = sum(len(search.best) - search.reused for search in section.searches)
    if trials:
        spent = sum(search.seconds[-1] for search in section.searches if search.seconds)
        failed = sum(len(search.failures) for search in section.searches)
        searches = f"{len(section.searches)} searches" if len(section.searches) > 1 else "one search"
        cards.append(
            {
                "name": "candidates trained",
                "value": f"{trials:,}",
                "note": f"in {figures.duration(spent)} of training, by {searches}"
                + (f"; {failed} trainings failed" if failed > 1 else "; one training failed" if failed else ""),
            }
        )
    return cards


def _sentences(section: Section, report: Report) -> list[dict[str, Any]]:
    """Say which network to take, and whether it is really better than the documented ones.

    A sentence begins with a candidate, where it is about one, and ends with a command, where there is one to give.
    """
    compared = [one for one in section.candidates if one.row.origin != "baseline" and one.test is not None]
    metric, most = figures.metric_title(section.metric), "highest" if section.direction == "max" else "lowest"
    if not compared:
        best = section.best
        return [
            {
                **_about(section, best),
                "text": f"has the {most} validation {metric}. It was chosen by it, so the figure flatters it, and "
                "single trainings cannot separate close candidates. What retrains the best with several seeds, and "
                "scores them on the test images, is",
                "command": shlex.join(["tinysearch", "evaluate", best.row.run, *report.store]),
            }
        ]
    top = max(compared, key=lambda each: _test_score(section, each))
    row = top.row
    text = (
        f"({row.params:,} parameters) reaches "
        f"{figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds)} on the test images."
    )
    if section.metric != ACCURACY:
        value = figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, section.metric)
        text = (
            f"({row.params:,} parameters) reaches a {metric} of {value} on the test "
            f"images, and an accuracy of {figures.percent(row.test_accuracy_mean)}, by which it is compared."
        )
    for verdict, words in _SAID.items():
        names = dict.fromkeys(other.name for other in top.versus if other.verdict == verdict)
        text += f" {words.format(', '.join(names))}" if names else ""
    above = 100 * ((row.val_metric or 0.0) - (row.test_metric_mean or 0.0))
    if section.metric in OBJECTIVES and above >= _FLATTERED:
        text += (
            f" Its validation {metric} is {above:.2f} points higher: it was chosen by that figure, which flatters what "
            f"is chosen by it, and the fewer the images held out and the epochs, the more chance is in it."
        )
    found: list[dict[str, Any]] = [{**_about(section, top), "text": text}]
    if not top.versus:
        text = "No hand-designed baseline was scored on these images with several seeds. What trains and scores them is"
        found.append({"text": text, "command": reproduce(section, report)})
    otherwise = list(dict.fromkeys(other.trained for one in compared for other in one.versus if other.trained))
    if otherwise:
        text = f"The baselines were trained {'; '.join(otherwise)}: a part of a difference may come from that."
        found.append({"text": text})
    return found


def _about(section: Section, one: Candidate) -> dict[str, Any]:
    return {"candidate": one.row.name, "index": section.candidates.index(one)}
