"""The trial history of a run: proposals and records by position, and which records each proposal may depend on."""

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
    """Positions whose records a proposal may depend on: all before ``first``, and those in ``later``."""

    first: int
    later: tuple[int, ...] = ()


class TrialHistory:
    """History of proposals and records by position, counted from 0: hand-designed baselines first, then trials.

    With a lag of L, the proposal at position i may depend only on the records of positions 0 to i - L, whichever
    running training finishes first. A run is therefore a function of its settings, independent of the number and the
    speed of its workers.

    Without a lag, a proposal depends on all records that exist when it is made.

    Args:
        lag: L, at least 1; None for no lag.
        stored: Records of a resumed run, by position. It has gaps where a training was interrupted.
        proposed: Records that proposals without a lag depended on before the run was interrupted, by position. The
            proposals are repeated with the same records.
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
        """The position of the next proposal."""
        return len(self._proposed)

    @property
    def open(self) -> bool:
        """Whether all records that the next proposal may depend on are known."""
        if self.lag is not None:
            return self.position < len(self._first) + self.lag
        known = self._before.get(self.position)
        return known is None or (known.first <= len(self._first) and self._later.issuperset(self._beyond(known)))

    def basis(self) -> Known:
        """Return the positions whose records the next proposal may depend on."""
        if self.lag is not None:
            return Known(min(len(self._first), max(0, self.position - self.lag + 1)))
        return self._before.get(self.position) or Known(len(self._first), tuple(sorted(self._later)))

    def known(self) -> Sequence[Record]:
        """Return the records that the next proposal may depend on, in order; do not modify the list."""
        basis = self.basis()
        first = self._first if basis.first == len(self._first) else self._first[: basis.first]
        return [*first, *(self._records[position] for position in basis.later)] if basis.later else first

    def pending(self) -> Sequence[Candidate]:
        """Return the proposed candidates, done or not, whose records the next proposal may not depend on, in order."""
        basis = self.basis()
        later = set(basis.later)
        return [self._proposed[place] for place in range(basis.first, self.position) if place not in later]

    def ahead(self) -> set[str]:
        """Return the keys of stored records at positions after the next one."""
        return {record.key for record in self._stored.values()}

    def propose(self, candidate: Candidate, rejections: Mapping[str, int]) -> None:
        """Add a proposal at the next position; positions that the store already has are skipped."""
        self._propose(candidate, rejections)
        self._skip_stored()

    def record(self, position: int, record: Record) -> None:
        """Add the record of a position, without the costs of its layers, which would take half of all memory."""
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
        """Return all records in the order of their positions, including stored ones after the next position.

        Costs have no layers, except those of stored records after the next position.
        """
        every = {**self._stored, **self._records}
        return [every[position] for position in sorted(every)]

    @property
    def done(self) -> int:
        """Number of positions with a record."""
        return len(self._records) + len(self._stored)

    def _beyond(self, known: Known) -> list[int]:
        """Return those of the later positions of a proposal that are not yet part of the leading records."""
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
    """Cache that shares equal parts of a history as one object, so that 100,000 trials take half of the memory.

    Few distinct layers, recipes and environments occur in a run.
    """

    _KEPT = 8

    def __init__(self) -> None:
        self._layers: dict[Layer, Layer] = {}
        self._heads: dict[Head, Head] = {}
        self._recipes: dict[Recipe, Recipe] = {}
        self._mappings: deque[Mapping[str, Any]] = deque(maxlen=self._KEPT)

    def architecture(self, architecture: Architecture) -> Architecture:
        """Return an equal architecture whose layers and head are shared with other architectures."""
        layers = tuple(self._layers.setdefault(one, one) for one in architecture.layers)
        return replace(architecture, layers=layers, head=self._heads.setdefault(architecture.head, architecture.head))

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the first equal recipe that was seen."""
        return self._recipes.setdefault(recipe, recipe)

    def mapping(self, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an equal mapping among the latest ones, or the mapping itself."""
        for one in self._mappings:
            if one == mapping:
                return one
        self._mappings.append(mapping)
        return mapping
