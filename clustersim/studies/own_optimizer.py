"""`With`: a policy of a study that has an optimiser of its own, so that each policy runs with its best step size."""

from dataclasses import dataclass

from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.protocol import Policy

__all__ = ["With", "optimizer_for", "plain_policy"]


@dataclass(frozen=True)
class With:
    """A policy with an optimiser of its own, in place of the study's.

    A step size that suits one policy can make another one diverge or crawl: asynchronous updates need smaller steps
    than synchronous ones. A comparison is fair if each policy has the step size that suits it; `Study.tune` finds it.

    Parameters
    ----------
    policy : Policy
        The policy.
    optimizer : Optimizer
        Its optimiser.

    Raises
    ------
    ConfigurationError
        If an argument has another type.

    Examples
    --------
    >>> import clustersim as cs
    >>> policies = {"k = 8": cs.FastestK(8), "async": cs.With(cs.KAsync(1), optimizer=cs.SGD(0.003))}
    """

    policy: Policy
    optimizer: Optimizer

    def __post_init__(self) -> None:
        for name, kind in (("policy", Policy), ("optimizer", Optimizer)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise ConfigurationError(f"With: {name} = {value!r}: expected a {kind.__name__}")


def plain_policy(entry: Policy | With) -> Policy:
    """Return the policy of an entry of a study."""
    return entry.policy if isinstance(entry, With) else entry


def optimizer_for(entry: Policy | With, usual: Optimizer) -> Optimizer:
    """Return the optimiser of an entry of a study: its own, or the usual one."""
    return entry.optimizer if isinstance(entry, With) else usual
