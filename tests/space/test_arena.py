from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinysearch.space.arena import arena_size, load, place


@st.composite
def buffers(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sizes = draw(st.lists(st.integers(1, 50), min_size=1, max_size=12))
    last_uses = [draw(st.integers(number, len(sizes) - 1)) for number in range(len(sizes))]
    return tuple(sizes), tuple(last_uses)


@given(buffers())
def test_buffers_that_are_needed_at_once_lie_apart_and_within_the_arena(
    found: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    sizes, last_uses = found
    offsets, size = place(sizes, last_uses)
    assert load(sizes, last_uses) <= size == arena_size(sizes, last_uses)
    for one in range(len(sizes)):
        assert 0 <= offsets[one] <= size - sizes[one]
        for other in range(one):
            if last_uses[other] >= one:
                assert offsets[one] >= offsets[other] + sizes[other] or offsets[other] >= offsets[one] + sizes[one]


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=30))
def test_a_network_without_branches_needs_no_more_than_its_largest_pair(sizes: list[int]) -> None:
    last_uses = tuple(min(number + 1, len(sizes) - 1) for number in range(len(sizes)))
    most = max([sum(sizes[number : number + 2]) for number in range(len(sizes))])
    assert arena_size(tuple(sizes), last_uses) == place(tuple(sizes), last_uses)[1] == most
