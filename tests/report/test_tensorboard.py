from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.errors import InputError
from tinysearch.report.tensorboard import to_tensorboard
from tinysearch.results.record import Record
from tinysearch.runtime.backend import load_keras


@pytest.fixture(autouse=True)
def loaded() -> None:
    load_keras()


def test_curves_and_hyperparameters_are_what_tensorboard_reads(
    make_record: Callable[..., Record], tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
    from tensorboard.util.tensor_util import make_ndarray

    records = [
        make_record("a", earlier=(0.5,), run="../away"),
        make_record("a", earlier=(0.5,), run="../away", purpose="evaluation", test_accuracy=0.75),
        make_record("b", failure="out of memory"),
    ]
    assert to_tensorboard(records, tmp_path / "logs") == 2
    assert {path.name for path in tmp_path.iterdir()} == {"logs"}
    places = sorted(path.parent for path in tmp_path.rglob("*.tinysearch"))
    assert [place.name for place in places] == ["a-evaluation-0", "a-search-0"]
    events = EventAccumulator(str(places[0])).Reload()

    def values(tag: str) -> list[float]:
        found = events.Tensors(tag)
        assert [event.step for event in found] == list(range(found[0].step, found[0].step + len(found)))
        return [pytest.approx(float(make_ndarray(event.tensor_proto))) for event in found]

    assert values("epoch/val_accuracy") == [0.5, 0.9]
    assert values("test_accuracy") == [0.75]
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    started = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    assert started.hparams["params"].number_value == 1_000
    assert started.hparams["run"].string_value == "../away"


def test_a_folder_that_cannot_be_written_is_an_error(make_record: Callable[..., Record], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        to_tensorboard([make_record()], tmp_path / "file")
