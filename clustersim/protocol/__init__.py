"""The interface between a policy and whatever drives it: a simulator, a unit test or a real cluster.

A policy never touches a clock, a network or a random generator. It receives events and returns commands:

    events: what happened                              commands: what to do
    ---------------------------------------------      -----------------------------------------------------
    `Arrivals`  messages reached the master            `Update`    step the model with these weights
    `Timeout`   the deadline has passed                `Dispatch`  send the current model to these workers
    `Updated`   the model was updated, and how         `Stop`      end the run, and why
    `Lost`      these workers will never answer

The rules:

1. A run begins with ``Updated(time, version=0, gradient=None)``: the first model exists. No worker computes until the
   policy dispatches.
2. Every event carries the time at which it happened. A policy knows no other time.
3. For each event the policy returns one `Decision`: commands, which are carried out in order, and what it *wants* to
   wait for. Directly after an `Update` the policy receives `Updated`. The commands of that decision are carried out
   after the remaining ones, and its wants replace the earlier ones.
4. `Wants` gives the number of further arrivals before which the policy will certainly not act, and the time until which
   it will wait for them. The engine may then notify the policy once for the whole batch. A policy that always wants 1
   is still correct. A batch may hold more messages than were wanted: messages that arrive at the same instant are
   delivered together, in ascending order of worker number.
5. At one instant arrivals come before time-outs, and time-outs before dispatches.
6. Messages carry no arrays. What a worker sends is ``sum_r B[i, r] grad f_r(w_version)`` over the rows of its task
   (`Work`), or over the rows of the first blocks if it was stopped. The policy names the messages that it uses and a
   weight for each. Messages that an `Update` neither uses nor keeps are discarded; a message that is kept may be used
   again. An `Update` without messages uses the empty sum: it counts as an update, but no data enters.
7. A dispatch to a worker that has not answered all its tasks must say what the worker does with its unfinished work.
   Without `Dispatch.busy` such a dispatch is refused.
8. `Lost` is the last resort: it comes when no message can arrive any more and no deadline is set. If the policy then
   returns no command and sets no deadline, the run ends with an error; it never hangs.
9. A decision on `Updated` may contain a `Plan`: the decisions that the policy would make in the coming rounds. The
   engine may then skip asking the policy, which makes large studies fast. A policy that never plans is still correct.
10. A run ends with the turn in which the policy stops it or a horizon is reached. What the policy dispatches in that
    turn is in flight.

A policy is a frozen dataclass of hyper-parameters. Equal policies behave equally. A policy has a readable `repr`, can
be pickled, and serves any number of replications. What changes during a run is kept in the small state that
`Policy.begin` makes.

The modules: `events`, `decisions` (with commands and wants), `plans`, and `policy` (the base classes, and what workers
compute). Import all of their names from here.
"""

from clustersim.protocol.decisions import BUSY, Busy, Command, Decision, Dispatch, Stop, Update, Wants
from clustersim.protocol.events import Arrivals, Event, Lost, Timeout, Updated
from clustersim.protocol.plans import LatePlan, Plan, Round
from clustersim.protocol.policy import Policy, PolicyState, Setting, Work

__all__ = [
    "BUSY",
    "Arrivals",
    "Busy",
    "Command",
    "Decision",
    "Dispatch",
    "Event",
    "LatePlan",
    "Lost",
    "Plan",
    "Policy",
    "PolicyState",
    "Round",
    "Setting",
    "Stop",
    "Timeout",
    "Update",
    "Updated",
    "Wants",
    "Work",
]
