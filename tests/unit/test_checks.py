"""What checks return is what is kept: plain types, whatever was given; and nonsense is named in short messages."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import clustersim as cs
from clustersim import decoders, policies, schedules, theory, waits
from clustersim.complaints import shown

SMALL = cs.LeastSquares.synthetic(rows=8, features=2, seed=1)


# ---------------------------------------------------------------------- plain types


def test_numpy_integers_do_not_overflow_in_the_accounts():
    wide = cs.LeastSquares(np.ones((2, 300_000)), [1.0, 2.0])
    cluster = cs.Cluster(np.int16(2), cs.Constant(1.0), bytes_per_entry=np.int32(8))
    run = cs.simulate(wide, cluster, cs.FastestK(np.int8(2)), optimizer=cs.SGD(1e-9), until=cs.Until(updates=9))
    assert run.totals["uplink_bytes"] == 9 * 2 * 300_000 * 8
    assert run.history["uplink_bytes"].iloc[-1] == run.totals["uplink_bytes"]


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        (lambda: cs.Cluster(np.int16(10), cs.Constant(1.0)), lambda: cs.Cluster(10, cs.Constant(1.0))),
        (lambda: cs.Gamma(Fraction(1, 2), np.float16(2.0)), lambda: cs.Gamma(0.5, 2.0)),
        (lambda: cs.Constant(np.array(2)), lambda: cs.Constant(2.0)),
        (lambda: cs.Constant(-0.0), lambda: cs.Constant(0.0)),
        (lambda: cs.Persistent(cs.Constant(1), np.uint8(3)), lambda: cs.Persistent(cs.Constant(1.0), 3)),
        (lambda: cs.Markov(cs.Constant(1), cs.Constant(2), np.float32(0.5), Fraction(1, 4)),
         lambda: cs.Markov(cs.Constant(1.0), cs.Constant(2.0), 0.5, 0.25)),
        (lambda: cs.Empirical([Fraction(1, 2), np.int8(1)]), lambda: cs.Empirical([0.5, 1.0])),
        (lambda: cs.Link(Fraction(1, 2), np.int32(8)), lambda: cs.Link(0.5, 8.0)),
        (lambda: cs.Until(np.int8(5), np.int8(3)), lambda: cs.Until(5.0, 3)),
        (lambda: cs.SGD(Fraction(1, 2)), lambda: cs.SGD(0.5)),
        (lambda: schedules.StepDecay(np.float32(0.5), np.array([2, 3], dtype=np.int8)),
         lambda: schedules.StepDecay(0.5, (2, 3))),
        (lambda: waits.Deadline(np.int8(5), for_all=np.True_), lambda: waits.Deadline(5.0, for_all=True)),
        (lambda: waits.Pflug(*np.array([1, 2, 3, 1], dtype=np.int8)), lambda: waits.Pflug(1, 2, 3, 1)),
        (lambda: decoders.Unbiased(Fraction(1, 2)), lambda: decoders.Unbiased(0.5)),
        (lambda: cs.placements.FractionalRepetition(np.int8(2), np.int8(4)),
         lambda: cs.placements.FractionalRepetition(2, 4)),
        (lambda: cs.ByLabel(np.int8(2)), lambda: cs.ByLabel(2)),
        (lambda: cs.FastestK(np.int8(2), batch=np.int8(3), warm_up=1), lambda: cs.FastestK(2, batch=3, warm_up=1.0)),
        (lambda: cs.SwitchingTimes(np.array([1, 2], dtype=np.int8), np.int8(1)), lambda: cs.SwitchingTimes([1.0, 2.0])),
        (lambda: cs.SendAll(np.int8(2), Fraction(1, 4), np.int8(3)), lambda: cs.SendAll(2.0, 0.25, 3.0)),
        (lambda: cs.KAsync(np.int8(2), max_staleness=np.int8(1)), lambda: cs.KAsync(2, max_staleness=1)),
        (lambda: policies.Asynchronous(np.int8(1), at_once=np.True_), lambda: policies.Asynchronous(1, at_once=True)),
        (lambda: cs.LiveGradientCompensation(np.int8(2), np.int8(1), scaled=np.False_),
         lambda: cs.LiveGradientCompensation(2, 1, scaled=False)),
    ],
)  # fmt: skip
def test_equal_arguments_make_equal_objects_that_print_alike(dressed, plain):
    assert dressed() == plain()
    assert repr(dressed()) == repr(plain())
    assert hash(dressed()) == hash(plain())


def test_attributes_are_of_the_types_of_python():
    cluster = cs.Cluster(np.int16(2), cs.Constant(np.float32(1.0)), busy=np.str_("queue"), bytes_per_entry=np.int8(4))
    assert [type(x) for x in (cluster.workers, cluster.bytes_per_entry, cluster.busy)] == [int, int, str]
    assert type(cluster.compute.time) is float
    assert type(cs.FullSync(batch=np.int8(2)).batch) is int
    assert type(cs.LogisticRegression([[1.0], [2.0]], [0, 1], bias=np.False_).bias) is bool


# ---------------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cs.LogisticRegression([[1.0], [2.0]], [0, 1], bias="2"), "bias = '2': expected True or False"),
        (lambda: waits.Deadline(1.0, for_all=float("nan")), "for_all = nan: expected True or False"),
        (lambda: policies.Asynchronous(1, to_all=1), "to_all = 1: expected True or False"),
        (lambda: cs.LiveGradientCompensation(1, 1, scaled="no"), "scaled = 'no': expected True or False"),
        (lambda: theory.repetition_decoding_error(0.5, 2, rescaled="2"), "rescaled = '2': expected True or False"),
        (lambda: cs.SwitchingTimes(b"2"), "times = b'2': expected a sequence of times"),
        (lambda: cs.SwitchingTimes({1.0, 2.0}), "times = .*expected a sequence of times"),
        (lambda: cs.Empirical(["1", "2"]), r"samples = \['1', '2'\]: expected a list of times"),
        (lambda: cs.Empirical(b"12"), "samples = b'12': expected a list of times"),
        (lambda: cs.Empirical([True, False]), "samples = .*expected a list of times"),
        (lambda: cs.Empirical([1.0, 10**400]), r"samples\[1\] = nan"),
        (lambda: cs.Empirical([Decimal(1)]), "samples = .*expected a list of times"),
        (lambda: cs.Replay([["1"]]), "times = .*expected a matrix of times"),
        (lambda: cs.PerWorker({cs.Constant(1.0)}), "models = .*expected a sequence of latency models"),
        (lambda: schedules.StepDecay(0.1, at=b"12"), "at = b'12': expected strictly increasing"),
        (lambda: cs.LeastSquares([[1.0]], [1.0], ridge=1e308), r"ridge = 1e\+308: expected .* at most 1e\+100"),
        (lambda: cs.LeastSquares(np.array([["1"]], dtype=object), [1.0]), "X: expected real numbers only"),
        (lambda: cs.Cluster(10**400, cs.Constant(1.0)), r"workers = 1000000000\.\.\.\(401 digits\): expected a whole"),
        (lambda: cs.Constant(10**400), r"time = 1000000000\.\.\.\(401 digits\): expected a finite number"),
        (lambda: cs.Constant(10**5000), "time = a whole number of 16610 bits: expected a finite number"),
        (lambda: cs.Cluster(2, 10**5000), "compute = a whole number of 16610 bits: expected a latency model"),
        (lambda: cs.Until(epochs=1e300), r"epochs = 1e\+300: expected .* at most 1e\+09"),
        (lambda: cs.Cluster(2, cs.Constant(1.0), bytes_per_entry=2**40), "bytes_per_entry = .* from 1 to 1024"),
    ],
)
def test_nonsense_is_refused_by_name(make, words):
    with pytest.raises(cs.ConfigurationError, match=words) as told:
        make()
    assert len(str(told.value)) < 400


@pytest.mark.parametrize("messages", ["2", 1, None, np.nan])
def test_messages_are_kept_or_not(messages):
    with pytest.raises(cs.ConfigurationError, match=r"messages = .*: expected True or False"):
        cs.simulate(SMALL, cs.Cluster(2, cs.Constant(1.0)), cs.FullSync(), optimizer=cs.SGD(0.1),
                    until=cs.Until(updates=1), messages=messages)  # fmt: skip


BOUND = {"mu": [1.0, 2.0], "eta": 0.01, "L": 2.0, "c": 1.0, "sigma2": 10.0, "s": 10.0, "e0": 100.0}


@pytest.mark.parametrize("nonsense", ["2", None, b"2", True, 1j, [None], ["1"], {1: 2}, object(), [[1.0], [1.0, 2.0]]])
def test_theory_refuses_text_and_none_like_the_rest(nonsense):
    for name in BOUND:
        with pytest.raises(cs.ConfigurationError, match=f"^{name} = "):
            theory.fastest_k_error_bound(1.0, 1, **BOUND | {name: nonsense})
    for call in (
        lambda: theory.fastest_k_error_bound(nonsense, 1, **BOUND),
        lambda: theory.order_statistic_means(nonsense, 3),
        lambda: theory.k_async_update_time(nonsense, 3, 1),
        lambda: theory.harmonic_numbers(nonsense),
        lambda: theory.lgc_gradient_bias(nonsense, 1),
        lambda: theory.sgc_step_size(nonsense, epsilon=0.1, L=2.0, c=1.0),
        lambda: theory.optimal_decoding_error_bound(0.5, nonsense),
    ):
        with pytest.raises(cs.ConfigurationError):
            call()


def test_theory_tells_no_nan_where_constants_overflow_together():
    with pytest.raises(cs.ConfigurationError, match=r"fastest_k_error_bound: .*no value that a float can represent"):
        theory.fastest_k_error_bound(1.0, 1, **BOUND | {"L": 1e300, "sigma2": 1e300, "e0": 1e300})


def test_what_is_shown_is_short_and_on_one_line():
    class Loud:
        def __repr__(self):
            return "a\nb" * 1000

    class Mute:
        def __repr__(self):
            raise RuntimeError

    assert len(shown(Loud())) < 250
    assert "\n" not in shown(Loud())
    assert "Mute" in shown(Mute())
    assert len(shown([10**30] * 1000)) < 300
    assert len(shown(np.arange(10**6))) < 250
    assert not re.search(r"\d{31}", shown(Fraction(10**300, 7)))
