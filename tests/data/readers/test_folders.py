from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError, NoTestImagesError

Draw = Callable[[int, int], np.ndarray]


def grey(number: int, side: int = 6) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (side, side), np.uint8)


def colour(number: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (6, 6, channels), np.uint8)


def fill(folder: Path, draw: Callable[[int], np.ndarray] = grey, count: int = 12, suffix: str = ".png") -> Path:
    """Fill a folder with pictures of three classes."""
    for place, name in enumerate(("cat", "dog", "emu")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(draw(100 * place + number)).save(folder / name / f"p{number % 4}_{number}{suffix}")
    return folder


def refusal(folder: Path, **said: object) -> str:
    with pytest.raises(DatasetError) as caught:
        load(folder, reading=Reading(**said))  # type: ignore[arg-type]
    return str(caught.value)


def test_folders_are_classes_and_pictures_stay_with_them(tmp_path: Path) -> None:
    found = load(fill(tmp_path / "zoo"))
    assert (found.name, found.class_names, found.task.input_shape) == ("zoo", ("cat", "dog", "emu"), (6, 6, 1))
    known = {grey(100 * place + number).tobytes(): place for place in range(3) for number in range(12)}
    for image, label in zip(found.train.pixels, found.train.labels, strict=True):
        assert known[image.tobytes()] == label
    assert "pictures are grey" in found.notes
    with pytest.raises(NoTestImagesError, match="trains on 90 % of its pictures and validates on 10 %") as caught:
        found.test()
    assert f"into {tmp_path / 'zoo' / 'train'}, and put other pictures into" in str(caught.value)


def test_a_test_part_that_is_added_as_the_error_says_leaves_the_training_images_as_they_are(tmp_path: Path) -> None:
    before = load(fill(tmp_path / "zoo"))
    for one in sorted((tmp_path / "zoo").iterdir()):
        (tmp_path / "zoo" / "train").mkdir(exist_ok=True)
        one.rename(tmp_path / "zoo" / "train" / one.name)
    with pytest.raises(NoTestImagesError, match="no folder 'test' beside train; put pictures for tests into"):
        load(tmp_path / "zoo").test()
    fill(tmp_path / "zoo" / "test", lambda which: grey(1_000 + which), 3)
    after = load(tmp_path / "zoo")
    assert (after.fingerprint, len(after.test())) == (before.fingerprint, 9)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "validation", "Test"),
        ("train", "valid", "test"),
        ("TRAINING", "Dev", "TEST"),
    ],
)
def test_parts_are_folders_above_the_classes(tmp_path: Path, names: tuple[str, str, str]) -> None:
    for number, (name, count) in enumerate(zip(names, (8, 4, 3), strict=True)):
        fill(tmp_path / "zoo" / name, lambda which, number=number: grey(1_000 * number + which), count)  # type: ignore[misc]
    found = load(tmp_path / "zoo")
    assert (len(found.train), found.split.kind, found.split.held, len(found.test())) == (36, "given", 12, 9)
    assert found.test().labels.tolist() == [0] * 3 + [1] * 3 + [2] * 3


@pytest.mark.parametrize(
    ("names", "first"), [(("test",), "test"), (("Valid",), "Valid"), (("val", "test"), "val"), (("dev",), "dev")]
)
def test_parts_beside_folders_of_classes_are_refused_with_where_the_classes_belong(
    tmp_path: Path, names: tuple[str, ...], first: str
) -> None:
    fill(tmp_path / "zoo")
    for name in names:
        fill(tmp_path / "zoo" / name, lambda which: grey(500 + which), 3)
    assert refusal(tmp_path / "zoo") == (
        f"{tmp_path / 'zoo'} has the folder {first!r}, but no folder 'train' beside it; put the folders of classes to "
        f"train on into {tmp_path / 'zoo' / 'train'}"
    )


def test_a_folder_of_a_class_may_be_called_as_a_part_and_that_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "zoo")
    (tmp_path / "zoo" / "emu").rename(tmp_path / "zoo" / "train")
    found = load(tmp_path / "zoo")
    assert found.class_names == ("cat", "dog", "train")
    assert "train counts as a class, because it contains no folders of classes" in found.notes


