"""The engine: simulated time. The only floor that knows SimPy."""

from clustersim.engine.cluster import Cluster
from clustersim.engine.setting import settle
from clustersim.engine.simulate import Run, simulate
from clustersim.engine.until import Until

__all__ = ["Cluster", "Run", "Until", "settle", "simulate"]
