"""The training that a network comes from, and the test accuracies of its candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinysearch.report import figures
from tinysearch.results.record import Record


def origin_of(record: Record, records: Sequence[Record], *, kept: bool) -> dict[str, Any]:
    """Return the origin of a network as plain JSON values.

    Args:
        record: The training that the network comes from.
        records: All trainings of the network. Evaluations count if they belong to the same candidate, hence to the same
            recipe, and were scored on the same test images.
        kept: Whether the model of that training was kept; if not, the network was trained again.
    """
    evaluated = [
        one
        for one in (*records, record)
        if one.purpose == "evaluation"
        and one.test_accuracy is not None
        and (one.key, one.fingerprint) == (record.key, record.fingerprint)
    ]
    # The last one is the training itself if it was scored, otherwise the latest of the others.
    marks = [one.test_fingerprint for one in evaluated]
    scored = {one.seed: one.test_accuracy for one in evaluated if one.test_fingerprint == marks[-1]}
    return {
        "run": record.run,
        "key": record.key,
        "seed": record.seed,
        "purpose": record.purpose if kept else "trained again",
        **({"test_accuracy": record.test_accuracy} if kept else {}),
        "test_accuracies": {str(seed): scored[seed] for seed in sorted(scored)},
    }


def told(origin: Mapping[str, Any]) -> list[str]:
    """Return lines on the training that a network comes from and on the test accuracy of its candidate over all seeds.

    >>> told({"purpose": "evaluation", "seed": 0, "test_accuracy": 0.98, "test_accuracies": {"0": 0.98, "1": 0.97}})[1]
    'over 2 seeds the candidate reaches 97.50 ± 0.71 % on the test images (mean ± standard deviation, n=2)'
    """
    if "purpose" not in origin:
        return []
    own = origin.get("test_accuracy")
    lines = [f"the network was {figures.training(origin['purpose'], origin['seed'], own)}"]
    accuracies = list(origin.get("test_accuracies", {}).values())
    if len(accuracies) > 1:
        mean = figures.spread(*figures.mean_and_std(accuracies))
        count = len(accuracies)
        lines.append(
            f"over {count} seeds the candidate reaches {mean} on the test images (mean ± standard deviation, n={count})"
        )
    elif accuracies and own is None:
        lines.append(f"with one seed the candidate has reached {figures.percent(accuracies[0])} on the test images")
    return lines
