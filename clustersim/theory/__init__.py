"""What the papers prove, as functions to hold simulations against.

=======================  ==========================================================================
file                     what lives there
=======================  ==========================================================================
`order_statistics`       means and variances of the fastest k of n response times
`adaptive_k`             error bounds and bound-optimal switching times of fastest-k SGD
`error_bound`            the bound that these start from, and checks of its constants
`erasurehead`            ErasureHead: missing groups and bounds on the error after so many updates
`erasurehead_times`      ErasureHead, exact repetition and no code: expected times
`sgc_redundancy`         Stochastic Gradient Coding: workers a row, and the incoherence of rows
`sgc`                    Stochastic Gradient Coding: bounds on the distance to the optimum
`decoding`               how far decoded gradients are from the full one, and can be at best
=======================  ==========================================================================
"""

from clustersim.theory.adaptive_k import (
    adaptive_error_bound,
    bound_optimal_switching_times,
    fastest_k_error_bound,
    fixed_k_crossings,
    lemma_1_probability,
)
from clustersim.theory.decoding import (
    fixed_weights_decoding_error,
    optimal_decoding_error_bound,
    repetition_decoding_error,
    unbiased_decoding_error_bound,
)
from clustersim.theory.erasurehead import (
    MissingProbabilities,
    erasurehead_error_bound,
    erasurehead_exponential_error_bound,
    missing_probabilities,
)
from clustersim.theory.erasurehead_times import (
    TimesToError,
    erasurehead_noise_level,
    erasurehead_update_time,
    erasurehead_update_time_bound,
    exact_code_update_time,
    times_to_error_bound,
    uncoded_update_time,
    uncovered_probabilities,
)
from clustersim.theory.order_statistics import (
    harmonic_numbers,
    order_statistic_means,
    order_statistic_variances,
)
from clustersim.theory.sgc import (
    sgc_distance_bound,
    sgc_general_distance_bound,
    sgc_step_size,
)
from clustersim.theory.sgc_redundancy import (
    sgc_incoherence,
    sgc_redundancies,
    sgc_whole_redundancies,
)

__all__ = [
    "MissingProbabilities",
    "TimesToError",
    "adaptive_error_bound",
    "bound_optimal_switching_times",
    "erasurehead_error_bound",
    "erasurehead_exponential_error_bound",
    "erasurehead_noise_level",
    "erasurehead_update_time",
    "erasurehead_update_time_bound",
    "exact_code_update_time",
    "fastest_k_error_bound",
    "fixed_k_crossings",
    "fixed_weights_decoding_error",
    "harmonic_numbers",
    "lemma_1_probability",
    "missing_probabilities",
    "optimal_decoding_error_bound",
    "order_statistic_means",
    "order_statistic_variances",
    "repetition_decoding_error",
    "sgc_distance_bound",
    "sgc_general_distance_bound",
    "sgc_incoherence",
    "sgc_redundancies",
    "sgc_step_size",
    "sgc_whole_redundancies",
    "times_to_error_bound",
    "unbiased_decoding_error_bound",
    "uncoded_update_time",
    "uncovered_probabilities",
]
