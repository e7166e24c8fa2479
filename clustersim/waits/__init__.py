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
`Earliest`                    when the first of several rules would
`WarmUp`                      when every worker has answered, and after some epochs as another rule says
============================  =====================================================================
"""

from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState
from clustersim.waits.covered import Covered
from clustersim.waits.deadline import Deadline
from clustersim.waits.earliest import Earliest
from clustersim.waits.fastest import All, Fastest, Fraction
from clustersim.waits.pflug import Pflug
from clustersim.waits.schedule import Schedule
from clustersim.waits.warm_up import WarmUp

__all__ = [
    "ALWAYS",
    "All",
    "Covered",
    "Deadline",
    "Earliest",
    "Fastest",
    "Fraction",
    "Outlook",
    "Pflug",
    "Schedule",
    "WaitRule",
    "WaitState",
    "WarmUp",
]
