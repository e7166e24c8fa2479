"""The help and the options of the command `run`, and of a script that is run directly."""

from dataclasses import dataclass

from clustersim.cli.options import (
    Dask,
    Jobs,
    Messages,
    Mpi,
    Out,
    Pictures,
    Quick,
    Replications,
    RetryFailed,
    Seed,
    Tuned,
)
from clustersim.studies.formats import Format

__all__ = ["RUN", "RunOptions"]

RUN = """Run a study, store every run, print a comparison of its policies, and draw its figures.

The comparison shows the time and communication that each policy needs to reach a target error. If the study makes
claims, their verdicts follow. The figures are written to the folder `figures` inside the results folder.

A finished run is never computed twice. After Ctrl-C, the same command continues where it stopped; a larger
--replications only adds runs. The same seed gives the same results, byte for byte, whatever the number of jobs.

A run that fails does not end the study: the other runs continue. The failure is stored, and shown with its reason.

Exit code: 0 if the study was carried out, even if a claim does not hold; 1 if a run or a figure failed, or a claim
could not be measured (everything else is printed first) or if an argument is unusable; 2 for wrong usage.

Examples:

* {0} --quick

* {0} --replications 20 --jobs 4 --out results/mine
"""


@dataclass(frozen=True)
class RunOptions:
    """The options of the command `run`, and of a script that is run directly, see `clustersim.cli.options`."""

    out: Out = None
    replications: Replications = None
    jobs: Jobs = None
    dask: Dask = None
    mpi: Mpi = False
    tuned: Tuned = None
    seed: Seed = 0
    quick: Quick = False
    retry_failed: RetryFailed = False
    messages: Messages = False
    format_: Pictures = Format.PNG
