"""Laws of any placement, wait rule and decoder put together: conservation, determinism, honest hints."""

import dataclasses

import numpy as np
import pytest
from conforming import half_of_the_clusters
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_spaces import latencies, links
from small import run_if_possible

import clustersim as cs
from clustersim import decoders, placements, waits
from clustersim.conformance import check_policy, check_run
from clustersim.protocol import Setting, Updated

ROWS = 24
# of what a random composition may ask for: deadlines, empty workers, batches
REFUSALS = (
    "can answer before",
    "can never answer",
    "without rows",
    "not even the messages of all workers",
    "biased",
    "holds only",
)


@st.composite
def schemes(draw):
    """A number of workers, and a scheme that fits it."""
    n = draw(st.integers(1, 8))
    load = draw(st.sampled_from([c for c in range(1, n + 1) if n % c == 0]))
    copies = draw(st.integers(1, n))
    probability = draw(st.floats(0.0, 0.9))
    kinds = {
        "groups": placements.FractionalRepetition(load),
        "even": placements.EvenPartition(),
        "cyclic": placements.CyclicRepetition(copies),
        "uniform": placements.UniformReplication(copies),
        "norm": placements.NormReplication(copies),
        "apart": placements.Uncombined(placements.UniformReplication(copies)),
        "everything": placements.Everything(),
    }
    kind = draw(st.sampled_from(list(kinds)))
    fixed = [waits.All(), waits.Fastest(draw(st.integers(1, n))), waits.Fraction(draw(st.floats(0.01, 1.0))),
             waits.Deadline(draw(st.floats(4.0, 9.0)))]  # fmt: skip
    growing = waits.Pflug(1, 0, 0, step=1)
    exact = kind != "everything"
    wait = draw(st.sampled_from([*fixed, growing, *([waits.Covered()] if exact else [])]))
    if draw(st.booleans()):
        wait = waits.Earliest(wait, draw(st.sampled_from(fixed)))
    any_decoder = [decoders.Mean(), decoders.Unbiased(probability)] if kind != "apart" else []
    if kind == "cyclic":
        any_decoder.pop()  # its rows' coefficients do not add up to the same, and Unbiased says so
    special = {"groups": [decoders.DistinctGroups(), decoders.Optimal()], "uniform": [decoders.Optimal()],
               "cyclic": [decoders.Optimal()], "apart": [decoders.DistinctRows(probability)]}  # fmt: skip
    decoder = draw(st.sampled_from([*any_decoder, *special.get(kind, [])]))
    batch = draw(st.sampled_from([None, 2])) if kind in ("even", "everything") and decoder in any_decoder else None
    silence = draw(st.sampled_from(["count", "redraw"]))
    return n, cs.Synchronous(wait, decoder, kinds[kind], batch, silence)


def simulate(n, policy, compute, link, busy, scaling, seed=0):
    cluster = cs.Cluster(n, compute, downlink=link, uplink=link, busy=busy, scaling=scaling)
    problem = cs.LeastSquares.synthetic(rows=ROWS, features=2, seed=1)
    return cluster, run_if_possible(problem, cluster, policy, seed, step_size=1e-4, refusals=REFUSALS)


settings_of_cluster = {
    "compute": latencies,
    "link": links,
    "busy": st.sampled_from(["restart", "finish", "queue", "send"]),
    "scaling": st.sampled_from(["proportional", "none", "additive"]),
}


@settings(max_examples=35, deadline=None)
@given(scheme=schemes(), **settings_of_cluster)
def test_everything_adds_up_for_any_composition(scheme, compute, link, busy, scaling):
    cluster, run = simulate(*scheme, compute, link, busy, scaling)
    assume(run is not None)
    check_run(run, cluster)


@settings(max_examples=20, deadline=None)
@given(scheme=schemes(), seed=st.integers(0, 10**6), **settings_of_cluster)
def test_same_seed_same_run(scheme, seed, compute, link, busy, scaling):
    (_, one), (_, two) = (simulate(*scheme, compute, link, busy, scaling, seed) for _ in range(2))
    assume(one is not None)
    assert one.messages.equals(two.messages)
    assert one.totals == two.totals
    assert one.w.tobytes() == two.w.tobytes()


NAMED = [
    cs.ErasureHead(load=2, fraction=0.5),
    cs.ErasureHead(load=3, fraction=1.0, deadline=9.0),
    cs.ExactGradientCode(load=3),
    cs.ExactGradientCode(load=3, code="cyclic"),
    cs.StochasticGradientCoding(2, 0.3, deadline=9.0),
    cs.BernoulliGradientCoding(2, 0.3, deadline=9.0, silence="redraw"),
    cs.IgnoreStragglers(0.3, deadline=9.0),
    cs.SendAll(2, 0.3, deadline=9.0),
    cs.FreshBatches(batch=5),
    cs.FreshBatches(5, 0.3, deadline=9.0),
    cs.Synchronous(waits.Pflug(1, 1, 3), decoders.DistinctGroups(), placements.FractionalRepetition(2)),
    cs.Synchronous(
        waits.Earliest(waits.Schedule([4.0]), waits.Covered()), decoders.Optimal(), placements.UniformReplication(2)
    ),
]  # fmt: skip


