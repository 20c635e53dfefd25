"""Labelled images: read from ``.npz`` files, checked, and identified by their content."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError, NoTestImagesError

# MD5 of the IDX files of MNIST (LeCun, Cortes and Burges), whose content an array in canonical order reproduces.
MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True, slots=True)
class Images:
    """Labelled images.

    Args:
        pixels: Shape ``(images, height, width, channels)``, ``uint8`` (0 to 255) or ``float32``.
        labels: Shape ``(images,)``, ``int32``, from 0 to the number of classes less one.
    """

    pixels: npt.NDArray[np.generic]
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)


def read_npz(path: Path, part: str) -> Images:
    """Read the ``"train"`` or the ``"test"`` images of an ``.npz`` file; the others are not touched.

    Raises:
        DatasetError: if the file is missing, damaged, or does not hold what it should.
    """
    names = (f"x_{part}", f"y_{part}")
    try:
        with path.open("rb") as stream:
            file = np.load(stream, allow_pickle=False)
            held = file.files if isinstance(file, np.lib.npyio.NpzFile) else []
            arrays = [file[name] for name in names if name in held]
    except FileNotFoundError:
        raise DatasetError(f"there is no file {path}; expected an .npz file with x_train and y_train") from None
    except Exception as error:  # A damaged file can make NumPy raise almost anything.
        if "Object arrays" in str(error):
            raise DatasetError(
                f"{path} holds object arrays, which cannot be loaded safely; save arrays of uint8 or float32"
            ) from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        # NumPy takes for a pickle what it does not know, and says how to load it unsafely.
        reason = "it is no zip file" if "pickle" in reason else reason
        raise DatasetError(
            f"{path} cannot be read as an .npz file ({reason}); it may be cut short or damaged"
        ) from None
    missing = [name for name in names if name not in held]
    if missing:
        kind = NoTestImagesError if part == "test" else DatasetError
        raise kind(
            f"{path} has no array {missing[0]!r}; it holds {', '.join(held) or 'none'}, expected x_train and y_train "
            f"(x_test and y_test for evaluations)"
        )
    if not all(isinstance(array, np.ndarray) for array in arrays):
        raise DatasetError(f"{path} holds something else than arrays under {names[0]} and {names[1]}")
    pixels, labels = arrays
    return validated(pixels, labels, f"{part} images in {path}")


def validated(pixels: npt.NDArray[np.generic], labels: npt.NDArray[np.generic], what: str) -> Images:
    """Return labelled images if they can be trusted.

    Args:
        pixels: Shape ``(images, height, width)`` or ``(images, height, width, channels)``, 1 to 4 channels, finite.
        labels: Shape ``(images,)``, whole numbers from 0.
        what: Says in errors what the arrays are.

    Raises:
        DatasetError: if shapes, types or values are not as said.
    """
    if pixels.dtype == object or labels.dtype == object:
        raise DatasetError(f"the {what} are object arrays; expected uint8 or float32 pixels and integer labels")
    if pixels.ndim == 3:
        pixels = pixels[..., None]
    if pixels.ndim != 4 or not 1 <= pixels.shape[3] <= 4 or min(pixels.shape[1:3]) < 1:
        raise DatasetError(
            f"the {what} have shape {pixels.shape}; expected (images, height, width) or (images, height, width, "
            f"channels) with 1 to 4 channels"
        )
    if len(pixels) == 0:
        raise DatasetError(f"there are no {what}; expected at least one")
    if not (np.issubdtype(pixels.dtype, np.number) or pixels.dtype == bool) or np.iscomplexobj(pixels):
        raise DatasetError(f"the {what} have type {pixels.dtype}; expected uint8 or float32")
    if pixels.dtype != np.uint8:
        pixels = pixels.astype(np.float32)
        if not np.isfinite(pixels).all():
            raise DatasetError(f"the {what} contain NaN or infinite pixels; expected finite numbers")
    if labels.shape != (len(pixels),):
        raise DatasetError(
            f"the {what} come with labels of shape {labels.shape}; expected one label per image, shape ({len(pixels)},)"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise DatasetError(f"the labels of the {what} have type {labels.dtype}; expected whole numbers from 0")
    if labels.min() < 0 or labels.max() > 999:
        bad = labels.min() if labels.min() < 0 else labels.max()
        raise DatasetError(f"the {what} have a label {bad}; expected whole numbers from 0 to at most 999")
    return Images(np.ascontiguousarray(pixels), labels.astype(np.int32))


def fingerprint(images: Images) -> str:
    """Return sixteen hexadecimal digits of the SHA-256 of shapes, types and bytes."""
    digest = hashlib.sha256()
    for array in (images.pixels, images.labels):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def pixel_statistics(images: Images) -> tuple[float, float]:
    """Return mean and standard deviation over all pixels of all images; the deviation is never 0."""
    total, squares, count = 0.0, 0.0, images.pixels.size
    for start in range(0, len(images), 4_096):
        chunk = images.pixels[start : start + 4_096].astype("float64")
        total += float(chunk.sum())
        squares += float(np.square(chunk).sum())
    mean = total / count
    return mean, math.sqrt(max(squares / count - mean**2, 0.0)) or 1.0


def is_mnist(part: str, images: Images) -> bool:
    """Whether the images are those of MNIST's ``"train"`` or ``"test"`` part, in canonical order."""
    count = len(images)
    if images.pixels.shape[1:] != (28, 28, 1) or images.pixels.dtype != np.uint8:
        return False
    idx_images = struct.pack(">IIII", 0x803, count, 28, 28) + images.pixels.tobytes()
    idx_labels = struct.pack(">II", 0x801, count) + images.labels.astype(np.uint8).tobytes()
    return (
        hashlib.md5(idx_images, usedforsecurity=False).hexdigest() == MNIST_MD5[f"x_{part}"]
        and hashlib.md5(idx_labels, usedforsecurity=False).hexdigest() == MNIST_MD5[f"y_{part}"]
    )
