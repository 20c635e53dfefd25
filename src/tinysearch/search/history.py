"""The order of a run: what was proposed at which position, what came of it, and what may be known when."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.results.packed import packed
from tinysearch.results.record import Record
from tinysearch.space.architecture import Architecture, Head, Layer
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

_NONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """Whose records a proposal knows: those of the positions before ``first``, and of some later ones."""

    first: int
    later: tuple[int, ...] = ()


class TrialHistory:
    """Positions count from 0: the hand-designed baselines first, then the trials.

    With a lag of L, what is proposed at position i may depend on the records of positions 0 to i - L and on nothing
    later, whichever of the trainings under way is done first. A run is therefore a function of its settings, however
    many workers it has and however fast they are.

    Without a lag, a proposal knows whatever is known at its moment.

    Args:
        lag: L, at least 1; None for no lag.
        stored: Records of a run that is resumed, by position. There may be gaps, where a training was interrupted.
        proposed: What proposals knew that were made without a lag before the run was interrupted, by position: they
            are made again as they were.
    """

    def __init__(
        self,
        lag: int | None,
        stored: Mapping[int, Record] | None = None,
        proposed: Mapping[int, Known] | None = None,
    ) -> None:
        self.lag = lag
        self.keys: set[str] = set()
        self.rejections: Counter[str] = Counter()
        self._stored = dict(stored or {})
        self._before = dict(proposed or {})
        self._proposed: list[Candidate] = []
        self._records: dict[int, Record] = {}
        self._first: list[Record] = []
        self._later: set[int] = set()
        self._alike = _Alike()
        self._skip_stored()

    @property
    def position(self) -> int:
        """The position that is proposed next."""
        return len(self._proposed)

    @property
    def open(self) -> bool:
        """Whether all is known that the next proposal may depend on."""
        if self.lag is not None:
            return self.position < len(self._first) + self.lag
        known = self._before.get(self.position)
        return known is None or (known.first <= len(self._first) and self._later.issuperset(self._beyond(known)))

    def basis(self) -> Known:
        """Return whose records the next proposal may depend on."""
        if self.lag is not None:
            return Known(min(len(self._first), max(0, self.position - self.lag + 1)))
        return self._before.get(self.position) or Known(len(self._first), tuple(sorted(self._later)))

    def known(self) -> Sequence[Record]:
        """Return the records that the next proposal may depend on, in order; only to be read."""
        basis = self.basis()
        first = self._first if basis.first == len(self._first) else self._first[: basis.first]
        return [*first, *(self._records[position] for position in basis.later)] if basis.later else first

    def pending(self) -> Sequence[Candidate]:
        """Return what was proposed and is not among what the next proposal may depend on, in order, done or not."""
        basis = self.basis()
        later = set(basis.later)
        return [self._proposed[place] for place in range(basis.first, self.position) if place not in later]

    def ahead(self) -> set[str]:
        """Return the keys of records whose positions are still to come."""
        return {record.key for record in self._stored.values()}

    def propose(self, candidate: Candidate, rejections: Mapping[str, int]) -> None:
        """Note what is proposed at the next position; positions that are in the store are passed over."""
        self._propose(candidate, rejections)
        self._skip_stored()

    def record(self, position: int, record: Record) -> None:
        """Note what came of a position. What its network costs layer by layer is not kept: it would be half of all."""
        proposed = self._proposed[position].architecture if position < self.position else None
        self._records[position] = replace(
            record,
            architecture=proposed if proposed == record.architecture else record.architecture,
            cost=replace(record.cost, layers=()),
            recipe=self._alike.mapping(record.recipe),
            measurement=replace(record.measurement, curve=packed(record.measurement.curve)),
            provenance=self._alike.mapping(record.provenance),
            rejections=record.rejections or _NONE,
        )
        self._later.add(position)
        while len(self._first) in self._later:
            self._later.remove(len(self._first))
            self._first.append(self._records[len(self._first)])

    def at(self, position: int) -> Record:
        """Return the record of a position."""
        return self._records[position]

    def records(self) -> list[Record]:
        """Return all records in the order of their positions, those still ahead of the next position included.

        Their costs are without layers.
        """
        every = {**self._stored, **self._records}
        return [every[position] for position in sorted(every)]

    @property
    def done(self) -> int:
        """How many positions have a record."""
        return len(self._records) + len(self._stored)

    def _beyond(self, known: Known) -> list[int]:
        """Return the later positions of what a proposal knew that are not among the first by now."""
        return [position for position in known.later if position >= len(self._first)]

    def _propose(self, candidate: Candidate, rejections: Mapping[str, int]) -> None:
        alike = Candidate(self._alike.architecture(candidate.architecture), self._alike.recipe(candidate.recipe))
        self._proposed.append(alike)
        self.keys.add(candidate.key)
        self.rejections.update(rejections)

    def _skip_stored(self) -> None:
        while (record := self._stored.pop(self.position, None)) is not None:
            position = self.position
            self._propose(Candidate(record.architecture, Recipe.from_dict(record.recipe)), record.rejections)
            self.record(position, record)


class _Alike:
    """Gives equal parts of a history as one object, so that 100,000 trials take half of the memory.

    Layers repeat, and so do recipes and what trainings ran on; there are few of them.
    """

    _KEPT = 8

    def __init__(self) -> None:
        self._layers: dict[Layer, Layer] = {}
        self._heads: dict[Head, Head] = {}
        self._recipes: dict[Recipe, Recipe] = {}
        self._mappings: deque[Mapping[str, Any]] = deque(maxlen=self._KEPT)

    def architecture(self, architecture: Architecture) -> Architecture:
        """Return an equal architecture, of layers and a head that others have too."""
        layers = tuple(self._layers.setdefault(one, one) for one in architecture.layers)
        return replace(architecture, layers=layers, head=self._heads.setdefault(architecture.head, architecture.head))

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the first recipe that was equal."""
        return self._recipes.setdefault(recipe, recipe)

    def mapping(self, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an equal mapping if one of the latest was."""
        for one in self._mappings:
            if one == mapping:
                return one
        self._mappings.append(mapping)
        return mapping
