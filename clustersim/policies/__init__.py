"""Policies: which workers get the model, how long the master waits, and how it uses the messages.

Named schemes are compositions of a placement, a wait rule and a decoder; `Synchronous` makes new ones. `Asynchronous`
is the family without rounds.
"""

from clustersim.policies.adaptive_k import AdaptiveK, SwitchingTimes
from clustersim.policies.asynchronous import Asynchronous
from clustersim.policies.compensation import LiveGradientCompensation
from clustersim.policies.composition import Composition
from clustersim.policies.fastest_k import FastestK, FullSync
from clustersim.policies.k_async import KAsync, KBatchAsync, KBatchSync
from clustersim.policies.late import Compensate, Discard
from clustersim.policies.random_stragglers import FreshBatches, IgnoreStragglers
from clustersim.policies.repetition import ErasureHead, ExactGradientCode
from clustersim.policies.stochastic_codes import BernoulliGradientCoding, SendAll, StochasticGradientCoding
from clustersim.policies.synchronous import Synchronous

__all__ = [
    "AdaptiveK",
    "Asynchronous",
    "BernoulliGradientCoding",
    "Compensate",
    "Composition",
    "Discard",
    "ErasureHead",
    "ExactGradientCode",
    "FastestK",
    "FreshBatches",
    "FullSync",
    "IgnoreStragglers",
    "KAsync",
    "KBatchAsync",
    "KBatchSync",
    "LiveGradientCompensation",
    "SendAll",
    "StochasticGradientCoding",
    "SwitchingTimes",
    "Synchronous",
]
