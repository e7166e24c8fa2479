"""Who holds which rows: a placement is a rule, an `Assignment` is what it comes to for one problem and one cluster."""

from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement
from clustersim.placements.minibatches import MiniBatches
from clustersim.placements.partition import EvenPartition

__all__ = ["Assignment", "EvenPartition", "MiniBatches", "Placement"]