@pytest.mark.parametrize("policy", NAMED, ids=lambda policy: type(policy).__name__)
def test_named_schemes_keep_the_laws_of_policies(policy):
    with half_of_the_clusters(NAMED.index(policy)):
        check_policy(policy, updates=5)


def test_redrawing_keeps_the_laws_of_policies():
    """In some of the suite each of two workers straggles with probability 0.3: every 11th round is silent."""
    check_policy(cs.IgnoreStragglers(0.3, silence="redraw"), workers=2)


def test_a_coded_answer_is_one_vector_and_send_all_one_a_row():
    """n = 4, 12 rows on two workers each, nobody straggles: 24 vectors in 4 messages, 8 bytes times 3 features each."""
    problem = cs.LeastSquares.synthetic(rows=12, features=3, seed=1)
    cluster = cs.Cluster(4, cs.BernoulliStraggler(0.0), scaling="none", uplink=cs.Link(bandwidth=24.0))
    counts = {}
    for name, placement in {
        "coded": placements.UniformReplication(2),
        "apart": placements.Uncombined(placements.UniformReplication(2)),
    }.items():
        decoder = decoders.DistinctRows(0.0) if name == "apart" else decoders.Unbiased(0.0)
        policy = cs.Synchronous(waits.All(), decoder, placement)
        run = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1), messages=True)
        counts[name] = [run.totals[f"uplink_{unit}"] for unit in ("messages", "vectors", "bytes")]
        assert run.history["uplink_vectors"].iloc[-1] == counts[name][1]
        assert run.totals["downlink_vectors"] == 4
        arrival = run.messages["arrived"] - run.messages["finished"]
        assert arrival.to_numpy() == pytest.approx(run.messages["bytes"].to_numpy() / 24.0)
    assert counts == {"coded": [4, 4, 96], "apart": [4, 24, 576]}


def test_answers_without_weight_are_discarded():
    """Two groups of two; all answer at once: the second answer of each group is waste, and booked as such."""
    problem = cs.LeastSquares.synthetic(rows=12, features=3, seed=1)
    policy = cs.Synchronous(waits.All(), decoders.DistinctGroups(), placements.FractionalRepetition(2))
    cluster = cs.Cluster(4, cs.Constant(1.0), scaling="none")
    run = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1), messages=True)
    assert run.messages["status"].tolist() == ["used", "discarded", "used", "discarded"]
    assert (run.totals["compute_used"], run.totals["compute_wasted"]) == (2.0, 2.0)


def test_messages_of_which_no_vector_has_weight_are_discarded():
    """Each row by itself on two workers: the second worker of a pair brings nothing new."""
    problem = cs.LeastSquares.synthetic(rows=12, features=3, seed=1)
    placement = placements.Uncombined(placements.FractionalRepetition(2))
    policy = cs.Synchronous(waits.All(), decoders.DistinctRows(0.0), placement)
    cluster = cs.Cluster(4, cs.Constant(1.0), scaling="none")
    run = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1), messages=True)
    assert run.messages["status"].tolist() == ["used", "discarded", "used", "discarded"]
    full = cs.simulate(problem, cluster, cs.FullSync(), optimizer=cs.SGD(1e-3), until=cs.Until(updates=1))
    np.testing.assert_allclose(run.w, full.w, rtol=1e-12)


def test_pflugs_test_takes_no_notice_of_silent_rounds():
    state = waits.Pflug(1, threshold=0, burn_in=0).begin(Setting(3, None, "restart"))
    for version, gradient in enumerate(([1.0], [0.0], [-1.0], [0.0])):
        state.opened(Updated(1.0, version, np.array(gradient)))
    assert state.k == 2


def test_a_round_without_answers_moves_nothing_but_the_ridge():
    X = np.array([[1.0], [2.0], [3.0]])
    never = np.full((2, 3), np.inf)
    cluster = cs.Cluster(3, cs.Replay(np.vstack((never, np.ones(3)))), scaling="none")
    policy = cs.IgnoreStragglers(0.5, deadline=1.0)

    @dataclasses.dataclass(frozen=True)
    class UpByOne(cs.Optimizer):
        """Gradient descent that takes note of the gradient that it is given."""

        seen: list

        def begin(self, w0):
            return self

        def step(self, w, gradient, update_number):
            self.seen.append(gradient.copy())
            return w + 1.0

    seen = []
    problem = cs.LogisticRegression(X, [0, 1, 1], ridge=0.1, bias=False)
    cs.simulate(problem, cluster, policy, optimizer=UpByOne(seen), until=cs.Until(updates=2))
    assert [float(g[0]) for g in seen] == pytest.approx([0.0, 0.1])
