"""Memory planning: offsets of a network's tensors in one block of memory, the arena.

Each buffer is created by one step and needed until a later one. Two buffers that are needed at the same time must not
overlap. No arena can be smaller than the largest sum of buffers needed at the same time. For networks without branches
an arena of that size always exists: every other buffer lies at the beginning, those between lie at the end. For
networks with branches a small arena is searched for.
"""

from __future__ import annotations

import functools
import random

# Placements to try for each initial order of the buffers.
_ATTEMPTS = 100


def load(sizes: tuple[int, ...], last_uses: tuple[int, ...]) -> int:
    """Return the largest sum of buffers that are needed at the same time.

    Args:
        sizes: Sizes of the buffers, in the order of their creation.
        last_uses: For each buffer, the number of the last buffer that is created while it is needed; its own number if
            it is never read.

    >>> load((4, 3, 2), (1, 2, 2))
    7
    """
    freed = [0] * len(sizes)
    for size, last_use in zip(sizes, last_uses, strict=True):
        freed[last_use] += size
    alive = most = 0
    for size, free in zip(sizes, freed, strict=True):
        alive += size
        most = max(most, alive)
        alive -= free
    return most


def arena_size(sizes: tuple[int, ...], last_uses: tuple[int, ...]) -> int:
    """Return the size of the arena that ``place`` needs."""
    if all(last_use <= number + 1 for number, last_use in enumerate(last_uses)):
        return load(sizes, last_uses)
    return place(sizes, last_uses)[1]


@functools.lru_cache(maxsize=4_096)
def place(sizes: tuple[int, ...], last_uses: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Place buffers in an arena.

    Args:
        sizes, last_uses: See ``load``.

    Returns:
        The offset of each buffer, and the size of the arena. The result is deterministic.

    >>> place((4, 3, 2), (1, 2, 2))
    ((0, 4, 0), 7)
    """
    least = load(sizes, last_uses)
    rng = random.Random(0)  # noqa: S311
    best_size, best = sum(sizes) + 1, (0,) * len(sizes)
    for order in _orders(sizes, last_uses):
        for _ in range(_ATTEMPTS):
            offsets = _lowest(order, sizes, last_uses)
            ends = [offset + size for offset, size in zip(offsets, sizes, strict=True)]
            if max(ends) < best_size:
                best_size, best = max(ends), offsets
            if best_size == least:
                return best, least
            # Move a buffer that exceeds the least size to an earlier place.
            number = rng.choice([number for number, end in enumerate(ends) if end > least])
            place = order.index(number)
            order.insert(rng.randint(0, place), order.pop(place))
    return best, best_size


def _orders(sizes: tuple[int, ...], last_uses: tuple[int, ...]) -> list[list[int]]:
    numbers = list(range(len(sizes)))
    spans = [sizes[number] * (last_uses[number] - number + 1) for number in numbers]
    return [
        sorted(numbers, key=lambda number: (-(last_uses[number] - number), number)),
        sorted(numbers, key=lambda number: (-sizes[number], number)),
        sorted(numbers, key=lambda number: (-spans[number], number)),
    ]


def _lowest(order: list[int], sizes: tuple[int, ...], last_uses: tuple[int, ...]) -> tuple[int, ...]:
    """Place buffers in the given order, each at the lowest free offset."""
    offsets = [0] * len(sizes)
    for rank, number in enumerate(order):
        taken = sorted(
            (offsets[other], offsets[other] + sizes[other])
            for other in order[:rank]
            if other <= last_uses[number] and number <= last_uses[other]
        )
        offset = 0
        for low, high in taken:
            if low - offset >= sizes[number]:
                break
            offset = max(offset, high)
        offsets[number] = offset
    return tuple(offsets)
