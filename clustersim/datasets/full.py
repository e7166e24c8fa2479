"""The full data sets, which scikit-learn downloads and stores for later use; this needs internet access.

`full` downloads from OpenML or UCI and returns a `Dataset` in the same format as the extracts.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clustersim.checks import choice
from clustersim.datasets.amazon import COLUMNS, amazon_from
from clustersim.datasets.covertype_housing import covertype_from
from clustersim.datasets.dataset import Dataset
from clustersim.datasets.images import FASHION_LICENCE, MNIST_LICENCE, scaled
from clustersim.errors import ConfigurationError

__all__ = ["full"]

_TEST_IMAGES = 10_000  # the last images of both image sets are the official test set


def full(name: str, *, classes: Sequence[int] | None = None, encoding: str | None = None) -> Dataset:
    """Download a full data set through scikit-learn, which stores it in its data home for later use.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "covertype", "amazon"}
        The image sets have 60,000 training and 10,000 test images. Covertype has 581,012 rows and Amazon Employee
        Access 32,769; a fifth of them are test rows. (`clustersim.datasets.kc_house` is already complete.)
    classes : sequence of int, optional
        Only for Covertype: the cover types to keep, as in `clustersim.datasets.covertype`.
    encoding : {"standardised", "one-hot"}, optional
        Only for Covertype, as in `clustersim.datasets.covertype`: ``full("covertype", classes=(1, 2),
        encoding="one-hot")`` has 396,112 training rows and 15,509 columns, as in the ErasureHead paper.

    Returns
    -------
    Dataset
        Scaled and encoded like the extract of the same name; Amazon Employee Access like
        `clustersim.datasets.amazon_from_csv`.

    Raises
    ------
    ConfigurationError
        If the name or the encoding is unknown, if `classes` or `encoding` is given for another data set than Covertype,
        or if the download fails.

    Examples
    --------
    >>> full("mnits")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: name = 'mnits': expected one of 'mnist', 'fashion_mnist', 'covertype', ...
    """
    choice("name", name, tuple(_LOADERS))
    options = {key: value for key, value in (("classes", classes), ("encoding", encoding)) if value is not None}
    if options and name != "covertype":
        raise ConfigurationError(
            f"full({name!r}): expected no {' and no '.join(options)}, which only 'covertype' supports; leave it out"
        )
    fetchers = importlib.import_module("sklearn.datasets")  # imported only when needed, because it is slow
    try:
        return _LOADERS[name](fetchers, **options)
    except OSError as error:
        offline = _OFFLINE.get(name, f"the extract clustersim.datasets.{name}()")
        raise ConfigurationError(
            f"full({name!r}) could not be downloaded ({error}): connect to the internet and try again, "
            f"or use {offline}, which needs no connection"
        ) from error


def _images(name: str, openml: str, licence: str, fetchers: Any) -> Dataset:
    """Fetch an image set from OpenML, in its official split."""
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
    """Fetch MNIST."""
    return _images("mnist", "mnist_784", MNIST_LICENCE, fetchers)


def _fashion_mnist(fetchers: Any) -> Dataset:
    """Fetch Fashion-MNIST."""
    return _images("fashion_mnist", "Fashion-MNIST", FASHION_LICENCE, fetchers)


def _covertype(fetchers: Any, classes: Sequence[int] | None = None, encoding: str = "standardised") -> Dataset:
    """Fetch Covertype from UCI."""
    X, y = fetchers.fetch_covtype(return_X_y=True)
    return covertype_from(X.astype(np.float64), y, classes, encoding, seed=0, source="all 581,012 rows")


def _amazon(fetchers: Any) -> Dataset:
    """Fetch Amazon Employee Access from OpenML."""
    frame, actions = fetchers.fetch_openml("Amazon_employee_access", version=1, return_X_y=True, as_frame=True)
    table = {name: np.asarray(frame[name]).astype(str) for name in COLUMNS}  # OpenML stores categories as text
    return amazon_from({**table, "ACTION": np.asarray(actions)}, seed=0, source="OpenML, Amazon_employee_access")


_LOADERS: dict[str, Callable[..., Dataset]] = {
    "mnist": _mnist,
    "fashion_mnist": _fashion_mnist,
    "covertype": _covertype,
    "amazon": _amazon,
}
_OFFLINE = {"amazon": "clustersim.datasets.amazon_from_csv(path) or the synthetic clustersim.datasets.amazon_like()"}
