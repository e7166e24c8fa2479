"""Random clusters, schemes and horizons: what the tests of laws draw from.

Everything chooses its kind first and draws only what that kind needs, so that examples are cheap and shrink well.
"""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from hypothesis import strategies as st
from scripted import AtRandom, ByDeadline
from wild import BUSY, Anything, Tiring

import clustersim as cs
from clustersim import decoders, placements, waits
from clustersim.policies import Asynchronous, Compensate
from clustersim.protocol import Policy, Work

SCALINGS = ("proportional", "server-dependent", "data-dependent", "additive", "none")

# ---------------------------------------------------------------------- clusters

positive = st.floats(0.05, 3.0)
latencies = st.one_of(
    st.builds(cs.Constant, st.sampled_from([0.5, 1.0, 2.0])),  # ties
    st.builds(cs.Exponential, positive),
    st.builds(cs.ShiftedExponential, positive, positive),
    st.builds(cs.Pareto, positive, st.floats(1.2, 4.0)),
    st.builds(cs.BernoulliStraggler, st.floats(0.0, 0.9), positive),
    st.builds(cs.Empirical, st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.5]), min_size=1, max_size=5)),
)
links = st.one_of(
    st.just(cs.Link()),
    st.builds(cs.Link, latency=latencies),
    st.builds(cs.Link, latency=st.sampled_from([0.25, 0.5]), bandwidth=st.sampled_from([8.0, 32.0])),
)

_GRID = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, math.inf)  # in floating point, too, sums of these meet again
_SIMPLE = (
    *(cs.Constant(time) for time in (1.0, 0.5, 0.0)),
    *(cs.Exponential(mean) for mean in (1.0, 0.1)),
    cs.ShiftedExponential(0.5, 0.5),
    cs.Pareto(1.0, 1.5),
    cs.LogNormal(0.5, 1.5),
    *(cs.BernoulliStraggler(p, time=1.0) for p in (0.0, 0.2, 0.6)),
    *(
        cs.Empirical(times)
        for times in ([0.5, 1.0], [0.0, 0.25, 0.5, 1.0], [0.25, 0.5, 1.5, 2.0], [0.5, 1.0, math.inf])
    ),
)
_ROUGH = (cs.Exponential(0.5), cs.Empirical([0.0, 0.25, 2.0]), cs.Empirical([0.25, 0.25, 0.5, math.inf]))
_FORMS = ("simple", "simple", "simple", "recorded", "unlike", "persistent", "markov")


@cache
def models(workers):
    """Latency models of any kind for a given number of workers."""
    return _models(workers)


@st.composite
def _models(draw, workers):
    form = draw(st.sampled_from(_FORMS))
    if form == "recorded":
        return _recording(workers, draw(st.lists(st.sampled_from(_GRID), min_size=1, max_size=7)), draw(seeds))
    one = draw(st.sampled_from(_SIMPLE))
    if form == "simple":
        return one
    if form == "persistent":
        return cs.Persistent(one, draw(st.integers(1, 4)))
    other = draw(st.sampled_from(_SIMPLE))
    if form == "markov":
        return cs.Markov(one, other, slow_down=0.3, recover=0.5)
    return cs.PerWorker([(one, other)[i % 2] for i in range(workers)])


def _recording(workers, times, seed):
    """Measured times that repeat a short pattern, shuffled; a few end before the run does."""
    random = np.random.default_rng(seed)
    pattern = random.permutation(np.resize(times, 7 * workers)).reshape(7, workers)
    return cs.Replay(np.tile(pattern, (1 if seed % 8 == 7 else 60, 1)))


@cache
def any_links(workers):
    """Links of any kind: some take no time, some lose messages, on some messages overtake each other."""
    return st.one_of(
        st.just(cs.Link()),
        st.builds(cs.Link, latency=models(workers)),
        st.builds(cs.Link, latency=st.sampled_from(_ROUGH)),
        st.builds(cs.Link, latency=st.sampled_from([0.0, 0.25, 0.5]), bandwidth=st.sampled_from([32.0, 8.0])),
    )


@cache
def any_clusters(workers):
    """Clusters of any kind with a given number of workers."""
    return st.builds(
        cs.Cluster,
        st.just(workers),
        models(workers),
        downlink=any_links(workers),
        uplink=any_links(workers),
        scaling=st.sampled_from(SCALINGS),
        busy=st.sampled_from(BUSY),
        bytes_per_entry=st.sampled_from([8, 4]),
    )


# ---------------------------------------------------------------------- schemes: each fits a given number of workers


