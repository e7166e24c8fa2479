"""PyTorch modules as problems, an optional extra: torch is loaded only where it is asked for.

`problem` is what users see, `vgg` a network for it; `library` is where torch is loaded, `data`, `parts` and `words` are
rows, checks of module and loss, and what tells one configuration from another.
"""

from clustersim.problems.pytorch.problem import TorchProblem
from clustersim.problems.pytorch.vgg import vgg11

__all__ = ["TorchProblem", "vgg11"]
