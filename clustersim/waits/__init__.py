"""Wait rules: when the master acts.

============================  ==========================================================
rule                          the master acts
============================  ==========================================================
`All`                         when every worker has answered
`Fastest`                     after the first k answers
`Pflug`                       after the first k, and k grows when the error stops falling
`Schedule`                    after the first k, and k grows at given times
============================  ==========================================================
"""

from clustersim.waits.base import WaitRule, WaitState
from clustersim.waits.fastest import All, Fastest
from clustersim.waits.pflug import Pflug
from clustersim.waits.schedule import Schedule

__all__ = ["All", "Fastest", "Pflug", "Schedule", "WaitRule", "WaitState"]
