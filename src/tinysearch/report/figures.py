"""Formatting of figures, used by all renderings: percent, counts, durations, times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from tinysearch.results.objective import OBJECTIVES, title_of
from tinysearch.results.record import ACCURACY, INT8_ACCURACY
from tinysearch.space.scalars import written

MISSING = "-"
# Metrics that are formatted as percent.
_SHARES = {*OBJECTIVES, INT8_ACCURACY}
_REASONS = {
    "params": "with too many parameters",
    "macs": "with too many MACs",
    "peak_activation_bytes": "with too much RAM",
    "int8_weight_bytes": "with too many bytes of weights",
    "flash_bytes": "with too much flash",
    "duplicate": "proposed before",
    "shape": "too deep for the images",
}


def dataset_title(name: str) -> str:
    """Format the name of a dataset, with a warning for scikit-learn's digits, which stand in for MNIST.

    >>> dataset_title("mnist"), dataset_title("digits")
    ('mnist', "digits (scikit-learn's 8x8 digits scaled up, not MNIST)")
    """
    return f"{name} (scikit-learn's 8x8 digits scaled up, not MNIST)" if name.split()[0] == "digits" else name


def percent(fraction: float | None, digits: int = 2) -> str:
    """Format a fraction as percent.

    >>> percent(0.99204), percent(None)
    ('99.20 %', '-')
    """
    return MISSING if fraction is None else f"{100 * fraction:.{digits}f} %"


def measured(value: float | None, metric: str = ACCURACY) -> str:
    """Format the value of a metric: built-in metrics as percent, others as plain numbers.

    >>> measured(0.5, "macro_f1"), measured(12.3456, "mine:Cost"), measured(98_765.4, "mine:Cost")
    ('50.00 %', '12.35', '98,765')
    """
    if value is None or metric in _SHARES:
        return percent(value)
    return written(value, 4)


def metric_title(metric: str, part: str = "") -> str:
    """Format the name of a metric and of the images it was measured on; with a part, accuracy is not named.

    >>> metric_title("accuracy", "validation"), metric_title("macro_f1", "validation"), metric_title("macro_f1")
    ('validation', 'validation macro F1', 'macro F1')
    """
    if metric == ACCURACY and part:
        return part
    return f"{part} {title_of(metric)}".strip()


def tested(mean: float | None, std: float | None, seeds: int, metric: str = ACCURACY) -> str:  # noqa: PT028
    """Format a metric on the test images with its standard deviation and the number of seeds.

    >>> tested(0.9912, 0.0004, 3), tested(0.9912, None, 1)
    ('99.12 ± 0.04 % (n=3)', '99.12 % (n=1)')
    """
    return MISSING if mean is None else f"{spread(mean, std, metric)} (n={seeds})"


def validated(mean: float | None, seeds: int, metric: str = ACCURACY) -> str:
    """Format a metric on the validation images, with the number of trainings if it is a mean.

    >>> validated(0.9912, 1), validated(0.9912, 3), validated(None, 0)
    ('99.12 %', '99.12 % (n=3)', '-')
    """
    return measured(mean, metric) + (f" (n={seeds})" if seeds > 1 else "")


def mean_and_std(fractions: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the sample standard deviation; None instead of the latter for a single value.

    >>> mean_and_std([0.5, 0.5]), mean_and_std([0.5])
    ((0.5, 0.0), (0.5, None))
    """
    return statistics.fmean(fractions), statistics.stdev(fractions) if len(fractions) > 1 else None


def p_value(value: float | None) -> str:
    """Format a p value.

    >>> p_value(0.04), p_value(1e-9), p_value(None)
    ('0.040', '< 0.001', '-')
    """
    if value is None:
        return MISSING
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def spread(mean: float | None, std: float | None, metric: str = ACCURACY) -> str:
    """Format the mean of a metric with its standard deviation.

    >>> spread(0.9912, 0.0004), spread(0.9912, None), spread(None, None)
    ('99.12 ± 0.04 %', '99.12 %', '-')
    """
    if mean is None:
        return MISSING
    if metric not in _SHARES:
        return written(mean, 4) + ("" if std is None else f" ± {written(std, 2)}")
    apart = "" if std is None else f" ± {100 * std:.2f}"
    return f"{100 * mean:.2f}{apart} %"


