from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError, NoTestImagesError

RNG = np.random.default_rng(0)
PIXELS, LABELS = RNG.integers(0, 256, (40, 36)), np.arange(40) % 4
ORDER = np.random.default_rng(0).permutation(40)


def write(
    path: Path,
    pixels: np.ndarray = PIXELS,
    labels: object = LABELS,
    *,
    header: bool = True,
    sep: str = ",",
    at: int = 0,
) -> Path:
    """Write a table with a column of labels at some place among those of pixels."""
    lines = []
    if header:
        names = [f"pixel{number}" for number in range(pixels.shape[1])]
        names.insert(at if at >= 0 else len(names), "label")
        lines.append(sep.join(names))
    for row, label in zip(pixels.tolist(), labels, strict=True):  # type: ignore[call-overload]
        values = [str(value) for value in row]
        values.insert(at if at >= 0 else len(values), str(label))
        lines.append(sep.join(values))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def refusal(path: Path, **said: object) -> str:
    with pytest.raises(DatasetError) as caught:
        load(path, reading=Reading(**said))  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(("sep", "at", "name"), [(",", 0, "a.csv"), (";", 5, "a.csv"), ("\t", -1, "a.tsv")])
def test_pixels_and_labels_come_from_their_columns(tmp_path: Path, sep: str, at: int, name: str) -> None:
    found = load(write(tmp_path / name, sep=sep, at=at))
    assert (found.task.input_shape, found.train.pixels.dtype, found.full_scale) == ((6, 6, 1), np.uint8, 255)
    assert np.array_equal(found.train.pixels.reshape(40, 36), PIXELS[ORDER])
    assert np.array_equal(found.train.labels, LABELS[ORDER])
    assert "reshaped to 6x6 images" in found.notes[0]


def test_a_table_is_the_same_dataset_as_the_arrays_in_it(tmp_path: Path) -> None:
    arrays = load((PIXELS.reshape(40, 6, 6).astype(np.uint8), LABELS))
    assert load(write(tmp_path / "a.csv")).fingerprint == arrays.fingerprint


def test_labels_may_be_words_and_pixels_fractions(tmp_path: Path) -> None:
    words = np.array(["ant", "bee", "cow", "dog"])
    found = load(write(tmp_path / "a.csv", PIXELS / 255, words[LABELS]))
    assert (found.class_names, found.train.pixels.dtype) == (tuple(words), np.float32)


def test_flat_rows_may_have_any_size_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    assert load(path, reading=Reading(size=(4, 9))).task.input_shape == (4, 9, 1)
    assert load(path, reading=Reading(size=(4, 3, 3), layout="hwc")).task.input_shape == (4, 3, 3)
    assert load(path, reading=Reading(layout="t")).task.input_shape == (36, 1, 1)
    assert "not images of 5x7" in refusal(path, size=(5, 7))


def test_a_table_without_a_header_needs_the_number_of_its_label_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", header=False)
    assert "no header" in refusal(path)
    assert load(path, reading=Reading(label_column="0")).fingerprint == load(write(tmp_path / "b.csv")).fingerprint


def test_a_table_without_a_header_may_have_words_as_labels(tmp_path: Path) -> None:
    words = [("cat", "dog", "hen", "owl")[label] for label in LABELS]
    path = write(tmp_path / "a.csv", labels=words, header=False)
    assert "its columns are 0, 1, 2" in refusal(path)
    found = load(path, reading=Reading(label_column="0"))
    assert found.fingerprint == load(write(tmp_path / "b.csv", labels=words)).fingerprint
    assert found.class_names == ("cat", "dog", "hen", "owl")


def test_a_header_may_have_numbers_for_the_columns_of_pixels(tmp_path: Path) -> None:
    rows = write(tmp_path / "a.csv", header=False).read_text()
    for label, said in (("label", None), ("animal", "animal")):
        path = tmp_path / f"{label}.csv"
        path.write_text(f"{label},{','.join(map(str, range(36)))}\n{rows}")
        assert load(path, reading=Reading(label_column=said)).fingerprint == load(write(tmp_path / "b.csv")).fingerprint
    path.write_text(f"animal,{','.join(f'{400 + 2.5 * number}' for number in range(36))}\n{rows}")
    assert "its columns are animal, 400.0, 402.5" in refusal(path)


@pytest.mark.parametrize("name", ["part", "set", "file"])
def test_a_column_that_the_user_names_has_the_role_that_the_user_gave(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.csv")
    expected = load(path)
    path.write_text(path.read_text().replace("label", name, 1))
    assert load(path, reading=Reading(label_column=name)).fingerprint == expected.fingerprint
    head, *rows = path.read_text().replace(name, "label", 1).splitlines()
    path.write_text("\n".join([f"{name},{head}", *(f"person {row % 9},{text}" for row, text in enumerate(rows))]))
    found = load(path, reading=Reading(groups=name))
    assert found.split.kind == "groups"
    assert found.task == expected.task


def test_a_cell_that_is_too_long_for_the_name_of_a_file_is_shown_in_part(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["image,label", *(f"{' '.join(map(str, range(2_304)))},{row % 2}" for row in range(40))]))
    text = refusal(path)
    assert "names the picture '0 1 2 3" in text
    assert len(text) < 600


