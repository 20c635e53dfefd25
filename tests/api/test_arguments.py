"""The settings that a study takes by keyword are those that there are, and are shown with their defaults."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

import tinysearch
from tinysearch.api.arguments import FrontierSettings, Settings, defaults, meanings, types
from tinysearch.results.store import Store
from tinysearch.search.given import known_settings, settings_of
from tinysearch.search.settings import DEFAULT_BUDGET, RunSettings

TAKERS = {"run": tinysearch.run, "Study": tinysearch.Study, "frontier": tinysearch.frontier}


def test_each_setting_that_can_be_given_has_a_type_and_a_meaning() -> None:
    assert set(types()) == set(known_settings()) - {"budget"}
    assert set(meanings()) == set(types())
    assert all(len(text) > 20 and text.endswith(".") for text in meanings().values())


def test_to_give_all_defaults_is_to_give_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        assert settings_of(defaults(), None, store) == RunSettings() == settings_of({}, None, store)


def test_a_default_that_changes_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinysearch.api import arguments

    monkeypatch.setattr(arguments, "RunSettings", lambda: dataclasses.replace(RunSettings(), trials=77))

    @arguments.spelled_out(Settings, seed=5)
    def take(budget: int, **settings: object) -> None:
        """Take settings."""

    shown = inspect.signature(take).parameters
    assert (shown["trials"].default, shown["seed"].default) == (77, 5)
    assert "trials (int, 77): Number of candidates" in (take.__doc__ or "")


@pytest.mark.parametrize("name", TAKERS)
def test_help_shows_each_setting_with_type_default_and_meaning(name: str) -> None:
    taker = TAKERS[name]
    parameters = inspect.signature(taker).parameters
    text = " ".join((taker.__doc__ or "").split())
    for setting, kind in types(FrontierSettings if name == "frontier" else Settings).items():
        default = parameters[setting].default
        if name != "frontier" or setting not in ("trials", "strategy"):
            assert default == defaults()[setting]
        assert f"{setting} ({kind}, {default!r}): {meanings()[setting]}" in text


@pytest.mark.parametrize("name", ["run", "Study"])
def test_the_default_budget_is_in_the_docstring(name: str) -> None:
    assert f"{DEFAULT_BUDGET:,} by default" in " ".join((TAKERS[name].__doc__ or "").split())


def test_without_docstrings_the_signature_is_shown_all_the_same() -> None:
    from tinysearch.api.arguments import spelled_out

    @spelled_out()
    def bare(**settings: object) -> None:
        pass

    assert bare.__doc__ is None
    assert "trials" in inspect.signature(bare).parameters
