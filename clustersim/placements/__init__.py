"""Placements: rules that say which worker holds which rows; an `Assignment` is the result for a problem and a cluster.

Each placement has its own file. `assignment` and `holdings` contain `Assignment`, the encoding matrix of the messages.
"""

from clustersim.placements.assignment import Assignment
from clustersim.placements.balance import imbalance
from clustersim.placements.base import Placement
from clustersim.placements.cyclic import CyclicRepetition
from clustersim.placements.designs import BlockDesign
from clustersim.placements.minibatches import MiniBatches
from clustersim.placements.non_iid import ByLabel, Dirichlet, label_counts
from clustersim.placements.partition import EvenPartition
from clustersim.placements.repetition import Everything, FractionalRepetition
from clustersim.placements.replication import NormReplication, UniformReplication
from clustersim.placements.uncombined import Uncombined

__all__ = [
    "Assignment",
    "BlockDesign",
    "ByLabel",
    "CyclicRepetition",
    "Dirichlet",
    "EvenPartition",
    "Everything",
    "FractionalRepetition",
    "MiniBatches",
    "NormReplication",
    "Placement",
    "Uncombined",
    "UniformReplication",
    "imbalance",
    "label_counts",
]
