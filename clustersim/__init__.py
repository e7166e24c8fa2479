"""clustersim: a discrete-event simulator of distributed training with stragglers.

Choose a problem, a cluster and a policy; error, wall-clock time, communication and wasted work emerge from events.

>>> import clustersim as cs
>>> problem = cs.LeastSquares.synthetic(rows=200, features=5, seed=7)
>>> cluster = cs.Cluster(workers=10, compute=cs.Exponential(mean=1.0))
>>> run = cs.simulate(problem, cluster, cs.FastestK(3), optimizer=cs.SGD(1e-3), until=cs.Until(time=20.0), seed=1)
>>> run.history.columns[:3].tolist()
['time', 'update', 'error']
"""

from clustersim import conformance, datasets, decoders, placements, schedules, theory, waits
from clustersim.engine import Cluster, Run, Until, simulate
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
    TorchProblem,
    vgg11,
)
from clustersim.protocol import Policy
from clustersim.studies import Claim, Results, Study, compare, load_results

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
    "TorchProblem",
    "Until",
    "Weibull",
    "__version__",
    "compare",
    "conformance",
    "datasets",
    "decoders",
    "load_results",
    "main",
    "placements",
    "schedules",
    "simulate",
    "theory",
    "vgg11",
    "waits",
]


def main(study: Study | None = None) -> None:
    """Hand a scenario's study to the command line; a script ends with ``if __name__ == "__main__": cs.main(study)``.

    Parameters
    ----------
    study : Study, optional
        What to run; without it the arguments say what to do, as those of ``clustersim`` do.
    """
    from clustersim.cli import main as command_line  # noqa: PLC0415 - whoever only simulates need not load plots

    command_line(study)
