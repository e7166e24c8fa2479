"""Plots that one would publish: error against time and communication, k against time, one colour a policy.

Every figure has one panel a variant and draws the average over the replications with its 95 % confidence band (see
`clustersim.studies.results.Results.on_grid`); the line below the panels says which average it is. What cannot be drawn,
such as failed runs or a metric that a variant lacks, is told there too. Data flows in as `Results`, and out as
matplotlib figures and as picture files. No figure touches pyplot's global state, and the same results give the same
bytes.

The adaptive-k paper (Kas Hanna et al. 2022) counts from the workers' side: its "download" is our uplink (worker to
master), its "upload" our downlink (master to worker). Its Fig. 4 and 6 are ``uplink`` and ``communication`` here.

=========  ======================================================
file       what lives there
=========  ======================================================
`look`     colours, dashes, labels of axes
`panels`   the curves and bands of one variant
`sheets`   `figure` and `overview`: panels, legend and notes
`files`    picture files: `draw`, `save`
=========  ======================================================
"""

from clustersim.plots.figures import figure, overview, standard_figures
from clustersim.plots.files import Format, draw, picture, save

__all__ = ["Format", "draw", "figure", "overview", "picture", "save", "standard_figures"]
