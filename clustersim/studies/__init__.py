"""Studies: scenarios, replications, confidence bands, stored results and claims.

=================  ======================================================
file               contents
=================  ======================================================
`study`            `Study`: the policies to compare, and running them
`arguments`        checks of the arguments of a study
`execution`        carrying out runs in this process or in any executor
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
`store`            the results folder
`runfile`          the file of a finished run
`failures`         the file of a failed run
`lock`             one study at a time in a folder
`files`            file names, reading, atomic writing
`results`          `Results`: tidy frames, bands, time to a target
`targets`          when a run reaches a target, and where it settles
`default_target`   the target of a comparison if none is given
`statistics`       means and medians with intervals
`censored`         what each run had spent at the target or its end
`survival`         quantiles with intervals if runs are censored
`paired`           ratios to the baseline; Holm's correction
`compare`          what each policy needs to reach a target
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

from clustersim.studies.claims import Claim, Verdict
from clustersim.studies.compare import Comparison, compare
from clustersim.studies.pareto import pareto_front
from clustersim.studies.pool import WorkerPool, process_pool
from clustersim.studies.results import Results, RunKey
from clustersim.studies.store import load_results
from clustersim.studies.study import Study

__all__ = [
    "Claim",
    "Comparison",
    "Results",
    "RunKey",
    "Study",
    "Verdict",
    "WorkerPool",
    "compare",
    "load_results",
    "pareto_front",
    "process_pool",
]