def test_a_folder_of_turkish_is_no_training_part(tmp_path: Path) -> None:
    for language in ("de", "en", "tr"):
        (tmp_path / "spoken" / language).mkdir(parents=True)
        fill(tmp_path / "spoken" / language / "first", count=8)
    assert load(tmp_path / "spoken").class_names == ("de", "en", "tr")


@pytest.mark.parametrize("name", ["test", "val"])
def test_a_part_without_classes_beside_those_of_classes_is_no_class(tmp_path: Path, name: str) -> None:
    fill(tmp_path / "zoo")
    (tmp_path / "zoo" / "emu").rename(tmp_path / "zoo" / name)
    assert f"has the folder {name!r}, but no folder 'train' beside it" in refusal(tmp_path / "zoo")


@pytest.mark.parametrize(("names", "part"), [(("val", "valid"), "validation"), (("TRAINING", "train"), "train")])
def test_two_folders_for_one_part_are_refused(tmp_path: Path, names: tuple[str, str], part: str) -> None:
    for name in {"train", *names}:
        fill(tmp_path / "zoo" / name)
    assert f"has 2 folders for the {part} part, {' and '.join(names)}; merge them" in refusal(tmp_path / "zoo")


def test_folders_beside_those_of_parts_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("train", "test", "extra", "raw", ".cache"):
        fill(tmp_path / "zoo" / name)
    assert "folders next to train that are not parts are left out: extra, raw" in load(tmp_path / "zoo").notes


def test_colour_is_decided_by_the_pictures_and_said(tmp_path: Path) -> None:
    rgb = load(fill(tmp_path / "rgb", colour))
    assert (rgb.task.input_shape, rgb.notes) == ((6, 6, 3), ("pictures are red, green and blue",))
    rgba = load(fill(tmp_path / "rgba", lambda number: colour(number, 4)))
    assert (rgba.task.input_shape, rgba.notes) == ((6, 6, 4), ("pictures are red, green, blue and alpha",))
    fill(tmp_path / "mixed")
    Image.fromarray(colour(7)).save(tmp_path / "mixed" / "dog" / "p0_0.png")
    mixed = load(tmp_path / "mixed")
    assert mixed.task.input_shape == (6, 6, 3)
    assert "there are 35 grey, 1 rgb" in mixed.notes[0]
    assert load(tmp_path / "mixed", reading=Reading(color="grey")).task.input_shape == (6, 6, 1)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg", ".JPEG", ".webp", ".tif", ".TIFF", ".gif"])
def test_pictures_of_the_usual_formats_are_read(tmp_path: Path, suffix: str) -> None:
    found = load(fill(tmp_path / "zoo", suffix=suffix))
    # WebP has no grey, and GIF has palettes.
    assert found.task.input_shape == (6, 6, 3 if suffix in (".webp", ".gif") else 1)
    exact = {grey(100 * place + number).tobytes() for place in range(3) for number in range(12)}
    same = sum(image.tobytes() in exact for image in found.train.pixels)
    assert same == (36 if suffix in (".png", ".bmp", ".tif", ".TIFF") else same)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    found = load(fill(tmp_path / "deep", lambda number: grey(number).astype(np.uint16) * 257))
    assert (found.train.pixels.dtype, found.full_scale) == (np.float32, 65_535)
    eight = load(tmp_path / "deep", reading=Reading(color="grey"))
    assert eight.train.pixels.dtype == np.uint8
    assert eight.train.pixels.max() == 255


def test_sixteen_bits_of_tiff_are_kept_and_other_depths_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo", lambda number: grey(number).astype(np.uint16) * 250, suffix=".tif")
    found = load(folder)
    assert (found.train.pixels.dtype, float(found.train.pixels.max()) > 60_000) == (np.float32, True)
    Image.fromarray(grey(0).astype(np.float32)).save(folder / "cat" / "p0_0.tif")
    assert "p0_0.tif cannot be read (its values are signed, fractions, or of 32 bits; expected" in refusal(folder)


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp"])
def test_a_file_of_several_pictures_is_refused(tmp_path: Path, suffix: str) -> None:
    folder = fill(tmp_path / "zoo")
    first, second = Image.fromarray(colour(1)), Image.fromarray(colour(2))
    first.save(folder / "cat" / f"moving{suffix}", save_all=True, append_images=[second])
    assert f"moving{suffix} cannot be read (it has 2 frames, expected a single picture)" in refusal(folder)


