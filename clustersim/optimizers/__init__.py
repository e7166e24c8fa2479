"""Optimisers: how the master turns the gradient of an update into the next model.

Each has a module of its own. `clustersim.optimizers.base` defines what an optimiser and its state are, and the step
size and weight decay that all of them have. Step sizes that change with the update number are in
`clustersim.schedules`.
"""

from clustersim.optimizers.base import Optimizer, OptimizerState
from clustersim.optimizers.momentum import Momentum
from clustersim.optimizers.nesterov import Nesterov
from clustersim.optimizers.sgd import SGD

__all__ = ["SGD", "Momentum", "Nesterov", "Optimizer", "OptimizerState"]
