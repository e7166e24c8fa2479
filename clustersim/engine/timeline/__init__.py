"""Timelines: what each worker and each link did, and when.

Data flows: message table and update times of a `Run` -> `Timeline` -> a picture (`clustersim.plots.timeline`) or a file
of trace events (`Run.save_timeline`).

===============  ===============================================================
file             contents
===============  ===============================================================
`segments`       the message table as segments of time and as marks
`view`           `Timeline`; its workers, its updates, a part of it
`trace_events`   a timeline in the Trace Event Format of Chrome and Perfetto
===============  ===============================================================
"""

from clustersim.engine.timeline.trace_events import trace_text
from clustersim.engine.timeline.view import Timeline, whole_timeline

__all__ = ["Timeline", "trace_text", "whole_timeline"]
