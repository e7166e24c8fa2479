"""CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes, too large to come with the package.

`cifar10` reads the standard binary files, or downloads the data set from OpenML, and returns a `Dataset`. It refuses
the Python version of the data set, which is pickled: unpickling a file runs any code that the file contains.
"""

import importlib
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance
from clustersim.datasets.dataset import Dataset
from clustersim.datasets.images import scaled
from clustersim.errors import ConfigurationError

__all__ = ["cifar10"]

_IMAGES = 10_000  # in each file
_PIXELS = 3 * 32 * 32
_TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = "test_batch.bin"
_INSIDE = "cifar-10-batches-bin"  # the folder in the archive
_PICKLED = ("cifar-10-batches-py", "data_batch_1", "test_batch", "batches.meta")
_GET = "get the binary version, cifar-10-binary.tar.gz, from the data set's home page, unpack it, and give its folder"
_AUTHORS = "Krizhevsky, Nair and Hinton"
_LICENCE = "none stated by its authors, who ask to be cited"


def cifar10(folder: str | PathLike[str] | None = None) -> Dataset:
    """Return CIFAR-10 in its official split, 50,000 training and 10,000 test images.

    Parameters
    ----------
    folder : path, optional
        The folder of the files of the binary version, ``data_batch_1.bin`` to ``data_batch_5.bin`` and
        ``test_batch.bin``, or its parent folder, if it is called ``cifar-10-batches-bin``. If not given, scikit-learn
        downloads the data set from OpenML and stores it in its data home for later use.

    Returns
    -------
    Dataset
        Rows of 3,072 pixels in [0, 1]: 1,024 red, 1,024 green and 1,024 blue pixels, each colour line by line. So
        ``data.X.reshape(-1, 3, 32, 32)`` is a valid input of `clustersim.vgg11`. Labels are 0 to 9 (airplane,
        automobile, bird, cat, deer, dog, frog, horse, ship, truck). The data set takes 1.5 GB of memory.

    Raises
    ------
    ConfigurationError
        If the folder or a file is missing, if a file has the wrong size or contains labels greater than 9, if the files
        are those of the Python version, or if the download fails.

    References
    ----------
    A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

    Examples
    --------
    >>> cifar10("no such folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: folder = 'no such folder': expected the folder of CIFAR-10's files, ...
    """
    if folder is None:
        images, labels, source = *_downloaded(), "OpenML, CIFAR_10"
    else:
        instance("folder", folder, (str, PathLike), "the folder of CIFAR-10's files, or None to download them")
        images, labels, source = *_stored(Path(folder)), f"{_AUTHORS}, binary version"
    cut = len(_TRAINING) * _IMAGES
    return Dataset(
        name="cifar10",
        X=scaled(images[:cut]),
        y=labels[:cut],
        test_X=scaled(images[cut:]),
        test_y=labels[cut:],
        source=source,
        licence=_LICENCE,
    )


def _stored(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images and labels of the binary files, the test file last."""
    if not folder.is_dir():
        raise ConfigurationError(
            f"folder = {str(folder)!r}: expected the folder of CIFAR-10's files, but there is no such folder; {_GET}"
        )
    place = folder / _INSIDE if (folder / _INSIDE).is_dir() else folder
    files = [place / name for name in (*_TRAINING, _TEST)]
    missing = [file.name for file in files if not file.is_file()]
    pickled = [name for name in _PICKLED if (folder / name).exists()]
    if missing and pickled:
        raise ConfigurationError(
            f"folder = {str(folder)!r}: {pickled[0]} belongs to CIFAR-10's python version, whose files are pickled; "
            f"unpickling runs any code that a file contains, so clustersim does not read them; {_GET}"
        )
    if missing:
        raise ConfigurationError(
            f"folder = {str(folder)!r}: expected CIFAR-10's files, but {missing[0]} is missing; {_GET}"
        )
    parts = [_read(file) for file in files]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def _read(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images and labels of one file: for each image, one byte with the label, then the pixels."""
    try:
        raw = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error}); make it readable, or {_GET}") from error
    expected = _IMAGES * (1 + _PIXELS)
    if raw.size != expected:
        raise ConfigurationError(
            f"{file}: expected {expected:,} bytes, {_IMAGES:,} images, got {raw.size:,}; the download may have "
            f"stopped early: {_GET}"
        )
    records = raw.reshape(_IMAGES, 1 + _PIXELS)
    return records[:, 1:], _labels(records[:, 0], str(file))


def _downloaded() -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Download images and labels from OpenML, in the order of the files."""
    fetchers = importlib.import_module("sklearn.datasets")  # imported only when needed, because it is slow
    try:
        images, labels = fetchers.fetch_openml("CIFAR_10", version=1, return_X_y=True, as_frame=False)
    except OSError as error:
        raise ConfigurationError(
            f"cifar10() could not be downloaded ({error}): connect to the internet and try again, or {_GET}"
        ) from error
    expected = ((len(_TRAINING) + 1) * _IMAGES, _PIXELS)
    if images.shape != expected:
        raise ConfigurationError(f"cifar10(): expected {expected} pixels from OpenML, got {images.shape}; {_GET}")
    return images, _labels(labels.astype(np.int64), "OpenML's CIFAR_10")


def _labels(labels: NDArray[np.integer], where: str) -> NDArray[np.int64]:
    """Return the labels as int64 after checking that they are from 0 to 9."""
    wrong = np.flatnonzero((labels < 0) | (labels > 9))
    if len(wrong):
        raise ConfigurationError(
            f"{where}: expected labels from 0 to 9, got {labels[wrong[0]]} at image {wrong[0]} ({len(wrong)} in all); "
            f"the file is damaged or not from CIFAR-10: {_GET}"
        )
    return labels.astype(np.int64)