def _divisors(n):
    return st.sampled_from([c for c in range(1, n + 1) if n % c == 0])


@st.composite
def coded_schemes(draw, workers):
    """Any placement, wait rule and decoder that go together."""
    kind, any_decoder = (
        draw(st.sampled_from(["groups", "even", "cyclic", "uniform", "norm", "apart", "everything"])),
        [],
    )
    copies = draw(_divisors(workers) if kind == "groups" else st.integers(1, workers))
    placement = {
        "groups": placements.FractionalRepetition,
        "even": lambda copies: placements.EvenPartition(),
        "cyclic": placements.CyclicRepetition,
        "uniform": placements.UniformReplication,
        "norm": placements.NormReplication,
        "apart": lambda copies: placements.Uncombined(placements.UniformReplication(copies)),
        "everything": lambda copies: placements.Everything(),
    }[kind](copies)
    probability = draw(st.sampled_from([0.0, 0.3, 0.9]))
    if kind != "apart":
        any_decoder.append(decoders.Mean())
    if kind not in ("apart", "cyclic"):  # cyclic rows' coefficients do not add up to the same, and Unbiased says so
        any_decoder.append(decoders.Unbiased(probability))
    special = {"groups": [decoders.DistinctGroups(), decoders.Optimal()], "uniform": [decoders.Optimal()],
               "cyclic": [decoders.Optimal()], "apart": [decoders.DistinctRows(probability)]}  # fmt: skip
    decoder = draw(st.sampled_from([*any_decoder, *special.get(kind, [])]))
    batch = draw(st.sampled_from([None, 2])) if kind in ("even", "everything") and decoder in any_decoder else None
    wait = draw(wait_rules(workers, covered=kind != "everything"))
    return cs.Synchronous(wait, decoder, placement, batch, draw(st.sampled_from(["count", "redraw"])))


@st.composite
def wait_rules(draw, workers, *, covered):
    """Any wait rule, or the earlier or the later of two."""
    fixed = st.one_of(
        st.just(waits.All()),
        st.builds(waits.Fastest, st.integers(1, workers)),
        st.builds(waits.Fraction, st.floats(0.01, 1.0)),
        st.builds(waits.Deadline, st.floats(4.0, 9.0)),
    )
    watching = st.one_of(
        st.builds(waits.GracePeriod, st.integers(1, workers), st.sampled_from([0.0, 0.5, 2.0])),
        st.builds(waits.RelativeDeadline, st.sampled_from([0.0, 0.5, 1.0])),
        st.builds(waits.MedianDeadline, st.sampled_from([0.0, 1.0, 3.0])),
    )
    others = [waits.Pflug(1, 0, 0, step=1), *([waits.Covered()] if covered else [])]
    wait = draw(st.one_of(fixed, watching, st.sampled_from(others)))
    combined = draw(st.sampled_from([None, None, waits.Earliest, waits.Latest]))
    return combined(wait, draw(st.one_of(fixed, watching))) if combined else wait


@st.composite
def late_schemes(draw, workers):
    """A scheme that uses late answers."""
    n, k = workers, draw(st.integers(1, workers))
    kind = draw(st.sampled_from(["LGC", "compensated", "stream", "KAsync", "KBatchAsync", "KBatchSync"]))
    even = [placements.EvenPartition(), cs.Dirichlet(5.0), cs.Dirichlet(0.2)]
    placement = draw(st.sampled_from([*even, *([cs.ByLabel(2)] if n > 1 else [])]))
    batch = draw(st.sampled_from([None, 2, 5]))
    if kind == "KBatchSync":
        return cs.KBatchSync(k, placement, batch)
    if kind in ("LGC", "compensated"):
        blocks, scaled = draw(st.integers(1, batch or 5)), draw(st.booleans())
        if kind == "LGC":
            return cs.LiveGradientCompensation(k, blocks, placement, batch, scaled=scaled, warm_up=1.0)
        wait = draw(st.sampled_from([waits.Fastest(k), waits.Pflug(1, 0, 0, step=1), waits.Fraction(0.6),
                                     waits.Earliest(waits.Fastest(k), waits.Deadline(5.0)),
                                     waits.WarmUp(waits.Fastest(k), 2.0)]))  # fmt: skip
        silence = draw(st.sampled_from(["count", "redraw"]))
        late = Compensate(scaled)
        return cs.Synchronous(wait, placement=placement, batch=batch, blocks=blocks, late=late, silence=silence)
    bound = draw(st.sampled_from([None, 0, 1, 3]))
    if kind == "stream":
        return Asynchronous(k, placement, batch, draw(st.booleans()), draw(st.booleans()), bound)
    return {"KAsync": cs.KAsync, "KBatchAsync": cs.KBatchAsync}[kind](k, placement, batch, bound)


