"""Runs of one case with rounds that are planned ahead and without."""

from contextlib import contextmanager
from unittest import mock

from agreement import differences, outcome

from clustersim.engine.cohort.fleet import CohortFleet
from clustersim.engine.cohort.rounds import Rounds


@contextmanager
def counted():
    """Count the rounds that are computed ahead in the context."""
    done, close = [0], Rounds.close

    def closed(rounds, version, model):
        done[0] += rounds.done
        close(rounds, version, model)

    with mock.patch.object(Rounds, "close", closed):
        yield done


def unplanned(case):
    """Run a case in the cohort engine, which asks the policy in every round."""
    with mock.patch.object(CohortFleet, "rounds_ahead", return_value=None):
        return outcome(case, engine="cohort")


def unlike(planned, asked):
    """Where they differ; of complaints, which may tell of other last events, only what comes before those."""
    if planned.error is None or asked.error is None:
        return differences(planned, asked)
    one, two = (str(each.error).split("Last events:")[0] for each in (planned, asked))
    return [] if (type(planned.error), one) == (type(asked.error), two) else [f"{one} or {two}"]


def plans_agree(case):
    """Run a case with plans and without; returns how many rounds were planned."""
    with counted() as done:
        planned = outcome(case, engine="cohort")
    found = unlike(planned, unplanned(case))
    assert not found, f"{case}: planned (one) and unplanned (two) differ:\n  " + "\n  ".join(found)
    return done[0]
