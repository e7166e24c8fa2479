"""Step-size schedules: the papers' formulas, refusals, and how a study's manifest tells them."""

import functools
import math
import pickle
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clustersim.errors import ConfigurationError
from clustersim.optimizers import SGD, Momentum, Nesterov
from clustersim.schedules import Capped, ExponentialDecay, PowerDecay, StepDecay, updates_in
from clustersim.studies.configuration import canonical, describe

SCHEDULES = (
    PowerDecay(7.0, 0.7),
    ExponentialDecay(0.1, 0.99),
    Capped(PowerDecay(7.0, 0.7), 0.5),
    StepDecay(0.1, (30, 45)),
)


@pytest.mark.parametrize("t", [1, 2, 10, 5000])
def test_schedules_are_the_formulas_of_the_papers(t: int) -> None:
    sgc = PowerDecay(7 * 100 * math.log(10), 0.7)
    assert sgc(t) == pytest.approx(float(7 * (Decimal(10) ** 100).ln() / Decimal(t) ** Decimal("0.7")), rel=1e-13)
    erasure_head = ExponentialDecay(0.1, 0.99)
    by_factors = functools.reduce(lambda size, _: size * Decimal("0.99"), range(t), Decimal("0.1"))
    assert erasure_head(t) == pytest.approx(float(by_factors), rel=1e-12)
    tolerance = 1e-3
    theorem_3 = Capped(PowerDecay(math.log(1 / tolerance**2), 1.0), 0.5)
    assert theorem_3(t) == pytest.approx(min(0.5, -2 * math.log(tolerance) / t), rel=1e-13)


def test_the_first_update_takes_the_initial_step_of_a_power_and_one_factor_less_of_an_exponential() -> None:
    assert PowerDecay(0.8, 3.0)(1) == 0.8
    assert PowerDecay(0.8, 0.0)(1000) == 0.8
    assert ExponentialDecay(0.8, 0.5)(1) == 0.4
    assert ExponentialDecay(0.8, 1.0)(1000) == 0.8


