"""clustersim: a discrete-event simulator of distributed training with stragglers.

Choose a problem, a cluster and a policy. The simulation shows the error, the wall-clock time, the communication and the
wasted work.

>>> import clustersim as cs
>>> problem = cs.LeastSquares.synthetic(rows=200, features=5, seed=7)
>>> cluster = cs.Cluster(workers=10, compute=cs.Exponential(mean=1.0))
>>> run = cs.simulate(problem, cluster, cs.FastestK(3), optimizer=cs.SGD(1e-3), until=cs.Until(time=20.0), seed=1)
>>> run.history.columns[:3].tolist()
['time', 'update', 'error']
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from clustersim.interrupts import end_on_signals, restore

if TYPE_CHECKING:  # `__getattr__` loads the same names at run time
    from clustersim import (
        conformance,
        datasets,
        decoders,
        latency,
        placements,
        plots,
        policies,
        protocol,
        schedules,
        theory,
        waits,
    )
    from clustersim.cluster import Cluster
    from clustersim.engine import Run, simulate
    from clustersim.errors import (
        ClusterSimError,
        ConfigurationError,
        DivergenceError,
        FailedRunsError,
        FailedRunsWarning,
        ProtocolError,
        ResultsError,
        StalledError,
    )
    from clustersim.evaluations import Every
    from clustersim.latency import (
        BernoulliStraggler,
        Constant,
        Empirical,
        Exponential,
        FromScipy,
        Gamma,
        LatencyModel,
        LogNormal,
        Markov,
        Pareto,
        Persistent,
        PerWorker,
        Replay,
        ShiftedExponential,
        Weibull,
    )
    from clustersim.links import Link
    from clustersim.optimizers import SGD, Momentum, Nesterov, Optimizer
    from clustersim.placements import ByLabel, Dirichlet
    from clustersim.policies import (
        AdaptiveK,
        BernoulliGradientCoding,
        ErasureHead,
        ExactGradientCode,
        FastestK,
        FreshBatches,
        FullSync,
        IgnoreStragglers,
        KAsync,
        KBatchAsync,
        KBatchSync,
        LiveGradientCompensation,
        SendAll,
        StochasticGradientCoding,
        SwitchingTimes,
        Synchronous,
    )
    from clustersim.problems import (
        LeastSquares,
        LogisticRegression,
        MultilayerPerceptron,
        Problem,
        SoftmaxRegression,
        TimingOnly,
        TorchProblem,
        vgg11,
    )
    from clustersim.protocol import Policy
    from clustersim.reports import report
    from clustersim.studies import Claim, Results, Study, Tuning, Variant, With, grid, load_results, load_run, merge
    from clustersim.studies.comparing import compare
    from clustersim.studies.pareto import pareto_front
    from clustersim.until import Until

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "AdaptiveK",
    "BernoulliGradientCoding",
    "BernoulliStraggler",
    "ByLabel",
    "Claim",
    "Cluster",
    "ClusterSimError",
    "ConfigurationError",
    "Constant",
    "Dirichlet",
    "DivergenceError",
    "Empirical",
    "ErasureHead",
    "Every",
    "ExactGradientCode",
    "Exponential",
    "FailedRunsError",
    "FailedRunsWarning",
    "FastestK",
    "FreshBatches",
    "FromScipy",
    "FullSync",
    "Gamma",
    "IgnoreStragglers",
    "KAsync",
    "KBatchAsync",
    "KBatchSync",
    "LatencyModel",
    "LeastSquares",
    "Link",
    "LiveGradientCompensation",
    "LogNormal",
    "LogisticRegression",
    "Markov",
    "Momentum",
    "MultilayerPerceptron",
    "Nesterov",
    "Optimizer",
    "Pareto",
    "PerWorker",
    "Persistent",
    "Policy",
    "Problem",
    "ProtocolError",
    "Replay",
    "Results",
    "ResultsError",
    "Run",
    "SendAll",
    "ShiftedExponential",
    "SoftmaxRegression",
    "StalledError",
    "StochasticGradientCoding",
    "Study",
    "SwitchingTimes",
    "Synchronous",
    "TimingOnly",
    "TorchProblem",
    "Tuning",
    "Until",
    "Variant",
    "Weibull",
    "With",
    "__version__",
    "compare",
    "conformance",
    "datasets",
    "decoders",
    "grid",
    "latency",
    "load_results",
    "load_run",
    "main",
    "merge",
    "pareto_front",
    "placements",
    "plots",
    "policies",
    "protocol",
    "report",
    "schedules",
    "simulate",
    "theory",
    "vgg11",
    "waits",
]


_HOMES = (
    "cluster", "until", "evaluations", "engine", "errors", "latency", "links", "optimizers", "placements", "policies",
    "problems", "protocol", "studies", "reports",
)  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name or a module of the package when it is first used, so that the command line starts quickly."""
    if name in __all__:
        for home in (import_module(f"{__name__}.{home}") for home in _HOMES):
            if name in home.__all__:
                return globals().setdefault(name, getattr(home, name))
    if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names of this module, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})


def main(study: "Study | None" = None) -> None:
    """Run the command line with a scenario's study.

    A scenario script ends with ``if __name__ == "__main__": cs.main(study)``.

    Parameters
    ----------
    study : Study, optional
        The study to run. Without it the command-line arguments decide, as for the program ``clustersim``.
    """
    before = end_on_signals()
    try:
        command_line = import_module(f"{__name__}.cli")  # so that a simulation need not load the plots
        command_line.main(study)
    finally:
        restore(before)
