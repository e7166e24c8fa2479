"""Studies: scenarios, replications, confidence bands, stored results and claims.

=================  ======================================================
file               contents
=================  ======================================================
`study`            `Study`: the policies to compare, and running them
`single`           one run of a study, with its message table
`arguments`        checks of the arguments of a study
`jobs`             the runs of a study, and their execution
`execution`        handing out runs in this process or to any executor
`executors`        what differs between executors
`pace`             how long runs take, and how many make a chunk
`parcels`          problems, packed once and carried to each worker once
`pool`             an executor of processes on this machine
`child`            a process of the pool
`pipe_messages`    messages between the pool and its processes
`packing`          functions and objects of scripts as bytes
`configuration`    the description of a study as plain values
`plain_json`       those values, their text and their hash
`descriptions`     descriptions of values
`reachable_code`   descriptions of the user's code that an object reaches
`classes`          descriptions of the user's classes
`introspection`    inspection of the user's functions and modules
`side_effects`     what the user's functions change outside themselves
`sources`          the source text of functions, found by their code
`syntax`           analysis of the syntax of functions
`user_code`        the user's code or a library's; places of errors
`differences`      the differences between two descriptions, in words
`manifest`         the manifest of a results folder
`merging`          joining results folders
`tuning`           the step size that suits each policy
`tuning_file`      the file of what was tuned
`sweeps`           `grid`: the variants of a sweep
`own_optimizer`    `With`: a policy with an optimiser of its own
`store`            the results folder
`runfile`          the file of a finished run
`messagefile`      the file of a run's message table
`failures`         the file of a failed run
`lock`             one study at a time in a folder
`files`            file names, reading, atomic writing
`formats`          the formats of figures and exported tables
`results`          `Results`: tidy frames, bands, time to a target
`summaries`        one number for each variant and policy, over a sweep
`targets`          when a run reaches a target, and where it settles
`default_target`   the target of a comparison if none is given
`statistics`       means and medians with intervals
`censored`         what each run had spent at the target or its end
`survival`         quantiles with intervals if runs are censored
`paired`           ratios to the baseline; Holm's correction
`comparing`        what each policy needs to reach a target
`comparison`       `Comparison`: the table of that
`comparison_rows`  the rows of one variant
`caveats`          remarks on what its numbers cannot say
`dominance`        which rows of a table another row beats
`pareto`           the policies that no other one dominates
`remarks`          remarks under tables and figures
`pictures`         names of figure files, removal of outdated ones
`display_text`     safe display of text from users and folders
`claims`           sentences that a number decides
`signals`          Ctrl-C and SIGTERM
=================  ======================================================
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `__getattr__` loads the same names at run time
    from clustersim.studies.claims import Claim, Verdict
    from clustersim.studies.comparing import compare
    from clustersim.studies.comparison import Comparison
    from clustersim.studies.merging import merge
    from clustersim.studies.own_optimizer import With
    from clustersim.studies.pareto import pareto_front
    from clustersim.studies.pool import WorkerPool, process_pool
    from clustersim.studies.results import Results, RunKey
    from clustersim.studies.store import load_results, load_run
    from clustersim.studies.study import Study
    from clustersim.studies.sweeps import Variant, grid
    from clustersim.studies.tuning import Tuning
__all__ = [
    "Claim",
    "Comparison",
    "Results",
    "RunKey",
    "Study",
    "Tuning",
    "Variant",
    "Verdict",
    "With",
    "WorkerPool",
    "compare",
    "grid",
    "load_results",
    "load_run",
    "merge",
    "pareto_front",
    "process_pool",
]

_HOMES = {
    "Claim": "claims", "Verdict": "claims",
    "Comparison": "comparison", "compare": "comparing",
    "WorkerPool": "pool", "process_pool": "pool",
    "Results": "results", "RunKey": "results",
    "load_results": "store", "load_run": "store",
    "Study": "study",
    "Tuning": "tuning",
    "Variant": "sweeps", "grid": "sweeps",
    "With": "own_optimizer",
    "merge": "merging",
    "pareto_front": "pareto",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that a process of the pool starts quickly."""
    if name in _HOMES:
        return globals().setdefault(name, getattr(import_module(f"{__name__}.{_HOMES[name]}"), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names of this module, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})
