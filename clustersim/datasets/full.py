"""The full data sets, for users with internet access: downloaded, and kept for next time, by scikit-learn.

What OpenML and UCI serve flows in; a `Dataset` like an extract's flows out.
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

_TEST_IMAGES = 10_000  # the last ones of both image sets are the official test sets


def full(name: str, *, classes: Sequence[int] | None = None, encoding: str | None = None) -> Dataset:
    """Download a full data set through scikit-learn, which keeps it for next time in its data home.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "covertype", "amazon"}
        60,000 + 10,000 images of either image set; all 581,012 rows of Covertype; all 32,769 of Amazon Employee Access.
        A fifth of either table are test rows. (King County's house sales are complete already:
        `clustersim.datasets.kc_house`.)
    classes, encoding : optional
        For Covertype alone, as in `clustersim.datasets.covertype`: ``full("covertype", classes=(1, 2),
        encoding="one-hot")`` has the 15,509 columns of the ErasureHead paper and 396,112 training rows.

    Returns
    -------
    Dataset
        Scaled and encoded as the extract of the same name; Amazon's as by `clustersim.datasets.amazon_from_csv`.

    Raises
    ------
    ConfigurationError
        If the name or the encoding is unknown, or there is no connection.

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
            f"full({name!r}): expected no {' and no '.join(options)}, which 'covertype' alone has; leave it out"
        )
    fetchers = importlib.import_module("sklearn.datasets")  # slow to import, so only where it is needed
    try:
        return _LOADERS[name](fetchers, **options)
    except OSError as error:
        without = _OFFLINE.get(name, f"the extract clustersim.datasets.{name}()")
        raise ConfigurationError(
            f"full({name!r}) could not be downloaded ({error}): connect to the internet and try again, "
            f"or use {without}, which needs no connection"
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


def _covertype(fetchers: Any, classes: Sequence[int] | None = None, encoding: str = "standardised") -> Dataset:
    X, y = fetchers.fetch_covtype(return_X_y=True)
    return covertype_from(X.astype(np.float64), y, classes, encoding, seed=0, source="all 581,012 rows")


def _amazon(fetchers: Any) -> Dataset:
    frame, actions = fetchers.fetch_openml("Amazon_employee_access", version=1, return_X_y=True, as_frame=True)
    table = {name: np.asarray(frame[name]).astype(str) for name in COLUMNS}  # OpenML keeps categories as text
    return amazon_from({**table, "ACTION": np.asarray(actions)}, seed=0, source="OpenML, Amazon_employee_access")


_LOADERS: dict[str, Callable[..., Dataset]] = {
    "mnist": _mnist,
    "fashion_mnist": _fashion_mnist,
    "covertype": _covertype,
    "amazon": _amazon,
}
_OFFLINE = {"amazon": "clustersim.datasets.amazon_from_csv(path) or the stand-in clustersim.datasets.amazon_like()"}
