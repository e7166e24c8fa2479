"""Figures for publication: error against time and communication, k against time, one colour per policy.

Every figure has one panel per variant, at most six on a page. It shows the average over the replications with its 95 %
confidence band (see `clustersim.studies.results.Results.on_grid`). The text below the panels names the kind of average,
and lists what is not drawn, such as failed runs or a metric that a variant lacks. `Results` come in; matplotlib figures
and files go out. No figure touches the global state of pyplot, and the same results give the same bytes.

For a paper, give the width of a column: ``draw(results, folder, "pdf", width=3.5, policies=[...], style="grey")``.
Dashes and markers tell policies apart without their colours. PDF files have their fonts in them, as TrueType. SVG files
have outlines in place of text, so that they look the same everywhere.

The adaptive-k paper (Kas Hanna et al. 2022) counts from the workers' side: its "download" is our uplink (worker to
master), its "upload" our downlink (master to worker). Its Fig. 4 and 6 are ``uplink`` and ``communication`` here.

===========  ============================================================
file         contents
===========  ============================================================
`style`      `Look`: width, colours, dashes and markers, matplotlib settings
`axes`       labels and ticks: units, millions in place of "1e6"
`selection`  policies, variants and pages that are shown
`panels`     the curves and bands of one variant
`remarks`    the entries of the legend, and the text below the panels
`figures`    `figure` and `overview`
`sweeps`     `heatmap` and `lines`: one number over the values of a sweep
`standard`   `standard_figures`: what is drawn of a study
`gantt`      `timeline`: one run as a Gantt picture
`files`      figure files: `draw`, `save`
===========  ============================================================
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
