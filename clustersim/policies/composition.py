"""Named schemes: each says of what parts it is composed, and nothing else."""

from abc import abstractmethod

from clustersim.checks import store_plain
from clustersim.protocol import Policy, PolicyState, Setting, Work

__all__ = ["Composition"]


class Composition(Policy):
    """A named scheme: it says of what it is composed, and nothing else. Its parts check its parameters."""

    def __post_init__(self) -> None:
        self.compose()
        store_plain(self)

    @abstractmethod
    def compose(self) -> Policy:
        """The scheme as placement, wait rule, decoder and what else it is made of."""

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return self.compose().work

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the hyper-parameters do not fit the cluster."""
        return self.compose().begin(setting)
