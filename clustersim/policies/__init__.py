"""Policies: who gets the model, how long the master waits, and what it does with the answers.

Named schemes are compositions of a placement, a wait rule and a decoder; `Synchronous` makes new ones.
"""

from clustersim.policies.adaptive_k import AdaptiveK, SwitchingTimes
from clustersim.policies.fastest_k import FastestK, FullSync
from clustersim.policies.repetition import ErasureHead, ExactGradientCode
from clustersim.policies.stochastic_codes import (
    BernoulliGradientCoding,
    FreshBatches,
    IgnoreStragglers,
    SendAll,
    StochasticGradientCoding,
)
from clustersim.policies.synchronous import Composition, Synchronous

__all__ = [
    "AdaptiveK",
    "BernoulliGradientCoding",
    "Composition",
    "ErasureHead",
    "ExactGradientCode",
    "FastestK",
    "FreshBatches",
    "FullSync",
    "IgnoreStragglers",
    "SendAll",
    "StochasticGradientCoding",
    "SwitchingTimes",
    "Synchronous",
]
