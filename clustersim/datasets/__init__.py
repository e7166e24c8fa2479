"""Data sets: extracts that come with the package, full sets to download, and a synthetic substitute.

`mnist`, `fashion_mnist`, `covertype` and `kc_house` read data from inside the package. `full` downloads a full data set
through scikit-learn. `cifar10` reads the standard files of CIFAR-10 or downloads them. `amazon_from_csv` reads a file
that the user provides, and `amazon_like` draws random rows that resemble it. All return a `Dataset`. Pass it to a
problem as ``LogisticRegression(data.X, data.y, test=data.test)``. One-hot rows are sparse, and their last column is the
bias: use ``LogisticRegression(..., bias=False)``. ``data/LICENSES.md`` lists the licences.
"""

from clustersim.datasets.amazon import amazon_from_csv
from clustersim.datasets.amazon_like import amazon_like
from clustersim.datasets.cifar import cifar10
from clustersim.datasets.covertype_housing import covertype, kc_house
from clustersim.datasets.dataset import Dataset
from clustersim.datasets.full import full
from clustersim.datasets.images import fashion_mnist, mnist

__all__ = [
    "Dataset",
    "amazon_from_csv",
    "amazon_like",
    "cifar10",
    "covertype",
    "fashion_mnist",
    "full",
    "kc_house",
    "mnist",
]
