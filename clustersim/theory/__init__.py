"""What the papers prove, as functions to hold simulations against.

=======================  ==========================================================================
file                     what lives there
=======================  ==========================================================================
`order_statistics`       means and variances of the fastest k of n response times
`adaptive_k`             error bounds and bound-optimal switching times of fastest-k SGD
`error_bound`            the bound that these start from, and checks of its constants
=======================  ==========================================================================
"""

from clustersim.theory.adaptive_k import (
    adaptive_error_bound,
    bound_optimal_switching_times,
    fastest_k_error_bound,
    fixed_k_crossings,
    lemma_1_probability,
)
from clustersim.theory.order_statistics import (
    harmonic_numbers,
    order_statistic_means,
    order_statistic_variances,
)

__all__ = [
    "adaptive_error_bound",
    "bound_optimal_switching_times",
    "fastest_k_error_bound",
    "fixed_k_crossings",
    "harmonic_numbers",
    "lemma_1_probability",
    "order_statistic_means",
    "order_statistic_variances",
]
