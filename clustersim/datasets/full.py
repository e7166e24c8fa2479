"""The full data sets, for users with internet access: downloaded, and kept for next time, by scikit-learn.

What OpenML and UCI serve flows in through the optional extra ``data``; a `Dataset` like an extract's flows out.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from clustersim.checks import choice
from clustersim.datasets.dataset import Dataset
from clustersim.datasets.images import FASHION_LICENCE, MNIST_LICENCE, scaled
from clustersim.datasets.tables import covertype_from
from clustersim.errors import ConfigurationError

__all__ = ["full"]

_TEST_IMAGES = 10_000  # the last ones of both image sets are the official test sets


def full(name: str) -> Dataset:
    """Download a full data set through scikit-learn, which keeps it for next time in its data home.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "covertype"}
        60,000 + 10,000 images of either image set; all 581,012 rows of Covertype, a fifth of them test rows. (King
        County's house sales are complete already: `clustersim.datasets.kc_house`.)

    Returns
    -------
    Dataset
        Scaled and encoded as the extract of the same name.

    Raises
    ------
    ConfigurationError
        If the name is unknown, scikit-learn is missing, or there is no connection.

    Examples
    --------
    >>> full("mnits")
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: name = 'mnits': expected one of 'mnist', 'fashion_mnist', 'covertype'
    """
    choice("name", name, ("mnist", "fashion_mnist", "covertype"))
    try:
        fetchers = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise ConfigurationError(
            f"full({name!r}) needs scikit-learn, which is not installed: pip install 'clustersim[data]'"
        ) from error
    try:
        return _LOADERS[name](fetchers)
    except OSError as error:
        raise ConfigurationError(
            f"full({name!r}) could not be downloaded ({error}): connect to the internet and try again, "
            f"or use the extract clustersim.datasets.{name}(), which needs no connection"
        ) from error


def _images(name: str, openml: str, licence: str, fetchers: Any) -> Dataset:
    """An image set of OpenML in its official split."""
    images, labels = fetchers.fetch_openml(openml, version=1, return_X_y=True, as_frame=False)
    X, y = scaled(images), labels.astype(np.int64)
    return Dataset(
        name=name,
        X=X[:-_TEST_IMAGES],
        y=y[:-_TEST_IMAGES],
        test_X=X[-_TEST_IMAGES:],
        test_y=y[-_TEST_IMAGES:],
        source=f"OpenML, {openml}",
        licence=licence,
    )


def _mnist(fetchers: Any) -> Dataset:
    return _images("mnist", "mnist_784", MNIST_LICENCE, fetchers)


def _fashion_mnist(fetchers: Any) -> Dataset:
    return _images("fashion_mnist", "Fashion-MNIST", FASHION_LICENCE, fetchers)


def _covertype(fetchers: Any) -> Dataset:
    X, y = fetchers.fetch_covtype(return_X_y=True)
    return covertype_from(X.astype(np.float64), y, classes=None, seed=0, source="all 581,012 rows")


_LOADERS: dict[str, Callable[[Any], Dataset]] = {
    "mnist": _mnist,
    "fashion_mnist": _fashion_mnist,
    "covertype": _covertype,
}
