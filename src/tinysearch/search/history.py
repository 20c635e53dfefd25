"""The order of a run: what was proposed at which position, what came of it, and what may be known when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tinysearch.results.record import Record
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe


class TrialHistory:
    """Positions count from 0: the hand-designed baselines first, then the trials.

    With W workers, what is proposed at position i may depend on the records of positions 0 to i - W and on nothing
    later, whichever of the trainings under way is done first. A run is therefore a function of its settings.

    Args:
        workers: W, how many trainings may be under way at a time.
        stored: Records of a run that is resumed, by position. There may be gaps, where a training was interrupted.
    """

    def __init__(self, workers: int, stored: Mapping[int, Record] | None = None) -> None:
        self.workers = workers
        self.keys: set[str] = set()
        self.rejections: Counter[str] = Counter()
        self._stored = dict(stored or {})
        self._proposed: list[Candidate] = []
        self._records: dict[int, Record] = {}
        self._first: list[Record] = []
        self._skip_stored()

    @property
    def position(self) -> int:
        """The position that is proposed next."""
        return len(self._proposed)

    @property
    def open(self) -> bool:
        """Whether all is known that the next proposal may depend on."""
        return self.position < len(self._first) + self.workers

    def known(self) -> Sequence[Record]:
        """Return the records that the next proposal may depend on, in order; only to be read."""
        known = max(0, self.position - self.workers + 1)
        return self._first if known == len(self._first) else self._first[:known]

    def pending(self) -> Sequence[Candidate]:
        """Return what was proposed after the history, in order, whether or not it is done."""
        return self._proposed[max(0, self.position - self.workers + 1) :]

    def ahead(self) -> set[str]:
        """Return the keys of records whose positions are still to come."""
        return {record.key for record in self._stored.values()}

    def propose(self, candidate: Candidate, rejections: Mapping[str, int]) -> None:
        """Note what is proposed at the next position; positions that are in the store are passed over."""
        self._propose(candidate, rejections)
        self._skip_stored()

    def record(self, position: int, record: Record) -> None:
        """Note what came of a position."""
        self._records[position] = record
        while len(self._first) in self._records:
            self._first.append(self._records[len(self._first)])

    def records(self) -> list[Record]:
        """Return all records in the order of their positions, those still ahead of the next position included."""
        every = {**self._stored, **self._records}
        return [every[position] for position in sorted(every)]

    @property
    def done(self) -> int:
        """How many positions have a record."""
        return len(self._records) + len(self._stored)

    def _propose(self, candidate: Candidate, rejections: Mapping[str, int]) -> None:
        self._proposed.append(candidate)
        self.keys.add(candidate.key)
        self.rejections.update(rejections)

    def _skip_stored(self) -> None:
        while (record := self._stored.pop(self.position, None)) is not None:
            position = self.position
            self._propose(Candidate(record.architecture, Recipe.from_dict(record.recipe)), record.rejections)
            self.record(position, record)