def test_black_and_white_and_palettes_are_pictures_too(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    for path in folder.rglob("*.png"):
        Image.open(path).convert("1").save(path)
    assert set(np.unique(load(folder).train.pixels)) == {0, 255}
    for path in folder.rglob("*.png"):
        Image.open(path).convert("RGB").convert("P").save(path)
    assert load(folder).task.input_shape == (6, 6, 3)


def test_mixed_sizes_need_one_to_be_said(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo", lambda number: grey(number, 6 + number % 3))
    message = refusal(folder)
    assert "of 3 sizes: " in message
    assert "6x6 (12)" in message
    assert "`reading=Reading(size=(" in message
    found = load(folder, reading=Reading(size=(8, 9)))
    assert found.task.input_shape == (8, 9, 1)
    assert "pictures were resized to 8x9, whatever their proportions" in found.notes


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "WEBP"])
def test_a_photograph_is_turned_as_it_was_held(kind: str, tmp_path: Path) -> None:
    """A camera that is held upright may store what it sees on its side."""
    wide = np.zeros((8, 16), np.uint8)
    wide[:, :8] = 250
    folder = fill(tmp_path / "zoo", lambda _: wide, suffix=".jpg")
    for path in folder.rglob("*.jpg"):
        image = Image.open(path)
        exif = image.getexif()
        exif[0x0112] = 6
        # Several pictures in one file, of which the first one counts.
        more = {"save_all": True, "append_images": [image.copy()]} if kind == "MPO" else {}
        image.save(path, kind, exif=exif, **more)
    found = load(folder)
    assert found.task.input_shape[:2] == (16, 8)
    upright = found.train.pixels[0, ..., 0].astype(int)
    assert upright[:7].min() > 200
    assert upright[9:].max() < 50


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_that_is_not_stored_upright_is_refused(compression: str | None, tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo", suffix=".tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey(1)).save(folder / "cat" / "p0_0.tif", exif=exif, compression=compression)
    assert "p0_0.tif cannot be read (it is a TIFF file that is not stored upright; save it" in refusal(folder)


def test_pictures_for_tests_must_be_of_the_size_of_the_others(tmp_path: Path) -> None:
    fill(tmp_path / "zoo" / "train")
    fill(tmp_path / "zoo" / "test", lambda number: grey(500 + number, 7), 4)
    with pytest.raises(DatasetError, match=r"p0_0\.png is 7x7, the training pictures are 6x6; bring all to one size"):
        load(tmp_path / "zoo").test()
    assert load(tmp_path / "zoo", reading=Reading(size=(6, 6))).test().pixels.shape[1:] == (6, 6, 1)


def test_folders_inside_those_of_classes_are_said(tmp_path: Path) -> None:
    for site in ("north", "south"):
        fill(tmp_path / "zoo" / site, lambda number, site=site: grey(number + 1_000 * len(site)), 4)  # type: ignore[misc]
    found = load(tmp_path / "zoo")
    assert found.class_names == ("north", "south")
    assert (
        "directly below zoo; pictures in folders inside these (cat, dog, emu) belong to the same class"
        in found.notes[0]
    )


def test_a_folder_of_a_class_without_pictures_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "zoo")
    (tmp_path / "zoo" / "fox").mkdir()
    found = load(tmp_path / "zoo")
    assert found.class_names == ("cat", "dog", "emu")
    assert "no pictures in fox: it is not a class" in found.notes


def test_a_folder_above_that_of_the_classes_is_refused_with_the_one_to_give(tmp_path: Path) -> None:
    fill(tmp_path / "download" / "zoo")
    message = refusal(tmp_path / "download")
    assert "one class only, 'zoo', in folders inside it (cat, dog, emu)" in message
    assert message.endswith(f"If the classes are below {tmp_path / 'download' / 'zoo'}, give that")


