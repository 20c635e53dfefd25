from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.runtime.devices import accelerator, share_of, visible_gpus
from tinysearch.runtime.environment import Environment

# Two GPUs; asked for some, it answers for these.
SMI = """#!/bin/sh
case "$*" in
*index*) printf '0\\n1\\n' ;;
*--id=1*) printf 'Model B\\n' ;;
*--id=MIG*) exit 2 ;;
*name*) printf 'Model B\\nModel A\\n' ;;
esac
"""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER",
        "XLA_CLIENT_MEM_FRACTION",
        "XLA_PYTHON_CLIENT_MEM_FRACTION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in for nvidia-smi first on the path."""
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_without_gpus_nothing_is_set_and_no_model_is_named() -> None:
    assert (visible_gpus(), accelerator(), share_of(0, visible_gpus(), 4)) == ([], None, {})


@pytest.mark.usefixtures("two")
def test_gpus_and_their_models_are_those_that_may_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert visible_gpus() == ["0", "1"]
    assert accelerator() == "Model A, Model B"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert (visible_gpus(), accelerator()) == (["1"], "Model B")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert (visible_gpus(), accelerator()) == ([], None)


@pytest.mark.usefixtures("two")
def test_parts_of_gpus_are_no_sign_of_a_machine_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f")
    assert accelerator() == "Model A (MIG), Model B (MIG)"


def test_numbers_of_gpus_mean_to_cuda_what_they_mean_to_nvidia_smi(monkeypatch: pytest.MonkeyPatch) -> None:
    assert share_of(0, ["0", "1"], 2)["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert share_of(0, ["0", "1"], 2)["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    # Numbers of one's own may be meant otherwise.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert "CUDA_DEVICE_ORDER" not in share_of(0, ["0", "1"], 2)


@pytest.mark.parametrize(("workers", "gpus", "share"), [(1, 1, 0.9), (4, 1, 0.225), (5, 2, 0.3), (1, 4, 0.9)])
def test_processes_on_one_gpu_have_equal_shares_of_its_memory(workers: int, gpus: int, share: float) -> None:
    shares = [share_of(slot, [str(number) for number in range(gpus)], workers) for slot in range(workers)]
    assert {float(one["XLA_PYTHON_CLIENT_MEM_FRACTION"]) for one in shares} == {share}
    for number in range(gpus):
        assert sum(share for one in shares if one["CUDA_VISIBLE_DEVICES"] == str(number)) <= 0.9 + 1e-9
    assert {one["XLA_PYTHON_CLIENT_PREALLOCATE"] for one in shares} == {"false"}


@pytest.mark.parametrize("name", ["XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"])
def test_a_share_that_was_set_stays_and_is_not_said_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0.5")
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in share_of(0, ["0"], 4)


def test_others_may_use_the_same_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION"):
        monkeypatch.delenv(name, raising=False)
    assert share_of(0, ["0"], 2, 0.25)["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.1125"


def test_numbers_of_another_gpu_or_of_none_are_not_the_same() -> None:
    versions = {"tinysearch": "1", "keras": "3", "numpy": "2", "jax": "1"}
    none, one, other = (
        Environment("jax", versions, "Linux x86_64", "1", accelerator=name) for name in (None, "Model A", "Model B")
    )
    assert one.gives_equal_numbers(Environment.from_dict(one.to_dict()))
    assert none.gives_equal_numbers(Environment.from_dict(none.to_dict()))
    assert not one.gives_equal_numbers(none)
    assert not one.gives_equal_numbers(other)
    assert "accelerator" not in none.decisive
