"""What ``Form.preparation`` and docs/data.md say of pictures is what the reader does, computed here another way."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.data.readers.pictures import Form, decoded, form_of
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError

PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")


def drawn(*shape: int, kind: type[np.integer] = np.uint8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, kind, endpoint=True)


def read(path: Path, picture: Image.Image, **said: object) -> tuple[np.ndarray, Form]:
    """Save a picture, and read it as the only one of a folder."""
    picture.save(path)
    form, _ = form_of([path], path.parent, Reading(**said))  # type: ignore[arg-type]
    return decoded([path], form)[0], form


def grey_of(colours: np.ndarray) -> np.ndarray:
    red, green, blue = (colours[..., channel].astype(np.int64) for channel in range(3))
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16


def weights(count: int, size: int) -> np.ndarray:
    """Return what share each of so many pixels has in each of another number, as docs/data.md writes it down."""
    ratio = count / size
    centres = (np.arange(size) + 0.5) * ratio
    shares = np.maximum(0.0, 1.0 - np.abs(np.arange(count) + 0.5 - centres[:, None]) / max(ratio, 1.0))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    across = np.rint(np.einsum("wi,hi...->hw...", weights(values.shape[1], width), values.astype(np.float64)))
    return np.asarray(np.rint(np.einsum("hi,iw...->hw...", weights(values.shape[0], height), across)))


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_colour_becomes_grey_by_the_rule_that_is_written_down(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(drawn(9, 9, 3)).convert(mode)
    found, form = read(tmp_path / "a.png", picture, color="grey")
    assert (found[..., 0] == grey_of(np.asarray(picture.convert("RGB")))).all()
    (rule,) = (one for one in form.preparation if "colour becomes grey" in one)
    assert "(19595 R + 38470 G + 7471 B + 32768) >> 16" in rule
    assert "(19595 R + 38470 G + 7471 B + 32768) >> 16" in PAGE


@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 20), (40, 3), (24, 33)])
@pytest.mark.parametrize("shape", [(24, 33), (24, 33, 3)])
def test_pictures_are_resized_by_the_filter_that_is_written_down(
    tmp_path: Path, height: int, width: int, shape: tuple[int, ...]
) -> None:
    pixels = drawn(*shape)
    found, form = read(tmp_path / "a.png", Image.fromarray(pixels), size=(height, width))
    expected = resized(pixels, height, width).reshape(found.shape)
    # Pillow computes in whole numbers: a value in the middle between two may be rounded to either.
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.95
    assert f"resized to {height}x{width}" in "\n".join(form.preparation)


def test_the_colour_beneath_transparency_is_kept_or_weighted(tmp_path: Path) -> None:
    pixels = drawn(6, 6, 4)
    pixels[:, :3, 3], pixels[:, 3:, 3] = 0, 255
    picture = Image.fromarray(pixels)
    without, form = read(tmp_path / "a.png", picture, color="rgb")
    assert (without == pixels[..., :3]).all()
    assert any("transparency is left out" in one for one in form.preparation)
    kept, form = read(tmp_path / "a.png", picture)
    assert (kept == pixels).all()
    assert form.preparation == ("the channels of a pixel are red, green, blue and alpha, in this order",)
    _, form = read(tmp_path / "a.png", picture, size=(3, 3))
    assert any("colours are weighted by their alpha" in one for one in form.preparation)
    small, _ = read(tmp_path / "a.png", picture, size=(6, 1))
    # What is transparent has no share in the colour.
    shares = weights(6, 1)[0, 3:]
    expected = np.einsum("i,hic->hc", shares / shares.sum(), pixels[:, 3:, :3].astype(np.float64))
    assert np.abs(small[:, 0, :3] - expected).max() <= 2


def test_grey_pictures_among_others_get_their_channels(tmp_path: Path) -> None:
    pixels = drawn(5, 5)
    found, form = read(tmp_path / "a.png", Image.fromarray(pixels), color="rgb")
    assert (found == pixels[..., None]).all()
    assert form.preparation[0] == "the value of a grey pixel is used for red, green and blue"
    found, form = read(tmp_path / "a.png", Image.fromarray(pixels), color="rgba")
    assert (found[..., 3] == 255).all()
    assert "pictures without transparency get an alpha of 255" in form.preparation


def test_sixteen_bits_become_bytes_by_the_rule_that_is_said(tmp_path: Path) -> None:
    pixels = drawn(7, 7, kind=np.uint16)
    found, form = read(tmp_path / "a.png", Image.fromarray(pixels), color="grey")
    assert (found[..., 0] == np.rint(pixels * (255 / 65_535))).all()
    assert form.preparation == ("values of 16 bits become bytes: value * 255 / 65535, rounded",)
    deep, form = read(tmp_path / "a.png", Image.fromarray(pixels))
    assert (deep[..., 0] == pixels).all()
    assert form.preparation == ()


def test_turning_photographs_is_said_where_it_is_done(tmp_path: Path) -> None:
    picture = Image.fromarray(drawn(8, 16))
    assert read(tmp_path / "a.jpg", picture)[1].preparation == ()
    exif = picture.getexif()
    exif[0x0112] = 3
    picture.save(tmp_path / "b.jpg", exif=exif)
    exif[0x0112] = 99
    picture.save(tmp_path / "c.jpg", exif=exif)
    assert form_of([tmp_path / "c.jpg"], tmp_path, Reading())[0] == Form(8, 16, "grey", found=frozenset({"grey"}))
    form, _ = form_of([tmp_path / "b.jpg"], tmp_path, Reading())
    assert form.preparation == ("photographs are turned upright, as their EXIF orientation says",)
    over = decoded([tmp_path / "b.jpg"], form)[0, ..., 0]
    assert (over == np.asarray(Image.open(tmp_path / "b.jpg"))[::-1, ::-1]).all()


def test_a_picture_of_a_size_that_was_not_said_is_not_resized_without_a_word(tmp_path: Path) -> None:
    Image.fromarray(drawn(8, 8)).save(tmp_path / "a.png")
    Image.fromarray(drawn(9, 9)).save(tmp_path / "b.png")
    form, _ = form_of([tmp_path / "a.png"], tmp_path, Reading())
    with pytest.raises(DatasetError, match=r"b\.png is 9x9, the training pictures are 8x8"):
        decoded([tmp_path / "b.png"], form)


def test_the_page_says_what_the_form_says() -> None:
    every = Form(8, 8, "rgba", found=frozenset({"grey", "rgb", "rgba", "deep"}), resized=True, turned=True).preparation
    words = set(re.findall(r"[A-Za-z]+", PAGE))
    for name in ("EXIF", "BILINEAR", "alpha", "OpenCV"):
        assert any(name in step for step in every)
        assert name in words
