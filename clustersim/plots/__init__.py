"""Figures for publication: error against time and communication, k against time, one colour per policy.

Every figure has one panel per variant. It shows the average over the replications with its 95 % confidence band (see
`clustersim.studies.results.Results.on_grid`). The text below the panels names the kind of average, and lists what is
not drawn, such as failed runs or a metric that a variant lacks. `Results` come in; matplotlib figures and files go out.
No figure touches the global state of pyplot, and the same results give the same bytes.

The adaptive-k paper (Kas Hanna et al. 2022) counts from the workers' side: its "download" is our uplink (worker to
master), its "upload" our downlink (master to worker). Its Fig. 4 and 6 are ``uplink`` and ``communication`` here.

=========  ============================================================
file       contents
=========  ============================================================
`style`    colours, dashes, labels of axes
`panels`   the curves and bands of one variant
`figures`  `figure` and `overview`: panels, legend and the text below
`sweeps`   `heatmap` and `lines`: one number over the values of a sweep
`gantt`    `timeline`: one run as a Gantt picture
`files`    figure files: `draw`, `save`
=========  ============================================================
"""

from clustersim.plots.figures import figure, overview
from clustersim.plots.files import Format, draw, picture, save
from clustersim.plots.gantt import timeline
from clustersim.plots.standard import standard_figures
from clustersim.plots.sweeps import heatmap, lines

__all__ = [
    "Format",
    "draw",
    "figure",
    "heatmap",
    "lines",
    "overview",
    "picture",
    "save",
    "standard_figures",
    "timeline",
]