def params(total: int, trainable: int, non_trainable: int) -> str:
    """Format a number of parameters with its trainable and non-trainable parts.

    >>> params(8640, 8580, 60)
    '8,640 (8,580 + 60)'
    """
    return f"{total:,} ({trainable:,} + {non_trainable:,})"


def training(purpose: str, seed: int, test_accuracy: float | None) -> str:
    """Describe a training of a candidate.

    >>> training("evaluation", 0, 0.9845)
    'trained on all training images with seed 0, 98.45 % on the test images'
    >>> training("search", 1, None)
    'trained in the search with seed 1, not scored on the test images'
    """
    how = {"search": "trained in the search", "trained again": "trained again on all training images"}
    scored = f"{percent(test_accuracy)} on the test images" if test_accuracy is not None else ""
    if purpose != "trained again" and not scored:
        scored = "not scored on the test images"
    return f"{how.get(purpose, 'trained on all training images')} with seed {seed}" + (scored and f", {scored}")


def count(number: float) -> str:
    """Format a count with three digits and a unit.

    >>> count(999), count(113_712), count(1_270_820), count(1.5e12)
    ('999', '114k', '1.27M', '1,500G')
    """
    for limit, unit in ((1e3, ""), (1e6, "k"), (1e9, "M")):
        if number < 0.9995 * limit:
            scaled = number / (limit / 1e3)
            return f"{scaled:.0f}{unit}" if scaled >= 100 or not unit else f"{scaled:.3g}{unit}"
    return f"{written(number / 1e9, 3)}G"


def magnitude(number: int) -> str:
    """Format a count of any size: all digits below a million, else the power of ten.

    >>> magnitude(12_345), magnitude(3 * 10**230)
    ('12,345', 'about 10^230')
    """
    exponent = len(str(number)) - 1
    return f"{number:,}" if exponent < 6 else f"about 10^{exponent}"


def moment(told: str) -> str:
    """Format a stored ISO time to the minute in UTC; other text stays as it is.

    >>> moment("2026-11-27T07:21:27.972+00:00"), moment("")
    ('2026-11-27 07:21 UTC', '-')
    """
    if "T" not in told:
        return told or MISSING
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        return told
    return f"{when.astimezone(timezone.utc) if when.tzinfo else when:%Y-%m-%d %H:%M} UTC"


def exact(number: int) -> str:
    """Format a count with all its digits.

    >>> exact(113_712)
    '113,712'
    """
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Format a count with its noun.

    >>> counted(0, "trial"), counted(1, "trial"), counted(1_200, "trial")
    ('0 trials', '1 trial', '1,200 trials')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def epochs(number: int) -> str:
    """Format a number of epochs.

    >>> epochs(1), epochs(10)
    ('1 epoch', '10 epochs')
    """
    return counted(number, "epoch")


def duration(seconds: float) -> str:
    """Format a duration.

    >>> duration(7.25), duration(125), duration(3725)
    ('7s', '2m 05s', '1h 02m')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def rough(seconds: float) -> str:
    """Format an estimated duration, rounded to the precision of an estimate.

    >>> rough(7.25), rough(125), rough(754), rough(3725)
    ('5s', '2m 00s', '13m 00s', '1h 00m')
    """
    step = 5 if seconds < 60 else 10 if seconds < 600 else 60 if seconds < 3600 else 300
    return duration(max(5, step * math.ceil(seconds / step - 0.5)))


def rejected(rejections: Mapping[str, int]) -> str:
    """Format the numbers of rejected candidates with their reasons.

    >>> rejected({"params": 1_200, "duplicate": 3}), rejected({})
    ('3 proposed before, 1,200 with too many parameters', 'no network')
    """
    if not rejections:
        return "no network"
    return ", ".join(f"{number:,} {_REASONS.get(reason, reason)}" for reason, number in sorted(rejections.items()))


def sparkline(values: list[float], width: int = 40) -> str:
    """Draw values as a row of block characters, scaled to their range.

    >>> sparkline([0.1, 0.5, 0.9])
    '▁▄█'
    """
    blocks = "▁▂▃▄▅▆▇█"
    if len(values) > width:
        values = [values[round(index * (len(values) - 1) / (width - 1))] for index in range(width)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = (high - low) or 1.0
    return "".join(blocks[int((value - low) / span * (len(blocks) - 1))] for value in values)
