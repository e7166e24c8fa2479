"""Real data that comes with the package, and the route to the full sets.

`mnist`, `fashion_mnist`, `covertype` and `kc_house` read small extracts from inside the package; `full` downloads the
whole set through scikit-learn, the optional extra ``data``. All return a `Dataset`, which any problem takes as
``LogisticRegression(data.X, data.y, test=data.test)``. Licences are in ``data/LICENSES.md``.
"""

from clustersim.datasets.dataset import Dataset
from clustersim.datasets.full import full
from clustersim.datasets.images import fashion_mnist, mnist
from clustersim.datasets.tables import covertype, kc_house

__all__ = ["Dataset", "covertype", "fashion_mnist", "full", "kc_house", "mnist"]