@pytest.mark.parametrize("factor", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("at", [(), (1,), (3, 4, 9), (5000,)])
def test_a_step_decay_is_a_product_taken_along_the_way(at: Any, factor: float) -> None:
    schedule, size = StepDecay(0.3, at, factor), Decimal("0.3")
    for t in range(1, 13):
        assert schedule(t) == pytest.approx(float(size), rel=1e-14)
        if t in at:  # from the next update on
            size *= Decimal(str(factor))
    assert schedule(10**6) == pytest.approx(0.3 * factor ** len(at), rel=1e-14)


def test_the_setting_of_live_gradient_compensation() -> None:
    end_of_30 = updates_in(30, rows=50_000, workers=10, batch=32)
    schedule = StepDecay(0.1, at=[end_of_30])
    assert (end_of_30, updates_in(60, 50_000, 10, 32), updates_in(2, 50_000, 10, 32)) == (4688, 9375, 313)
    assert (schedule(4688), schedule(4689)) == pytest.approx((0.1, 0.01), rel=1e-15)
    assert [updates_in(60, 50_000, n, 320 // n) for n in (10, 20, 40)] == [9375] * 3


@example(tenths=11, rows=50, workers=5, batch=1)  # 1.1 * 50 is a little more than 55
@given(
    tenths=st.integers(0, 1000), rows=st.integers(1, 10**6), workers=st.integers(1, 1000), batch=st.integers(1, 1000)
)
def test_updates_in_epochs_are_the_least_that_compute_enough_rows(
    tenths: int, rows: int, workers: int, batch: int
) -> None:
    rows = max(rows, workers * batch)  # an epoch is at least one update
    updates = updates_in(tenths / 10, rows, workers, batch)
    assert updates * workers * batch * 10 >= tenths * rows  # in whole numbers
    assert tenths == updates == 0 or (updates - 1) * workers * batch * 10 < tenths * rows
    assert updates_in(tenths, rows, workers, batch) == -(-tenths * rows // (workers * batch))


def test_a_step_that_would_underflow_stays_a_step() -> None:
    schedule = ExponentialDecay(0.1, 0.5)
    assert 0.1 * 0.5**2000 == 0.0
    assert SGD(schedule).step_size_at(2000) == sys.float_info.min
    assert schedule(1000) == pytest.approx(0.1 * 2.0**-1000, rel=1e-12)
    assert SGD(StepDecay(0.1, range(1, 2000))).step_size_at(2000) == sys.float_info.min


def test_a_cap_takes_any_function_of_t_and_hides_no_nonsense() -> None:
    assert [Capped(lambda t: 1.0 / t, 0.4)(t) for t in (1, 2, 4)] == [0.4, 0.4, 0.25]
    for nonsense in (math.nan, -1.0, 0.0):
        with pytest.raises(ConfigurationError, match=r"step_size\(3\)"):
            SGD(Capped(lambda t, wrong=nonsense: wrong, 0.4)).step_size_at(3)
    with pytest.raises(ConfigurationError, match=r"step_size\(3\).*TypeError"):
        SGD(Capped(lambda t: None, 0.4)).step_size_at(3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PowerDecay(0.0, 0.7), "initial = 0.0: expected .* greater than 0"),
        (lambda: PowerDecay(math.inf, 0.7), "initial = inf"),
        (lambda: PowerDecay(1.0, -0.7), "power = -0.7: expected .* at least 0"),
        (lambda: PowerDecay(1.0, "0.7"), "power = '0.7'"),
        (lambda: ExponentialDecay(-1, 0.9), "initial = -1"),
        (lambda: ExponentialDecay(1.0, 0), "factor = 0: expected .*; give a factor in"),
        (lambda: ExponentialDecay(1.0, 1.01), "factor = 1.01: expected .*; give a factor in"),
        (lambda: ExponentialDecay(1.0, math.nan), "factor = nan"),
        (lambda: Capped(0.5, 0.5), "schedule = 0.5: expected a function of the update number"),
        (lambda: Capped(PowerDecay(1.0, 1.0), 0), "highest = 0"),
        (lambda: StepDecay(0, (3,)), "initial = 0: expected .* greater than 0"),
        (lambda: StepDecay(1.0, (3,), factor=0.0), "factor = 0.0: expected .*; give a factor in"),
        (lambda: StepDecay(1.0, (3,), factor=10), "factor = 10: expected .*; give a factor in"),
        (lambda: StepDecay(1.0, (3, 3)), r"at = \(3, 3\): expected strictly increasing update numbers"),
        (lambda: StepDecay(1.0, [9, 3]), r"at = \(9, 3\): expected strictly increasing update numbers"),
        (lambda: StepDecay(1.0, (0, 3)), "at = 0: expected a whole number, at least 1; .* strictly increasing"),
        (lambda: StepDecay(1.0, (3.5,)), "at = 3.5: expected a whole number"),
        (lambda: StepDecay(1.0, 30), "at = 30: expected strictly increasing update numbers, such as"),
        (lambda: StepDecay(1.0, "30"), "at = '30': expected strictly increasing"),
        (lambda: updates_in(-1, 10, 1, 1), "epochs = -1: expected .* at least 0"),
        (lambda: updates_in(math.inf, 10, 1, 1), "epochs = inf"),
        (lambda: updates_in(1, 0, 1, 1), "rows = 0"),
        (lambda: updates_in(1, 10, 0, 1), "workers = 0"),
        (lambda: updates_in(1, 10, 1, 1.5), "batch = 1.5"),
    ],
)
def test_bad_numbers_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make()


def test_schedules_compare_hash_print_and_pickle() -> None:
    assert PowerDecay(1, 2) == PowerDecay(1.0, 2.0) != PowerDecay(1.0, 1.0)
    assert StepDecay(0.1, [30, 45]) == StepDecay(0.1, range(30, 46, 15)) != StepDecay(0.1, (30,))
    equal_to_others = PowerDecay(7, 0.7), Capped(PowerDecay(7, 0.7), 0.5), StepDecay(0.1, [30, 45], 0.1)
    assert len({*SCHEDULES, *equal_to_others}) == len(SCHEDULES)
    assert repr(SCHEDULES[2]) == "Capped(schedule=PowerDecay(initial=7.0, power=0.7), highest=0.5)"
    for schedule in SCHEDULES:
        assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301 - our own bytes


@dataclass(frozen=True)
class Halving:
    """A user's own schedule."""

    initial: float
    every: int

    def __call__(self, t: int) -> float:
        return self.initial / 2.0 ** (t // self.every)


def test_a_manifest_tells_schedules_by_their_numbers() -> None:
    power = {"class": "PowerDecay", "initial": 7, "power": 0.7}
    assert describe(SGD(SCHEDULES[0])) == {"class": "SGD", "step_size": power, "weight_decay": 0}
    assert describe(Momentum(SCHEDULES[2], 0.5)) == {
        "class": "Momentum",
        "momentum": 0.5,
        "step_size": {"class": "Capped", "schedule": power, "highest": 0.5},
        "weight_decay": 0,
    }
    nesterov = {"class": "Nesterov", "momentum": None, "step_size": 0.25, "weight_decay": 0.5}
    assert describe(Nesterov(0.25, weight_decay=0.5)) == nesterov
    assert describe(SGD(SCHEDULES[3]))["step_size"] == {
        "class": "StepDecay",
        "initial": 0.1,
        "at": [30, 45],
        "factor": 0.1,
    }
    own = describe(SGD(Halving(0.5, every=10)))["step_size"]
    assert (own["class"], own["initial"], own["every"]) == ("Halving", 0.5, 10)
    code = describe(SGD(Halving(0.5, every=10)))["user's code"]
    assert "self.initial / 2.0" in code["function Halving.__call__"]["text"][1]
    rate = 0.1
    by_lambda = describe(SGD(lambda t: rate / t))
    (told,) = by_lambda["user's code"].values()
    assert told == {"text": ["lambda t: rate / t"], "refers to": {"rate": 0.1}}
    told = [SGD(schedule) for schedule in SCHEDULES]
    told += [SGD(0.1), SGD(PowerDecay(7.0, 0.6)), Nesterov(0.1), Nesterov(0.1, 0), Momentum(0.1, 0.5)]
    told += [SGD(Halving(0.5, 10)), SGD(Halving(0.5, 20)), SGD(0.1, weight_decay=1e-4), SGD(StepDecay(0.1, (30,)))]
    assert len({canonical(describe(optimizer)) for optimizer in told}) == len(told)
