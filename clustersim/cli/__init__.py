"""The command line: run a scenario script, list scripts, compare and plot stored results, show what workers do.

A user's mistake ends in one line on stderr and a non-zero exit code: 1 for an unusable script, value or folder, 2 for
wrong usage of the command line, 130 for Ctrl-C, 143 for SIGTERM. Arguments come in, `clustersim.studies` does the work,
and tables, figures and results folders come out. A command imports what does its work when it is called, so that help,
lists of scripts and words about mistakes come at once.

==============  =============================================================
file            contents
==============  =============================================================
`program`       the program and its list of commands; `main`
`run_options`   the help and the options of the command run
`run`           carrying out a study
`stored`        commands for stored results: compare, plot
`listing`       the table of scripts
`merge`         joining results folders
`tune`          finding the step size of each policy
`workers`       where runs are computed: here, on dask, with mpiexec
`timeline`      the command timeline
`report`        the command report
`options`       options that commands share, and parsers of values
`option_lists`  one list of options for several commands
`errors`        how commands end
==============  =============================================================
"""

from clustersim.cli.program import app, main

__all__ = ["app", "main"]
