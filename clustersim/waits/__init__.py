"""Wait rules: when the master acts.

============================  =====================================================================
rule                          the master acts
============================  =====================================================================
`All`                         when every worker has answered
`Fastest`                     after the first k answers
`Fraction`                    after the answers of a fraction delta of the workers
`Deadline`                    when every worker has answered, or the time is up
`Covered`                     when the answers determine the full gradient
`Pflug`                       after the first k, and k grows when the error stops falling
`Schedule`                    after the first k, and k grows at given times
`GracePeriod`                 some seconds after the first k answers
`RelativeDeadline`            at (1 + mu) times the time of the first answer
`MedianDeadline`              at the median time plus a multiple of the median absolute deviation
`Earliest`                    when the first of several rules would
`Latest`                      when all of several rules would
`WarmUp`                      when every worker has answered, and after some epochs as another rule says
============================  =====================================================================
"""

from clustersim.waits.arrival_times import GracePeriod, MedianDeadline, RelativeDeadline
from clustersim.waits.base import ALWAYS, Look, Outlook, WaitRule, WaitState
from clustersim.waits.covered import Covered
from clustersim.waits.deadline import Deadline
from clustersim.waits.fastest import All, Fastest, Fraction
from clustersim.waits.pflug import Pflug
from clustersim.waits.schedule import Schedule
from clustersim.waits.several import Earliest, Latest
from clustersim.waits.warm_up import WarmUp

__all__ = [
    "ALWAYS",
    "All",
    "Covered",
    "Deadline",
    "Earliest",
    "Fastest",
    "Fraction",
    "GracePeriod",
    "Latest",
    "Look",
    "MedianDeadline",
    "Outlook",
    "Pflug",
    "RelativeDeadline",
    "Schedule",
    "WaitRule",
    "WaitState",
    "WarmUp",
]
