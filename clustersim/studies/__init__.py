"""Studies: scenarios, replications, confidence bands, stored results and claims.

=================  =====================================================
file               what lives there
=================  =====================================================
`study`            `Study`: what is compared on what, and running it
`execution`        runs in this process or in any executor
`packing`          objects as bytes for another process
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
`files`            atomic writing
`results`          `Results`: tidy frames, bands, time to a target
`statistics`       means with t intervals
`compare`          what each policy needs to reach a target
`claims`           sentences that a number decides
`origin`           whose code is it, the user's or a library's
`signals`          Ctrl-C and SIGTERM
=================  =====================================================
"""

from clustersim.studies.claims import Claim, Verdict
from clustersim.studies.compare import Comparison, compare
from clustersim.studies.execution import process_pool
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
    "compare",
    "load_results",
    "process_pool",
]
