"""Shell completion: names of runs, keys of candidates, values of options.

Completion runs while a person types, so it prints no message if it has nothing to offer, and loads no heavy package.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tinysearch.results.store import Store

Offers = list[tuple[str, str]]
# Largest number of offers; nobody reads more.
MOST = 100


def runs(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the names of the runs in the store that the command reads, the latest first."""
    offers: Offers = []
    with _opened(ctx) as store:
        offers = [(run.name, f"{run.dataset}, {run.created_at}") for run in reversed(store.runs())] if store else []
    return _fitting(offers, incomplete)


def candidates(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer the baselines and the keys in the store that the command reads, the best first."""
    from tinysearch.baselines.models import BASELINES, PREFIX
    from tinysearch.results.ranking import ranked

    offers = [(f"{PREFIX}{name}", "a hand-designed baseline") for name in sorted(BASELINES)]
    with _opened(ctx) as store:
        if store is not None:
            found = [one.first for one in ranked(store.summaries()) if one.first.key.startswith(incomplete)]
            offers += [(one.key, f"{one.params:,} parameters, {one.layers}") for one in found]
    return _fitting(dict(offers).items(), incomplete)


def models(ctx: typer.Context, incomplete: str) -> Offers:
    """Offer networks to train again: the baselines by their names without prefix, and keys."""
    offers = [(name.removeprefix("baseline:"), what) for name, what in candidates(ctx, "")]
    return _fitting(offers, incomplete)


def strategies(incomplete: str) -> Offers:
    """Offer the search strategies."""
    from tinysearch.runtime.plugins import names
    from tinysearch.search.strategies.registry import STRATEGIES

    return _fitting([(name, "a search strategy") for name in names("strategy", STRATEGIES)], incomplete)


def metrics(incomplete: str) -> Offers:
    """Offer the objectives."""
    from tinysearch.results.objective import OBJECTIVES, title_of

    return _fitting([(name, title_of(name)) for name in OBJECTIVES], incomplete)


def among(*known: str) -> Callable[[str], list[str]]:
    """Return a function that offers these words."""

    def offer(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return offer


@contextlib.contextmanager
def _opened(ctx: typer.Context) -> Iterator[Store | None]:
    """Yield the store that the words typed so far refer to; None if it cannot be read."""
    from tinysearch.errors import TinySearchError
    from tinysearch.results.archive import REFERENCE, open_to_read
    from tinysearch.results.store import default_path

    given = ctx.params.get("store")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            path = given if isinstance(given, Path) else default_path()
            store = open_to_read(REFERENCE if ctx.params.get("reference") else path)
        except TinySearchError:
            yield None
            return
        with store, contextlib.suppress(TinySearchError):
            yield store


def _fitting(offers: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    return [one for one in offers if one[0].startswith(incomplete)][:MOST]
