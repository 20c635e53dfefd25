"""Splits: which of the training images are held out for validation.

A fold is one of ten parts of the training images. A search holds out fold 0, revalidations hold out other folds, and an
evaluation trains on all images.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tinysearch.errors import DatasetError
from tinysearch.space.scalars import integer, option

if TYPE_CHECKING:
    # A leaderboard reads the split of a run without importing NumPy.
    import numpy as np
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

FOLDS = 10

Kind = Literal["last", "stratified", "groups", "given"]
KINDS: tuple[str, ...] = ("last", "stratified", "groups", "given")


@dataclass(frozen=True, slots=True)
class Split:
    """Rule that divides training images into images to train on and images to validate on. A plain value.

    Args:
        kind: ``"last"``: the last tenth, as Keras's ``validation_split`` takes it; other folds are the tenths before
            it. ``"stratified"``: ten parts with the same share of each class. ``"groups"``: the same as far as
            possible, with all images of a group (a person, a camera) in one part. ``"given"``: the last ``held``
            images, which the data provides for validation, for every fold.
        seed: Seed of the division, for ``"stratified"`` and ``"groups"`` only.
        folds: Number of parts.
        held: Number of images held out, for ``"given"`` only.

    Raises:
        DatasetError: if a value is out of range.

    >>> import numpy as np
    >>> train, validation = Split("stratified", folds=2).parts(0, np.array([0, 0, 1, 1, 1, 1]))
    >>> len(train), len(validation)
    (3, 3)
    """

    kind: Kind = "last"
    seed: int = 0
    folds: int = FOLDS
    held: int = 0

    def __post_init__(self) -> None:
        if option(self.kind, KINDS) is None:
            raise DatasetError(f"a split is one of {', '.join(KINDS)}; got {self.kind!r}")
        for name, low in (("seed", 0), ("folds", 2), ("held", 1 if self.kind == "given" else 0)):
            whole = integer(getattr(self, name))
            if whole is None or not low <= whole < 2**31:
                raise DatasetError(f"{name} of a split is a whole number from {low}, got {getattr(self, name)!r}")
            object.__setattr__(self, name, whole)

    def parts(
        self, fold: int | None, labels: npt.NDArray[np.integer[Any]], groups: npt.NDArray[np.generic] | None = None
    ) -> tuple[Rows, Rows]:
        """Return the numbers of the images to train on, and of those to validate on, each in ascending order.

        A pure function of the split, the labels and the groups.

        Args:
            fold: Number from 0 to ``folds`` minus one; None to train on all images.
            labels: Labels of all training images, shape ``(images,)``.
            groups: Groups of all training images, shape ``(images,)``; for ``"groups"`` only.

        Raises:
            DatasetError: if the fold is out of range, groups are missing, or there are too few images or groups.
        """
        import numpy as np

        count = len(labels)
        if fold is None:
            return np.arange(count), np.arange(0)
        if not 0 <= fold < self.folds:
            raise DatasetError(f"a fold is a number from 0 to {self.folds - 1}, got {fold}")
        held = np.zeros(count, bool)
        held[self._held_out(fold, labels, groups)] = True
        if not held.any() or held.all():
            raise DatasetError(
                f"fold {fold} of {count:,} images, split by {self.kind!r}, leaves nothing "
                f"to {'train' if held.all() else 'validate'} on; give more images"
            )
        return np.flatnonzero(~held), np.flatnonzero(held)

    def _held_out(
        self, fold: int, labels: npt.NDArray[np.integer[Any]], groups: npt.NDArray[np.generic] | None
    ) -> Rows | slice:
        import numpy as np

        count = len(labels)
        if self.kind == "given":
            return slice(count - self.held, count)
        if self.kind == "last":
            return counted_from_the_end(count, max(1, round(count / self.folds)), fold, self.folds)
        if self.kind == "stratified":
            # Images are dealt to the folds in turn, class by class: class counts and fold sizes differ by at most one.
            order = np.random.default_rng(self.seed).permutation(count)
            dealt = order[np.argsort(labels[order], kind="stable")]
            return dealt[fold :: self.folds]
        if groups is None or len(groups) != count:
            raise DatasetError("a split by groups needs the group of each training image")
        return _of_groups(fold, self.folds, self.seed, labels, groups)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Split:
        """Make a split from plain JSON values. Without any values, it is the split of Keras.

        Raises:
            DatasetError: if a field is unknown or out of range.
        """
        unknown = sorted(set(data) - {item.name for item in dataclasses.fields(cls)})
        if unknown:
            raise DatasetError(f"a split has no field {unknown[0]!r}")
        return cls(**data)

    @property
    def words(self) -> str:
        """Description of the images that are held out."""
        return {
            "last": "the last tenth of the training images",
            "stratified": f"one of {self.folds} folds, drawn by class",
            "groups": f"one of {self.folds} folds, drawn by class and with no group in two of them",
            "given": "the validation part of the data",
        }[self.kind]

    def part(self, fold: int | None) -> str:
        """Return a description of the images that a fold holds out.

        >>> Split("stratified").part(2), Split().part(0), Split().part(None)
        ('fold 2: one of 10 folds, drawn by class, seed 0', 'fold 0: the last tenth of the training images', 'nothing')
        >>> Split().part(2)
        'fold 2: part 3 of 10 of the training images, counted from the end'
        """
        if fold is None:
            return "nothing"
        if self.kind == "last" and fold:
            return f"fold {fold}: part {fold + 1} of {self.folds} of the training images, counted from the end"
        if self.kind == "given":
            return self.words
        drawn = f", seed {self.seed}" if self.kind in ("stratified", "groups") else ""
        return f"fold {fold}: {self.words}{drawn}"


def counted_from_the_end(count: int, size: int, fold: int, folds: int) -> slice:
    """Return the images of a fold; fold 0 has the last images, the highest fold the first ones.

    All folds are different and have the same size; they overlap if the images cannot be divided evenly.
    """
    begin = max(0, count - (fold + 1) * size)
    if count <= (folds - 1) * size:
        # With so few images, consecutive folds would repeat at the beginning; they are spread evenly instead.
        begin = round((count - size) * (folds - 1 - fold) / (folds - 1))
    return slice(begin, begin + size)


def _of_groups(
    fold: int, folds: int, seed: int, labels: npt.NDArray[np.integer[Any]], groups: npt.NDArray[np.generic]
) -> Rows:
    import numpy as np

    from tinysearch.runtime.backend import generators_kept

    with generators_kept():
        from sklearn.model_selection import StratifiedGroupKFold

    names, places = np.unique(groups, return_inverse=True)
    if len(names) < folds:
        # With fewer groups than folds, each group is a fold, and the numbers of folds wrap around.
        folds = len(names)
        if folds < 2:
            raise DatasetError(f"all training images are of one group, {str(names[0])!r}; at least 2 groups are needed")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # The checks warn about classes that have fewer images than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        try:
            found = [held for _, held in splitter.split(np.zeros(len(labels)), labels, places)]
        except ValueError as error:
            raise DatasetError(f"the training images cannot be split by groups: {error}; give more images") from None
    return np.asarray(found[fold % folds], np.int64)