@cache
def named_schemes(workers):
    """The public policies that the two above do not hold by name."""
    k, few = st.integers(1, workers), st.just(min(workers, 2))
    deadline, p = st.sampled_from([6.0, 2.5, 1.0]), st.sampled_from([0.0, 0.3])
    silence, batch = st.sampled_from(["count", "redraw"]), st.sampled_from([None, 2])
    times = st.lists(st.sampled_from([0.0, 0.5, 1.0, 4.0]), max_size=workers - 1).map(sorted)
    load = _divisors(workers)
    return st.one_of(
        st.builds(cs.FullSync, batch=batch),
        st.builds(cs.FastestK, k, batch=batch, warm_up=st.sampled_from([0.0, 2.0])),
        st.builds(cs.AdaptiveK, k, threshold=st.just(0), burn_in=st.just(1)),
        st.builds(cs.AdaptiveK, st.just(1), threshold=st.just(0), burn_in=st.just(0), factor=st.just(2), max_k=k),
        st.builds(cs.SwitchingTimes, times),
        st.builds(cs.ErasureHead, load, st.sampled_from([0.3, 1.0]), st.none() | deadline, silence),
        st.builds(cs.ExactGradientCode, load),
        st.builds(cs.ExactGradientCode, k, code=st.just("cyclic")),
        st.builds(cs.StochasticGradientCoding, few, p, deadline, silence),
        st.builds(cs.BernoulliGradientCoding, few, p, deadline, silence),
        st.builds(cs.IgnoreStragglers, p, deadline, silence),
        st.builds(cs.SendAll, few, p, deadline, silence),
        st.builds(cs.FreshBatches, st.just(3)),
        st.builds(cs.FreshBatches, st.just(3), p, deadline, silence),
    )


seeds = st.integers(0, 10**6)


@st.composite
def honest_schemes(draw, workers):
    """Any policy of the package for a given number of workers; each keeps its promise about what it wants."""
    kind = draw(st.sampled_from([named_schemes, coded_schemes, late_schemes]))
    return draw(kind(workers))


