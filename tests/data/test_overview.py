from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.data.loading import load
from tinysearch.data.overview import overview
from tinysearch.data.preview import save_preview
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError


def arrays(count: int, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), np.uint8), np.array(["ant", "bee", "cow"])[np.arange(count) % 3]


def test_an_overview_says_what_was_understood() -> None:
    found = overview(load((arrays(60, (6, 5, 3)), arrays(12, (6, 5, 3), 1), arrays(9, (6, 5, 3), 2))))
    assert (found.task.input_shape, found.class_names, found.labels) == ((6, 5, 3), ("ant", "bee", "cow"), "texts")
    assert {name: part.images for name, part in found.parts.items()} == {"train": 60, "validation": 12, "test": 9}
    assert found.parts["train"].counts == (20, 20, 20)
    assert len(found.channels) == 3
    assert (found.split, found.groups, found.on_disk) == ("the validation part of the data", None, False)
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["kind"], plain["largest_share"], plain["errors"]) == ("images", 1 / 3, [])


def test_without_a_test_part_there_is_none_in_the_overview_but_a_note_how_to_have_one() -> None:
    found = overview(load(arrays(60, (6, 5))))
    assert set(found.parts) == {"train", "validation"}
    assert found.notes == (
        "the data has no test part; to evaluate networks, give ((x, y), (x_test, y_test)) or (train, validation, test)",
    )


def test_an_overview_says_what_was_done_to_pictures(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        (tmp_path / "zoo" / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(arrays(1, (6, 5, 3), number)[0][0]).save(tmp_path / "zoo" / name / f"{number}.png")
    plain = overview(load(tmp_path / "zoo", reading=Reading(color="grey"))).to_dict()
    assert plain["preparation"] == ["colour becomes grey in whole numbers: (19595 R + 38470 G + 7471 B + 32768) >> 16"]


@pytest.mark.parametrize("shape", [(6, 5), (28, 28), (6, 5, 2), (40, 40, 3), (40, 40, 4), (300, 200, 3), (50, 6)])
def test_a_contact_sheet_has_a_row_for_each_class(tmp_path: Path, shape: tuple[int, ...]) -> None:
    dataset = load(arrays(60, shape))
    save_preview(dataset, tmp_path / "new" / "sheet.png", columns=4)
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    rows = [part for part in np.array_split(pixels, 3) if (part != 255).any()]
    assert len(rows) == 3


def test_floats_of_any_range_can_be_looked_at(tmp_path: Path) -> None:
    pixels, labels = arrays(60, (20, 20))
    for number, values in enumerate((pixels / 255, pixels / 100 - 1.0, pixels * 0.0)):
        save_preview(load((values, labels)), tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 0


def test_a_sheet_that_cannot_be_saved_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"ends in \.png"):
        save_preview(load(arrays(60, (6, 5))), tmp_path / "sheet.what")
