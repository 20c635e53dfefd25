from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinysearch
from tinysearch import Callback
from tinysearch.api.callbacks import callbacks_of
from tinysearch.errors import PluginError


class Mine(Callback):
    """A callback that is named by tests."""


class ForKeras:
    """What has nothing to do with a ``Callback``, as one of Keras."""

    def __repr__(self) -> str:
        return "<ForKeras>"


def test_instances_stay_as_they_are_and_classes_and_names_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one_file.py").write_text("from tinysearch import Callback\nclass OfFile(Callback): pass\n", encoding="utf-8")
    mine = Mine()
    given = (mine, Mine, "tinysearch.results.callback:Callback", "one_file.py:OfFile")
    first, second, third, fourth = callbacks_of(given)
    assert first is mine
    assert (type(second), type(third), type(fourth).__name__) == (Mine, Callback, "OfFile")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Mine(), r"as a list, `callbacks=\[\.\.\.\]`, got <.*Mine"),
        (Mine, "as a list, .*Mine"),
        ("my_plugins:Log", "as a list, .* got 'my_plugins:Log'"),
        ([ForKeras()], "a callback has to be a Callback, or a class or function that returns one; got <ForKeras>"),
        ([ForKeras], "ForKeras is not a subclass of Callback"),
        (["no_such_module:Log"], "the callback 'no_such_module:Log' cannot be loaded"),
    ],
)
def test_what_is_no_list_of_callbacks_is_refused_with_what_it_is(given: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        callbacks_of(given)


@pytest.mark.parametrize(
    "call",
    [
        lambda **given: tinysearch.Study(**given),
        lambda **given: tinysearch.run(**given),
        lambda **given: tinysearch.frontier(**given),
        lambda **given: tinysearch.evaluate("mine", **given),
        lambda **given: tinysearch.reproduce(**given),
    ],
    ids=["Study", "run", "frontier", "evaluate", "reproduce"],
)
def test_each_call_refuses_it_before_it_makes_a_store(call: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "runs" / "store.db"
    with pytest.raises(PluginError, match="got <ForKeras>"):
        call(callbacks=[ForKeras()], store=path)
    assert not path.parent.exists()