@st.composite
def all_schemes(draw, workers):
    """Any policy at all."""
    kinds = ["honest", "honest", "honest", "stopped", "anything", "anything", "random", "deadline"]
    kind = draw(st.sampled_from(kinds))
    if kind == "honest":
        return draw(honest_schemes(workers))
    if kind == "stopped":
        return cs.LiveGradientCompensation(draw(st.integers(1, max(1, workers // 2))), draw(st.sampled_from([2, 4])))
    if kind == "deadline":
        return ByDeadline(draw(st.sampled_from([2.5, 1.0])))
    if kind == "random":
        return Tiring(AtRandom(draw(seeds)))
    batch = draw(st.sampled_from([None, 4]))
    return Tiring(Anything(draw(seeds), Work(batch=batch, blocks=draw(st.sampled_from([1, 2, 2, 4])))))


# ---------------------------------------------------------------------- whole runs

ROWS, CLASSES = 96, 3


@cache
def problem(kind):
    """A small problem with labels, as workers may hold them unevenly."""
    random = np.random.default_rng(1)
    labels = np.arange(ROWS) % CLASSES
    X = random.normal(size=(ROWS, 2)) + labels[:, None]
    return cs.SoftmaxRegression(X, labels) if kind == "softmax" else cs.LogisticRegression(X, labels > 0, ridge=0.1)


@dataclass(frozen=True)
class Case:
    """All that `simulate` needs but how."""

    policy: Policy
    cluster: cs.Cluster
    until: cs.Until
    seed: int = 0
    evaluate_every: int = 1
    optimizer: cs.Optimizer = field(default_factory=lambda: cs.SGD(0.01))
    problem: str | cs.Problem = "softmax"

    def run(self, policy=None, **options):
        """Simulate it, perhaps with another policy."""
        named = problem(self.problem) if isinstance(self.problem, str) else self.problem
        return cs.simulate(
            named, self.cluster, policy or self.policy, optimizer=self.optimizer, until=self.until,
            seed=self.seed, evaluate_every=self.evaluate_every, **options,
        )  # fmt: skip


_updates, _time = st.sampled_from([20, 30, 8, 1]), st.sampled_from([20.0, 8.0, 4.0])
_horizons = st.one_of(
    st.builds(cs.Until, updates=_updates),
    st.builds(cs.Until, time=st.sampled_from([4.0, 2.5])),
    st.builds(cs.Until, time=_time, updates=_updates),
    st.builds(cs.Until, error=st.sampled_from([0.2, 0.35]), updates=_updates),
    st.builds(cs.Until, error=st.sampled_from([0.2, 1.0]), time=_time, updates=_updates),
    st.builds(cs.Until, epochs=st.sampled_from([5.0, 0.5]), time=_time),
)  # each ends the run soon
_clocked = st.builds(cs.Until, time=_time, updates=st.sampled_from([30, 5, None]))
_optimizers = st.sampled_from(
    [cs.SGD(0.01), cs.SGD(0.01), cs.SGD(0.01), cs.SGD(lambda t: 0.1 / t), cs.Momentum(0.01), cs.Nesterov(0.01),
     cs.SGD(1e4)]
)  # fmt: skip
_sizes = st.one_of(st.integers(1, 4), st.integers(2, 9), st.integers(4, 9), st.integers(5, 40))


@st.composite
def cases(draw, policies=all_schemes):
    """A whole run; `policies` makes a strategy from the number of workers."""
    workers = draw(_sizes)
    policy = draw(policies(workers))
    unbounded = isinstance(policy, Tiring)  # nothing makes these update ever
    return Case(
        policy,
        draw(any_clusters(workers)),
        draw(_clocked if unbounded else _horizons),
        draw(seeds),
        draw(st.integers(1, 5)),
        draw(_optimizers),
        draw(st.sampled_from(["softmax", "ridge"])),
    )


# ---------------------------------------------------------------------- times that are hard to represent

_SCALES = (0.0, 1e-320, 1e-300, 1e-16, 1.0, 1e15, 1e99, 1e100, math.inf)  # seconds


@dataclass(frozen=True)
class Drawn(cs.LatencyModel):
    """A model of somebody's own, that draws what it is told, be it longer than any time may be."""

    times_told: tuple[float, ...]

    def quantile(self, u):
        places = np.minimum((np.asarray(u) * len(self.times_told)).astype(int), len(self.times_told) - 1)
        return np.array(self.times_told)[places]


@st.composite
def extreme_cases(draw):
    """A run in which times of all sizes are added: of models, links, deadlines, switches and horizons."""
    workers, size = draw(st.integers(1, 5)), st.sampled_from(_SCALES)
    finite = st.sampled_from(_SCALES[:-1])
    model = st.one_of(
        st.builds(cs.Constant, finite),
        st.builds(Drawn, st.lists(size, min_size=1, max_size=3).map(sorted).map(tuple)),
        st.builds(Drawn, st.lists(finite | st.just(1e308), min_size=1, max_size=3).map(sorted).map(tuple)),
        st.builds(cs.Empirical, st.lists(size, min_size=1, max_size=4)),
        st.builds(cs.Exponential, st.sampled_from([1e-100, 1e-16, 1e15, 1e98, 1e100])),
        st.builds(cs.Weibull, st.sampled_from([1.0, 1e100]), st.sampled_from([0.01, 0.1])),
        st.builds(cs.LogNormal, st.sampled_from([1e-100, 1.0, 1e99]), st.sampled_from([6.0, 40.0])),
    )
    bandwidth = st.sampled_from([None, None, 1e-320, 1e-300, 1e-98, 1e-15, 1e300])
    link = st.builds(cs.Link, model | st.none(), bandwidth)
    cluster = cs.Cluster(
        workers, draw(model), draw(link), draw(link), draw(st.sampled_from(SCALINGS)), draw(st.sampled_from(BUSY))
    )
    deadline = st.sampled_from([1e-320, 1e-300, 1e-16, 1.0, 1e15, 1e100])
    policy = draw(
        st.one_of(
            honest_schemes(workers),
            st.builds(cs.FastestK, st.integers(1, workers)),
            st.builds(cs.KAsync, st.integers(1, workers)),
            st.builds(cs.IgnoreStragglers, st.just(0.1), deadline, st.sampled_from(["count", "redraw"])),
            st.lists(finite | st.just(1e308), max_size=workers - 1).map(sorted).map(cs.SwitchingTimes),
        )
    )
    time = st.none() | st.sampled_from([1e-320, 1e-300, 1e-16, 1.0, 1e15, 1e100])
    until = cs.Until(draw(time), draw(st.integers(1, 12)))
    return Case(policy, cluster, until, draw(seeds), draw(st.integers(1, 3)))
