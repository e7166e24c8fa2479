"""Results of the papers as functions: bounds and expectations to compare simulations with.

===========================  ==================================================================================
file                         contents
===========================  ==================================================================================
`order_statistics`           means and variances of the k-th fastest of n times
`adaptive_k`                 error bounds and bound-optimal switching times of fastest-k SGD
`error_bound`                the error bound that `adaptive_k` uses, and checks of its constants
`float_range`                an error for results that floats cannot represent
`erasurehead`                ErasureHead: missing groups, and bounds on the error after T updates
`erasurehead_times`          ErasureHead, exact repetition and no code: expected times
`erasurehead_time_to_error`  ErasureHead, exact repetition and no code: bounds on the time to an error
`sgc_redundancy`             Stochastic Gradient Coding: workers for each row, and incoherence of rows
`sgc`                        Stochastic Gradient Coding: bounds on the distance to the optimum
`decoding`                   errors of decoded gradients, and lower bounds on them
`lgc`                        K-SGD and Live Gradient Compensation: gradient bias and error bounds
`lgc_fraction`               Live Gradient Compensation: fraction of workers to wait for, as in the paper
`lgc_threshold`              Live Gradient Compensation: how many workers to wait for in a time budget
`asynchronous`               K-sync, K-batch-sync, K-async and K-batch-async: expected times of an update
`staleness`                  K-async and K-batch-async: staleness of gradients, and an error bound
===========================  ==================================================================================
"""

from clustersim.theory.adaptive_k import (
    adaptive_error_bound,
    bound_optimal_switching_times,
    fastest_k_error_bound,
    fixed_k_crossings,
    lemma_1_probability,
)
from clustersim.theory.asynchronous import (
    k_async_update_time,
    k_batch_async_update_time,
    k_batch_sync_update_time,
    k_sync_update_time,
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
from clustersim.theory.erasurehead_time_to_error import (
    TimesToError,
    erasurehead_noise_level,
    times_to_error_bound,
)
from clustersim.theory.erasurehead_times import (
    erasurehead_update_time,
    erasurehead_update_time_bound,
    exact_code_update_time,
    uncoded_update_time,
    uncovered_probabilities,
)
from clustersim.theory.lgc import (
    GradientBias,
    k_sgd_error_bound,
    lgc_error_bound,
    lgc_gradient_bias,
    lgc_gradient_bias_bound,
)
from clustersim.theory.lgc_fraction import (
    FractionLimits,
    lgc_approximate_means,
    lgc_fraction_limits,
    lgc_optimal_fraction,
)
from clustersim.theory.lgc_threshold import lgc_feasible_k, lgc_time_error_bounds
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
from clustersim.theory.staleness import (
    async_error_bound,
    k_async_mean_staleness,
    k_async_staleness_probabilities,
    k_batch_async_mean_staleness,
    k_batch_async_staleness_probabilities,
)

__all__ = [
    "FractionLimits",
    "GradientBias",
    "MissingProbabilities",
    "TimesToError",
    "adaptive_error_bound",
    "async_error_bound",
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
    "k_async_mean_staleness",
    "k_async_staleness_probabilities",
    "k_async_update_time",
    "k_batch_async_mean_staleness",
    "k_batch_async_staleness_probabilities",
    "k_batch_async_update_time",
    "k_batch_sync_update_time",
    "k_sgd_error_bound",
    "k_sync_update_time",
    "lemma_1_probability",
    "lgc_approximate_means",
    "lgc_error_bound",
    "lgc_feasible_k",
    "lgc_fraction_limits",
    "lgc_gradient_bias",
    "lgc_gradient_bias_bound",
    "lgc_optimal_fraction",
    "lgc_time_error_bounds",
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
