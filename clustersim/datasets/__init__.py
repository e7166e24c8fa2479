"""Real data that comes with the package, the route to the full sets, and a synthetic stand-in for one of them.

`mnist`, `fashion_mnist`, `covertype` and `kc_house` read small extracts from inside the package; `full` downloads the
whole set through scikit-learn; `cifar10` reads its standard files or downloads them; `amazon_from_csv` reads a file of
the user's; `amazon_like` draws rows like it. All return a `Dataset`, which any problem takes as
``LogisticRegression(data.X, data.y, test=data.test)``. One-hot rows are sparse, and end with the bias:
``LogisticRegression(..., bias=False)``. Licences are in ``data/LICENSES.md``.
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
