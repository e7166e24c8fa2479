"""Policies: who gets the model, how long the master waits, and what it does with the answers.

Named schemes are compositions of a placement, a wait rule and a decoder; `Synchronous` makes new ones.
"""

from clustersim.policies.adaptive_k import AdaptiveK, SwitchingTimes
from clustersim.policies.fastest_k import FastestK, FullSync
from clustersim.policies.synchronous import Composition, Synchronous

__all__ = ["AdaptiveK", "Composition", "FastestK", "FullSync", "SwitchingTimes", "Synchronous"]
