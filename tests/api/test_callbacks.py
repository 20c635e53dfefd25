from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from stand_ins import FakeWorker

import tinysearch
from tinysearch import Callback
from tinysearch.api.callbacks import callbacks_of
from tinysearch.errors import InputError, PluginError
from tinysearch.results.record import Measurement, Record
from tinysearch.results.training import Training
from tinysearch.training.job import Job


class Mine(Callback):
    """A callback that is named by tests."""


class File(Callback):
    """Keeps how calls end, and hears nothing after an end, as with a file that is closed then."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        assert not self.ends

    def on_end(self, ending: str) -> None:
        self.ends.append(ending)


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


each_call = pytest.mark.parametrize(
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


@each_call
def test_each_call_refuses_it_before_it_makes_a_store(call: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "runs" / "store.db"
    with pytest.raises(PluginError, match="got <ForKeras>"):
        call(callbacks=[ForKeras()], store=path)
    assert not path.parent.exists()


@each_call
@pytest.mark.parametrize("given", [{"data": "nowhere.npz"}, {"reading": "hwc"}, {"store": 5}])
def test_the_end_is_told_where_nothing_can_begin(
    call: Callable[..., Any], given: dict[str, Any], tmp_path: Path
) -> None:
    file = File()
    with pytest.raises(InputError):
        call(callbacks=[file], **{"store": tmp_path / "store.db", **given})
    assert file.ends == ["failed"]


@pytest.mark.parametrize("function", [tinysearch.run, tinysearch.frontier])
@pytest.mark.parametrize("given", [{"workers": 0}, {"trails": 3}])
def test_the_end_is_told_where_an_argument_is_refused(function: Callable[..., Any], given: dict[str, Any]) -> None:
    file = File()
    with pytest.raises(InputError):
        function(callbacks=[file], **given)
    assert file.ends == ["failed"]


def test_the_end_of_a_stage_is_told_that_cannot_begin(tiny: Path, tmp_path: Path) -> None:
    file = File()
    with tinysearch.Study(data=tiny, store=tmp_path / "store.db", callbacks=[file]) as study:
        with pytest.raises(InputError, match="nothing was searched"):
            study.revalidate()
        with pytest.raises(InputError, match="`workers=`"):
            study.run(workers=0)
    assert file.ends == ["failed", "failed"]


def _interrupt(number: int, job: Job) -> None:
    if number:
        raise KeyboardInterrupt


def _fail(number: int, job: Job) -> Measurement:
    return Measurement(failure="no memory")


@pytest.mark.parametrize("strategy", ["pareto", "random"])
@pytest.mark.parametrize(
    ("react", "given", "ending"),
    [
        (None, {}, "finished"),
        # This worker keeps no models, which evaluations need.
        (None, {"evaluate": 1}, "failed"),
        (_interrupt, {}, "interrupted"),
        (_fail, {}, "failed"),
    ],
)
def test_the_end_of_a_frontier_is_told_once(
    react: Any, given: dict[str, Any], ending: str, strategy: str, tiny: Path, tmp_path: Path
) -> None:
    file = File()
    how: dict[str, Any] = {"data": tiny, "store": tmp_path / "store.db", "trials": 2, "folds": 1, "baselines": False}
    how |= {"evaluate": 0, "verbose": 0, "strategy": strategy, **given}
    with contextlib.suppress(tinysearch.WorkError):
        tinysearch.frontier([500, 900], callbacks=[file], executor=FakeWorker(react).executor(), **how)
    assert file.ends == [ending]
