"""PyTorch modules as problems. PyTorch is an optional dependency and is loaded only when it is needed.

`problem` contains `TorchProblem`, and `vgg` a network for it. `library` loads torch. `data` checks rows and targets,
`parts` checks module, loss and device, and `description` describes modules and losses in plain JSON values.
"""

from clustersim.problems.pytorch.problem import TorchProblem
from clustersim.problems.pytorch.vgg import vgg11

__all__ = ["TorchProblem", "vgg11"]
