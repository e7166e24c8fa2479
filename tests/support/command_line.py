"""A script of a user's, and the command line called within the process of the tests."""

from typer.testing import CliRunner

from clustersim import cli

SCRIPT = '''
"""Waits for one worker or for four.

More about it.
"""
import clustersim as cs

STEP = 1e-5

study = cs.Study(
    name="scripted",
    problem=cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
    policies={"k = 1": cs.FastestK(1), "k = 4": cs.FastestK(4)},
    optimizer=cs.SGD(lambda t: STEP),
    until=cs.Until(updates=UPDATES),
    replications=3,
    claims=[cs.Claim("the error falls", lambda r: r.frame["error"].iloc[-1] / r.frame["error"].iloc[0], high=1.0)],
    notes="A made-up study.",
)

if __name__ == "__main__":
    cs.main(study)
'''


def script_of(updates=30):
    """The script, with this number of updates as its horizon."""
    return SCRIPT.strip().replace("UPDATES", str(updates))


def call(*args):
    """What the command line prints and returns; a traceback is a failure."""
    outcome = CliRunner().invoke(cli.app, [str(a) for a in args])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
    assert "Traceback" not in outcome.output
    return outcome
