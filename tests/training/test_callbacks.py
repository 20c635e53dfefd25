from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from tinysearch.training.callbacks import Recorder


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_training_and_is_its_failure(loss: float) -> None:
    recorder = Recorder(0.0, 0, [], None)
    model = SimpleNamespace(stop_training=False)
    recorder.set_model(model)
    recorder.on_epoch_end(2, {"loss": loss, "accuracy": 0.1})
    assert recorder.failure == f"loss was {loss} after epoch 3"
    assert model.stop_training
    assert recorder.curve == []