def test_other_columns_of_labels_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    path.write_text(path.read_text().replace("label", "animal", 1))
    assert "no column 'label'" in refusal(path)
    assert "no column 'plant'" in refusal(path, label_column="plant")
    assert load(path, reading=Reading(label_column="animal")).task.classes == 4


def test_paths_lead_to_pictures_beside_the_table(tmp_path: Path) -> None:
    lines = ["path,label,person,split"]
    (tmp_path / "pictures").mkdir()
    for number in range(40):
        Image.fromarray(PIXELS[number].reshape(6, 6).astype(np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
        part = "test" if number >= 30 else "val" if number >= 24 else "train"
        lines.append(f"pictures/{number}.png,{'cat' if number % 2 else 'dog'},p{number % 5},{part}")
    path = tmp_path / "index.csv"
    path.write_text("\n".join(lines))
    found = load(path)
    assert (found.class_names, found.split.kind, found.split.held) == (("cat", "dog"), "given", 6)
    assert (len(found.train), len(found.test())) == (30, 10)
    assert np.array_equal(found.test().pixels.reshape(10, 36), PIXELS[30:])
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    grouped = load(path, reading=Reading(groups="person"))
    assert grouped.groups is not None
    assert (grouped.split.kind, len(set(grouped.groups.tolist())), len(grouped.train)) == ("groups", 5, 40)
    assert "no column 'city'" in refusal(path, groups="city")
    (tmp_path / "pictures" / "7.png").unlink()
    assert "names the picture 'pictures/7.png'" in refusal(path)


def test_parts_may_be_tables_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "zoo" / "train.csv")
    write(tmp_path / "zoo" / "val.csv", PIXELS[:8], LABELS[:8])
    write(tmp_path / "zoo" / "test.csv", PIXELS[8:14], LABELS[8:14])
    for source in (tmp_path / "zoo", tmp_path / "zoo" / "train.csv"):
        found = load(source)
        assert (found.split.kind, found.split.held, len(found.test())) == ("given", 8, 6)
        assert np.array_equal(found.test().pixels.reshape(6, 36), PIXELS[8:14])
        assert "test.csv next to it is the test part" in found.notes
    assert load(tmp_path / "zoo").name == "zoo"


@pytest.mark.parametrize(
    "names", [("training", "validation", "test"), ("tr", "dev", "test"), ("Train", "valid", "TEST")]
)
def test_files_and_values_of_a_column_have_the_same_names_of_parts(tmp_path: Path, names: tuple[str, str, str]) -> None:
    lines = [["label", "a", "b", "c", "d", "split"]]
    for name, count in zip(names, (30, 6, 4), strict=True):
        write(tmp_path / "files" / f"my_{name}.csv", PIXELS[:count, :4], LABELS[:count])
        lines += [[str(LABELS[row]), *map(str, PIXELS[row, :4]), name] for row in range(count)]
    column = tmp_path / "column.csv"
    column.write_text("\n".join(map(",".join, lines)))
    for source in (tmp_path / "files" / f"my_{names[0]}.csv", column):
        found = load(source)
        assert (found.split.kind, len(found.train), found.split.held, len(found.test())) == ("given", 36, 6, 4)


def test_a_test_table_without_labels_is_no_test_part(tmp_path: Path) -> None:
    """As in competitions, where labels are kept back."""
    write(tmp_path / "train.csv")
    lines = write(tmp_path / "test.csv").read_text().splitlines()
    (tmp_path / "test.csv").write_text("\n".join(line.partition(",")[2] for line in lines))
    found = load(tmp_path / "train.csv")
    assert "test.csv has no column of labels, so it is not used as the test part" in found.notes
    with pytest.raises(NoTestImagesError):
        found.test()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "has 0 columns"),
        ("label,a,b,c,d\n", "no rows below its header"),
        ("label,a,b,c,d\n1,2,3\n", "line 2 of"),
        (
            "label,a,b,c,d\n" + "1,2,3,four,5\n" * 20,
            "has 'four' in the column 'c', expected a number: if it is no",
        ),
        (
            "label,a,b,c,d\n1,2,3,4,5\n2,2,,4,5\n",
            "has nothing in the column 'b', expected a number: fix or",
        ),
        (
            "label,a,b,c,d\n\n1,2,3,4,5\n2,2,x,y,5\n",
            "line 4 of",
        ),
        ("label,a,b,c,d\n" + "1,2,3,nan,5\n2,2,3,4,5\n" * 20, "NaN or infinite"),
        ("label\n1\n2\n", "expected columns of pixels, not just"),
        ("label,split\n1,train\n", "expected columns of pixels, not just"),
        ("path,label,split\na.png,1,summer\n", "has 'summer'; expected train, val or test"),
        ("path,label,split\na.png,1,test\n", "no row for training"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    assert named in refusal(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"label,a\xff\n")
    assert "UTF-8" in refusal(tmp_path / "a.csv")


def test_a_table_for_tests_may_have_groups_too(tmp_path: Path) -> None:
    def table(path: Path, count: int, who: str | None) -> None:
        lines = write(path, PIXELS[:count], LABELS[:count]).read_text().splitlines()
        more = ["who", *[f"{who}{row % 5}" for row in range(count)]]
        path.write_text("\n".join(f"{line},{one}" if who else line for line, one in zip(lines, more, strict=True)))

    table(tmp_path / "train.csv", 40, "p")
    for who, found in (("q", {"q0", "q1", "q2", "q3", "q4"}), (None, None)):
        table(tmp_path / "test.csv", 8, who)
        dataset = load(tmp_path, reading=Reading(groups="who"))
        assert (len(dataset.test()), dataset.task.input_shape) == (8, (6, 6, 1))
        groups = dataset.groups_of["test"]
        assert (None if groups is None else set(groups)) == found
        assert ("test.csv has no column 'who', so its groups are not known" in dataset.notes) == (who is None)


@pytest.mark.parametrize("name", ["", "id", "Index", "Unnamed: 0", "timestamp"])
def test_a_column_that_says_which_row_it_is_is_no_input(tmp_path: Path, name: str) -> None:
    plain = load(write(tmp_path / "a.csv"))
    head, *lines = (tmp_path / "a.csv").read_text().splitlines()
    rows = "\n".join([f"{name},{head}", *[f"{number},{line}" for number, line in enumerate(lines)]])
    (tmp_path / "marked.csv").write_text(rows)
    found = load(tmp_path / "marked.csv")
    assert found.fingerprint == plain.fingerprint
    assert f"columns left out, because they identify rows: {name!r}; to use one as an input, rename it" in found.notes
    (tmp_path / "named.csv").write_text(f"order{rows.removeprefix(name)}")
    counted = load(tmp_path / "named.csv", reading=Reading(layout="t"))
    assert counted.task.input_shape == (37, 1, 1)
    assert "the column 'order' counts the rows; if it is not an input, remove it" in counted.notes


def test_tables_of_parts_must_have_the_same_columns(tmp_path: Path) -> None:
    write(tmp_path / "train.csv")
    text = write(tmp_path / "test.csv", PIXELS[:8], LABELS[:8]).read_text()
    for here, words in (
        (text.replace("pixel3,pixel4", "pixel4,pixel3"), "the first that differs is 'pixel4' here and 'pixel3' there"),
        (
            text.replace(",pixel35", "").replace(",255\n", "\n"),
            "has 35 columns of pixels and train.csv has 36; the first",
        ),
    ):
        lines = here.splitlines()
        width = lines[0].count(",") + 1
        (tmp_path / "test.csv").write_text("\n".join(",".join(line.split(",")[:width]) for line in lines))
        with pytest.raises(DatasetError, match=words):
            load(tmp_path).test()
    (tmp_path / "test.csv").write_text(text.replace("pixel", "p"))
    assert len(load(tmp_path).test()) == 8
    (tmp_path / "test.csv").write_text(text.replace("pixel", "Pixel"))
    assert len(load(tmp_path).test()) == 8


def test_of_many_values_that_are_no_numbers_the_first_is_named_and_others_counted(tmp_path: Path) -> None:
    lines = write(tmp_path / "a.csv").read_text().splitlines()
    for number in (5, 9):
        lines[number] = lines[number].rpartition(",")[0] + ",1_0"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    message = refusal(tmp_path / "a.csv")
    assert message.startswith(f"line 6 of {tmp_path / 'a.csv'} has '1_0' in the column 'pixel35', expected a number")
    assert message.endswith("fix or remove it, and 1 of the next 35 lines")


@pytest.mark.parametrize("layout", ["tc", "ct"])
def test_rows_may_be_recordings_of_several_channels(tmp_path: Path, layout: str) -> None:
    path = write(tmp_path / "train.csv")
    write(tmp_path / "test.csv", PIXELS[:8], LABELS[:8])
    found = load(path, reading=Reading(layout=layout, size=(12, 3)))
    assert (found.task.input_shape, found.test().pixels.shape) == ((12, 1, 3), (8, 12, 1, 3))
    recording = PIXELS[0].reshape(12, 3) if layout == "tc" else PIXELS[0].reshape(3, 12).T
    assert np.array_equal(found.test().pixels[0, :, 0], recording)
