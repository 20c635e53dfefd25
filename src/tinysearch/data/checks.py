"""Checks of a dataset before anything is trained on it.

An error makes results wrong; a warning may make them wrong. Both are plain values, which the caller displays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tinysearch.data.comparison import Copies, Groups, copies, figures, same_channels
from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.data.splits import FOLDS
from tinysearch.errors import DatasetError, NoTestImagesError
from tinysearch.space.scalars import written

Severity = Literal["error", "warning"]

# Ratios of the standard deviations of two parts: at the first, their scales differ, as those of bytes and of numbers
# from 0 to 1; above the second, their distributions differ.
_OTHER_SCALE, _UNLIKE = 16.0, 3.0
# From this share of common images on, a part is a copy of an earlier one.
_COPIED = 0.5
_MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, or possible problem, of a dataset.

    Args:
        severity: ``"error"`` or ``"warning"``.
        kind: Short name of the kind of problem, such as ``"overlap"``.
        text: Description of the problem and its remedy, in a sentence or two.
    """

    severity: Severity
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings about a dataset."""

    found: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """Descriptions of problems that make results wrong."""
        return tuple(one.text for one in self.found if one.severity == "error")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Descriptions of problems that may make results wrong."""
        return tuple(one.text for one in self.found if one.severity == "warning")

    def require(self) -> None:
        """Raise an error if there are findings with severity ``"error"``.

        Raises:
            DatasetError: if there are any; its message contains all of them.
        """
        if self.errors:
            raise DatasetError(". ".join(self.errors))


def check(dataset: Dataset) -> Findings:
    """Return the problems of a dataset, including its test part, which is read for this."""
    return Findings(tuple(_findings(dataset)))


def checked(dataset: Dataset) -> Dataset:
    """Return a dataset with the warnings of its check and its number of test images.

    A dataset that has this number was checked before and is returned unchanged.

    Raises:
        DatasetError: if the check finds errors.
    """
    if dataset.test_images is not None:
        return dataset
    findings = check(dataset)
    findings.require()
    count = len(dataset.test()) if dataset.has_test() else 0
    return replace(dataset, warnings=findings.warnings, test_images=count)


def _findings(dataset: Dataset) -> Iterator[Finding]:
    try:
        test = dataset.test()
    except NoTestImagesError:
        test = None
    except DatasetError as error:
        test = None
        yield Finding("error", "test part", str(error))
    train, brought = dataset.train, None
    if dataset.split.kind == "given":
        cut = len(train) - dataset.split.held
        brought = Images(train.pixels[cut:], train.labels[cut:])
        train = Images(train.pixels[:cut], train.labels[:cut])
    own = copies(train)
    yield from _of_classes(dataset, train)
    yield from _of_split(dataset)
    yield from _of_images(dataset, train, own)
    # The test part is compared with the validation part too, because evaluations train on both.
    earlier: list[tuple[str, Copies, Callable[[int], int]]] = [("training", own, dataset.row)]
    groups = {part: Groups.of(found) for part, found in dataset.groups_of.items() if found is not None}
    for name, part in (("validation", brought), ("test", test)):
        if part is not None:
            marks = copies(part)
            yield from _of_ranges(train, part, name)
            for other, there, row in earlier:
                yield from _of_overlap(marks, name, there, other, row)
                yield from _of_groups(groups, name, other)
            yield from _of_missing(dataset, part, name)
            earlier.append((name, marks, int))


def _of_classes(dataset: Dataset, train: Images) -> Iterator[Finding]:
    counts = np.bincount(train.labels, minlength=dataset.task.classes)
    few = [number for number, count in enumerate(counts) if 0 < count < FOLDS]
    if few:
        shown = ", ".join(f"{name_of(dataset, number)} ({counts[number]})" for number in few[:_MOST_EXAMPLES])
        yield Finding(
            "warning",
            "few images",
            f"{_number(len(few), 'class has', 'classes have')} fewer than {FOLDS} training images: "
            f"{shown}{_more(few)}; some folds have none of them, so their accuracy is a matter of chance",
        )
    share = float(counts.max() / counts.sum())
    classes = dataset.task.classes
    if share >= min(2 / classes, (1 + 1 / classes) / 2):
        largest = name_of(dataset, int(counts.argmax()))
        yield Finding(
            "warning",
            "imbalance",
            f"{100 * share:.1f} % of the training images are of class {largest}: always predicting it has that "
            f"accuracy, which is the score to beat. `objective='balanced_accuracy'` weights all classes equally, and "
            f"`class_weight='balanced'` trains for it",
        )


def _of_split(dataset: Dataset) -> Iterator[Finding]:
    """Look for classes that have no image in a part of fold 0, as all images of a group are in the same part."""
    if dataset.split.kind != "groups":
        return
    labels = dataset.train.labels
    for rows, use in zip(dataset.split.parts(0, labels, dataset.groups), ("trained", "validated"), strict=True):
        present = np.bincount(labels[rows], minlength=dataset.task.classes)
        missing = [number for number, count in enumerate(present) if not count and number in labels]
        if missing:
            shown = ", ".join(name_of(dataset, number) for number in missing[:_MOST_EXAMPLES])
            yield Finding(
                "warning",
                "missing classes",
                f"the split by groups leaves no image of {_number(len(missing), 'class', 'classes')} in the part that "
                f"candidates are {use} on: {shown}{_more(missing)}; give images of more groups",
            )