def test_groups_are_found_in_the_names_of_files(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    found = load(folder, reading=Reading(groups=r"^(p\d)_"))
    assert found.groups is not None
    assert (found.split.kind, sorted(set(found.groups.tolist()))) == ("groups", [0, 1, 2, 3])
    assert "does not match 'p0_0.png' of" in refusal(folder, groups=r"^(q\d)_")
    assert "one group in parentheses" in refusal(folder, groups="p")
    assert "regular expression" in refusal(folder, groups="(")


def test_groups_are_found_in_the_names_of_folders_inside_those_of_classes(tmp_path: Path) -> None:
    folder = tmp_path / "zoo"
    for place, kind in enumerate(("cat", "dog")):
        for number in range(12):
            (folder / kind / f"s{number % 3}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(grey(100 * place + number)).save(folder / kind / f"s{number % 3}" / f"{number}.png")
    for pattern, groups in ((r"^(s\d)/", 3), (r"(\d+)\.png", 12)):
        found = load(folder, reading=Reading(groups=pattern))
        assert found.groups is not None
        assert len(set(found.groups.tolist())) == groups


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    path = folder / "dog" / "p0_0.png"
    path.write_bytes(path.read_bytes()[:60])
    assert "p0_0.png cannot be read" in refusal(folder)
    path.write_bytes(b"no picture")
    assert refusal(folder) == f"the picture {path} cannot be read (cannot identify image file); fix or remove it"
    for number in range(4):
        (folder / "emu" / f"{number}.png").write_bytes(b"no picture")
    message = refusal(folder)
    assert message.startswith(f"5 pictures cannot be used: {path} cannot be read")
    assert message.endswith("1.png cannot be read (cannot identify image file); and 2 more. Fix or remove them")


def test_folders_without_pictures_in_classes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "none" / "cat").mkdir(parents=True)
    (tmp_path / "none" / "cat" / "note.txt").write_text("no picture")
    assert "holds no pictures in folders of classes (1 .txt)" in refusal(tmp_path / "none")
    fill(tmp_path / "flat")
    loose = tmp_path / "loose"
    loose.mkdir()
    Image.fromarray(grey(0)).save(loose / "0.png")
    assert "no folders in it, but 1 picture;" in refusal(loose)
    fill(tmp_path / "tests" / "test")
    assert "no folder 'train' beside it" in refusal(tmp_path / "tests")
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for number in range(20):
        Image.fromarray(grey(number)).save(tmp_path / "one" / "cat" / f"{number}.png")
    assert "the same label, 'cat'" in refusal(tmp_path / "one")


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    (folder / ".cache").mkdir()
    for place in ("cat/.ipynb_checkpoints", "dog/left/.thumbnails/small"):
        (folder / place).mkdir(parents=True)
        Image.fromarray(grey(1)).save(folder / place / "0-checkpoint.png")
    (folder / "cat" / "._p0_0.png").write_bytes(b"what another system leaves")
    (folder / "cat" / "Thumbs.db").write_bytes(b"what yet another leaves")
    found = load(folder)
    assert (found.class_names, len(found.train)) == (("cat", "dog", "emu"), 36)
    assert found.notes == ("pictures are grey",)


def test_pictures_that_are_not_read_are_counted_by_their_endings(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    kind = next(one for one in sorted(folder.iterdir()) if one.is_dir())
    (folder / "webs").mkdir()
    for path in (kind / "a.heic", folder / "webs" / "b.HEIC", kind / "c.jp2", kind / ".d.avif", kind / "notes.txt"):
        path.write_bytes(b"no picture that is read")
    notes = load(folder).notes
    assert "no pictures in webs: it is not a class" in notes
    assert (
        "pictures of other formats are left out (2 .heic, 1 .jp2); convert them to PNG or JPEG to have them read"
    ) in notes


@pytest.mark.parametrize("said", [{"label_column": "kind"}, {"layout": "chw"}])
def test_what_means_nothing_to_pictures_is_refused(said: dict[str, str], tmp_path: Path) -> None:
    assert "pictures; leave it out" in refusal(fill(tmp_path / "zoo"), **said)
    assert load(tmp_path / "zoo", reading=Reading(layout="hwc")).task.input_shape == (6, 6, 1)


def test_pictures_for_tests_are_as_deep_as_the_others(tmp_path: Path) -> None:
    fill(tmp_path / "zoo" / "train", lambda number: grey(number).astype(np.uint16) * 250)
    fill(tmp_path / "zoo" / "test", colour)
    with pytest.raises(DatasetError, match="it is not grey of 16 bits, as the training pictures are"):
        load(tmp_path / "zoo").test()


def test_of_very_many_faults_a_hundred_are_enough(tmp_path: Path) -> None:
    folder = fill(tmp_path / "zoo")
    for number in range(120):
        (folder / "emu" / f"{number}.png").write_bytes(b"no picture")
    assert refusal(folder).startswith("at least 100 pictures cannot be used")
