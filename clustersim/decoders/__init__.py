"""Decoders: the weights of messages in the master's estimate of the gradient.

Given the workers that have answered, a decoder computes weights a_j such that ``sum_j a_j * message_j`` is the
estimate. It uses the assignment, but not the time. Wait rules (`clustersim.waits`) decide when it is called.

=====================  ======================================================================================
decoder                the estimate of the gradient
=====================  ======================================================================================
`Mean`                 the mean over all rows in the messages
`Unbiased`             the sum of the messages over its expected value, for random stragglers
`DistinctGroups`       the sum over distinct groups of workers, over m
`DistinctRows`         the sum over distinct rows, each over its probability of arriving
`Exact`                the full gradient, or an error
`Optimal`              the combination that is closest to the full gradient
=====================  ======================================================================================
"""

from clustersim.decoders.base import Decoder
from clustersim.decoders.distinct import DistinctGroups, DistinctRows
from clustersim.decoders.fitted import Exact, Optimal
from clustersim.decoders.sums import Mean, Unbiased

__all__ = ["Decoder", "DistinctGroups", "DistinctRows", "Exact", "Mean", "Optimal", "Unbiased"]
