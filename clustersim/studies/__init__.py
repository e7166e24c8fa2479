"""Studies: scenarios, replications, confidence bands, stored results and claims.

=================  =====================================================
file               what lives there
=================  =====================================================
`study`            `Study`: what is compared on what, and running it
`execution`        runs in this process or in any executor
`pool`             the processes of this machine as an executor
`child`            what such a process does
`frames`           messages between a pool and its processes
`packing`          functions and objects of scripts as bytes
`configuration`    what a study is made of, as plain values and a hash
`plain`            those values, their text and their hash
`values`           how objects are told
`reach`            the user's code that a thing reaches
`classes`          the user's classes
`lookups`          small questions about functions and modules
`marks`            what the user's functions change outside themselves
`sources`          the text of functions, found by their compiled code
`syntax`           what the syntax of a function tells
`differences`      where two descriptions differ, in words
`manifest`         what a results folder holds
`store`            the results folder itself
`runfile`          the file of a finished run
`failures`         the file of a run that failed
`lock`             one study at a time in a folder
`files`            file names, reading, atomic writing
`results`          `Results`: tidy frames, bands, time to a target
`targets`          when a run reaches a target, and where it settles
`statistics`       means and medians with intervals
`compare`          what each policy needs to reach a target
`remarks`          what a reader must know of the runs, in sentences
`pictures`         names of pictures, and which of them are stale
`text`             text of users and folders, made fit to be shown
`claims`           sentences that a number decides
`origin`           whose code is it, the user's or a library's
`signals`          Ctrl-C and SIGTERM
=================  =====================================================
"""

from clustersim.studies.claims import Claim, Verdict
from clustersim.studies.compare import Comparison, compare
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
    "process_pool",
]