def _of_images(dataset: Dataset, train: Images, own: Copies) -> Iterator[Finding]:
    if own.constant == len(train):
        yield Finding("error", "constant", "every training image is constant; there is nothing to learn from")
    elif own.constant:
        yield Finding(
            "warning",
            "constant",
            f"{_number(own.constant, 'training image is', 'training images are')} constant, the first is "
            f"number {dataset.row(own.first_constant)}; they may be damaged",
        )
    if same_channels(train):
        yield Finding(
            "warning",
            "grey",
            "red, green and blue are equal in all images that were looked at; grey needs a third of the inputs, and "
            "`reading=Reading(color='grey')` makes pictures of files grey",
        )
    twice = own.repeated()
    if twice.count:
        pairs = [(dataset.row(one), dataset.row(other)) for one, other in twice.examples]
        where = ", ".join(f"{one} and {other}" for one, other in pairs[:_MOST_EXAMPLES])
        yield Finding(
            "warning",
            "duplicates",
            f"{_number(twice.count, 'training image occurs', 'training images occur')} more than once (numbers "
            f"{where}{_more(twice.examples)}); copies that are trained on and validated on make a network look better "
            f"than it is",
        )
    if twice.disagreeing:
        one, other = twice.disagreement
        first, second = (name_of(dataset, int(train.labels[row])) for row in (one, other))
        yield Finding(
            "warning",
            "labels",
            f"{_number(twice.disagreeing, 'training image occurs', 'training images occur')} with two labels: number "
            f"{dataset.row(one)} is {first}, the same image at number {dataset.row(other)} is {second}",
        )


def _of_ranges(train: Images, part: Images, name: str) -> Iterator[Finding]:
    ours, theirs = figures(train), figures(part)
    ranges = (
        f"training images go from {written(ours.low)} to {written(ours.high)}, "
        f"{name} images from {written(theirs.low)} to {written(theirs.high)}"
    )
    small, large = sorted((ours.deviation, theirs.deviation))
    if large > 0 and small * _OTHER_SCALE <= large:
        yield Finding("error", "range", f"{ranges}: they have different scales; scale them in the same way first")
    elif small * _UNLIKE < large or abs(ours.mean - theirs.mean) > max(ours.deviation, theirs.deviation):
        yield Finding(
            "warning", "range", f"{ranges}, with different distributions; they may come from different sources"
        )


def _of_overlap(marks: Copies, name: str, earlier: Copies, other: str, row: Callable[[int], int]) -> Iterator[Finding]:
    """Compare a part with an earlier one; ``row`` maps the earlier part's images to their numbers in the source."""
    shared = earlier.shared_with(marks)
    if not shared.count:
        return
    share = shared.count / marks.total
    where = ", ".join(f"{here} is {row(there)}" for there, here in shared.examples[:_MOST_EXAMPLES])
    text = (
        f"{_number(shared.count, f'{name} image is', f'{name} images are')} among the {other} images too, "
        f"{100 * share:.1f} % of them ({name} number {where}{_more(shared.examples)})"
    )
    if share >= _COPIED:
        yield Finding("error", "overlap", f"{text}; such a part is useless; give another")
    else:
        yield Finding("warning", "overlap", f"{text}; scores on them are too optimistic")


def _of_groups(groups: Mapping[str, Groups], name: str, other: str) -> Iterator[Finding]:
    """Look for groups, such as persons or cameras, that have images in two parts."""
    if name not in groups or other not in groups:
        return
    both, count = groups[name].shared_with(groups[other])
    if both:
        share, named = count / groups[name].total, ", ".join(both[:_MOST_EXAMPLES]) + _more(both)
        yield Finding(
            "warning",
            "groups",
            f"{_number(len(both), 'group has', 'groups have')} images in the {other} part and in the {name} part "
            f"({named}): {_number(count, f'{name} image is', f'{name} images are')} of them, {100 * share:.1f} %; if "
            f"they are the same ones, scores are too optimistic for new groups",
        )


def _of_missing(dataset: Dataset, part: Images, name: str) -> Iterator[Finding]:
    counts = np.bincount(part.labels, minlength=dataset.task.classes)
    missing = [number for number, count in enumerate(counts) if not count]
    if missing:
        shown = ", ".join(name_of(dataset, number) for number in missing[:_MOST_EXAMPLES])
        yield Finding(
            "warning",
            "missing classes",
            f"the {name} part has no image of {_number(len(missing), 'class', 'classes')}: {shown}{_more(missing)}",
        )


def name_of(dataset: Dataset, number: int) -> str:
    """Return the name of a class, in quotes."""
    return repr(dataset.class_names[number]) if dataset.class_names else str(number)


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _more(items: Iterable[object]) -> str:
    return ", ..." if len(list(items)) > _MOST_EXAMPLES else ""
