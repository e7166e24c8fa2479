"""Wait rules: when the master has enough messages to update the model.

============================  =====================================================================
rule                          the master acts
============================  =====================================================================
`All`                         when every worker has answered
`Fastest`                     after the first k messages
`Fraction`                    after the messages of a fraction delta of the workers
`Deadline`                    when every worker has answered, or the time is up
`Covered`                     when the messages determine the full gradient
`Pflug`                       after the first k messages; k grows when the error stops falling
`Schedule`                    after the first k messages; k grows at given times
`GracePeriod`                 some seconds after the k-th message
`RelativeDeadline`            at (1 + mu) times the arrival time of the first message
`MedianDeadline`              at the median arrival time plus a multiple of the median absolute deviation
`Earliest`                    when the first of several rules would act
`Latest`                      when all of several rules would have acted
`WarmUp`                      when every worker has answered; after some epochs, as another rule says
============================  =====================================================================
"""

from clustersim.waits.arrival_times import ArrivalDeadline, GracePeriod, MedianDeadline, RelativeDeadline
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
    "ArrivalDeadline",
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
