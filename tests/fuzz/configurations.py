"""Random clusters, policies and horizons in both engines: they agree to the last bit, and their accounts add up."""

import time
import traceback

import hypothesis
from agreement import differences, in_both_engines, short_patience, ways_of_the_large
from hypothesis import HealthCheck, Phase, given, settings
from spaces import cases, extreme_cases

from clustersim.conformance import ConformanceError, check_run
from fuzz.patience import Hang, limited

KINDS = (cases(), cases(), cases(), extreme_cases())
SAMPLE = settings(max_examples=50, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip


def main(seconds, seed):
    """Try configurations for so long; returns 1 if there are faults."""
    begun, tried, refused, faults, batch = time.monotonic(), 0, 0, 0, seed
    while time.monotonic() - begun < seconds:
        told = attempt(batch)
        tried, refused = tried + len(told), refused + sum(word == "refused" for word in told)
        for fault in (word for word in told if word not in ("", "refused")):
            print(f"\nrepeat with fuzz.configurations.attempt({batch}):\n  {fault}", flush=True)
            faults += 1
        batch += 1
    print(f"{tried:,} configurations in both engines, {refused:,} of them refused alike, {faults} faults")
    return int(faults > 0)


def attempt(batch):
    """A batch of configurations, by its number; what is wrong with each: nothing, "refused", or a fault."""
    told = []

    def look(case):
        told.append(_judged(case, large=batch % 2 == 1))

    with short_patience():
        hypothesis.seed(batch)(SAMPLE(given(case=KINDS[batch % len(KINDS)])(look)))()
    return told


def _judged(case, *, large):
    """What is wrong with one configuration, in words."""
    try:
        with limited():
            return compared(case, large=large)
    except (Exception, Hang) as error:
        return f"{case}\n{''.join(traceback.format_exception(error))[-2000:]}"


def compared(case, *, large=False):
    """Run it in both engines, as many workers are treated if `large`; where they differ, or accounts do not add up."""
    if large:
        with ways_of_the_large():
            return compared(case)
    process, cohort = in_both_engines(case, messages=True)
    if found := differences(process, cohort):
        return f"{case}\n  " + "\n  ".join(found)
    if process.run is None:
        return "refused"
    try:
        check_run(process.run, case.cluster)
    except ConformanceError as error:
        return f"{case}\n  {error}"
    return ""
