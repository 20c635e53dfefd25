"""First screen of a section: cards, a recommended network, and the evidence for it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

from tinysearch.report import figures
from tinysearch.report.contents import Candidate, Report, Section
from tinysearch.report.table import tested
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import ACCURACY

_SAID = {
    "better": "It is significantly better than {}.",
    "worse": "It is significantly worse than {}.",
    "unclear": "It is not significantly different from {}.",
}
# Percentage points above the test accuracy from which the page calls a validation accuracy optimistic.
_FLATTERED = 0.1


def cards(section: Section) -> list[dict[str, Any]]:
    """Return the figures at the top of a section, each with a name and a note."""
    best = section.best
    scored = [one for one in section.candidates if one.row.test_metric_mean is not None]
    found: list[dict[str, Any]] = [
        {
            "name": f"best by {figures.metric_title(section.metric, 'validation')}",
            "value": figures.validated(best.row.val_metric, best.row.val_seeds, section.metric),
            "candidate": best.row.name,
            "index": section.candidates.index(best),
            "note": f"{best.row.params:,} parameters",
        }
    ]
    if scored:
        top = max(scored, key=lambda one: _test_score(section, one))
        row = top.row
        of_metric = "" if section.metric == ACCURACY else f", {figures.metric_title(section.metric)}"
        drawn = sum(one.row.origin == "baseline" for one in scored)
        among = f"the best of {len(scored)} that were scored" if len(scored) > 1 else "the only one that was scored"
        among += f", {drawn} of them hand-designed" if drawn and len(scored) > 1 else ""
        found.append(
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
        found.append(
            {
                "name": "budget" if len(budgets) == 1 else "budgets",
                "value": ", ".join(f"{budget:,}" for budget in budgets),
                "note": "parameters; every candidate has fewer",
            }
        )
    trials = sum(len(search.best) - search.reused for search in section.searches)
    if trials:
        spent = sum(search.seconds[-1] for search in section.searches if search.seconds)
        failed = sum(len(search.failures) for search in section.searches)
        searches = f"{len(section.searches)} searches" if len(section.searches) > 1 else "one search"
        found.append(
            {
                "name": "candidates trained",
                "value": f"{trials:,}",
                "note": f"in {figures.duration(spent)} of training, by {searches}"
                + (f"; {failed} trainings failed" if failed > 1 else "; one training failed" if failed else ""),
            }
        )
    return found


def sentences(section: Section, report: Report) -> list[dict[str, Any]]:
    """Return sentences that recommend a network, and say whether it is better than the hand-designed baselines.

    A sentence may start with a candidate and end with a command.
    """
    compared = [one for one in section.candidates if one.row.origin != "baseline" and one.test is not None]
    metric, most = figures.metric_title(section.metric), "highest" if section.direction == "max" else "lowest"
    if not compared:
        best = section.best
        return [
            {
                **_about(section, best),
                "text": f"has the {most} validation {metric}. It was selected by this figure, which is therefore "
                "optimistic, and single trainings cannot separate close candidates. To retrain the best with several "
                "seeds and score them on the test images, run",
                "command": shlex.join(["tinysearch", "evaluate", best.row.run, *section.data, *report.store]),
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
            f"images, and an accuracy of {figures.percent(row.test_accuracy_mean)}, which the comparison uses."
        )
    for verdict, words in _SAID.items():
        names = dict.fromkeys(other.name for other in top.versus if other.verdict == verdict)
        text += f" {words.format(', '.join(names))}" if names else ""
    above = 100 * ((row.val_metric or 0.0) - (row.test_metric_mean or 0.0))
    if section.metric in OBJECTIVES and above >= _FLATTERED:
        text += (
            f" Its validation {metric} is {above:.2f} points above that on the test images. It was selected by "
            f"this figure, which is therefore optimistic, the more so with few held-out images or few epochs."
        )
    found: list[dict[str, Any]] = [{**_about(section, top), "text": text}]
    if not top.versus:
        text = "No hand-designed baseline was scored on these images with several seeds. To train and score them, run"
        found.append({"text": text, "command": reproduce(section, report)})
    otherwise = list(dict.fromkeys(other.trained for one in compared for other in one.versus if other.trained))
    if otherwise:
        text = f"The baselines were trained {'; '.join(otherwise)}, which may explain part of a difference."
        found.append({"text": text})
    return found


def choice(section: Section) -> dict[str, Any]:
    """Return the table of networks scored on the test images, by size, compared with the hand-designed baselines."""
    scored = sorted((one for one in section.candidates if one.test is not None), key=lambda one: one.row.params)
    found = [one for one in scored if one.row.origin != "baseline"]
    if not found:
        return {}
    against = list(dict.fromkeys(other.name for one in found for other in one.versus))
    return {
        "against": against,
        "flash": any(one.row.flash_bytes is not None for one in scored),
        "rows": [
            {
                "index": section.candidates.index(one),
                "origin": one.row.origin,
                "name": one.row.name,
                "params": f"{one.row.params:,}",
                "bytes": figures.count(one.int8_weight_bytes),
                "flash": figures.MISSING if one.row.flash_bytes is None else figures.count(one.row.flash_bytes),
                "memory": figures.count(one.row.peak_activation_bytes),
                "macs": figures.count(one.row.macs),
                "test": tested(one),
                "verdicts": ["" if one.row.origin == "baseline" else _verdict(one, name) for name in against],
            }
            for one in _best_of_sizes(section, scored)
        ],
    }


def reproduce(section: Section, report: Report, one: Candidate | None = None) -> str:
    """Return the command that trains a candidate again; without one, the baselines for as many epochs as the best."""
    words = ["tinysearch", "reproduce", *([one.row.key] if one is not None else []), "--seeds", "3"]
    if one is None:
        return shlex.join([*words, "--epochs", str(section.best.row.epochs), *section.of_baselines, *report.store])
    return shlex.join([*words, *section.data, *report.store])


def _best_of_sizes(section: Section, scored: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that none of at most their size beats, and all hand-designed ones; smallest first."""
    kept: list[Candidate] = []
    best = -math.inf
    for one in sorted(scored, key=lambda each: (each.row.params, -_test_score(section, each))):
        score = _test_score(section, one)
        if score > best or one.row.origin == "baseline" or not kept:
            kept.append(one)
            best = max(best, score)
    return kept


def _test_score(section: Section, one: Candidate) -> float:
    """Return the ranking metric of a candidate on the test images, negated if low values are better."""
    value = one.row.test_metric_mean
    if value is None:
        return -math.inf
    return value if section.direction == "max" else -value


def _verdict(one: Candidate, name: str) -> str:
    compared = [other for other in one.versus if other.name == name]
    if not compared:
        return figures.MISSING
    # Several trainings of a baseline: take the one with the shortest list of differences to the candidate.
    other = min(compared, key=lambda each: len(each.trained))
    error = "" if other.standard_error is None else f" ± {100 * other.standard_error:.2f}"
    return f"{other.verdict} ({100 * other.difference:+.2f}{error})"


def _about(section: Section, one: Candidate) -> dict[str, Any]:
    return {"candidate": one.row.name, "index": section.candidates.index(one)}
