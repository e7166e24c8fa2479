"""What weight each arrived message gets in the master's estimate of the gradient.

A decoder turns the workers that answered into weights a_j, so that the estimate is ``sum_j a_j * message_j``. It knows
the assignment and nothing of time. Wait rules (`clustersim.waits`) say when it is asked.
"""

from clustersim.decoders.base import Decoder
from clustersim.decoders.distinct import DistinctGroups, DistinctRows
from clustersim.decoders.fitted import Exact, Optimal
from clustersim.decoders.sums import Mean, Unbiased

__all__ = ["Decoder", "DistinctGroups", "DistinctRows", "Exact", "Mean", "Optimal", "Unbiased"]
