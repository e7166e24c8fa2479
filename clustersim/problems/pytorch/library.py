"""PyTorch, which need not be installed: where it is loaded, and held so that the same numbers come out every time.

`TorchProblem` and `vgg11` get it from here; nothing else in clustersim knows it. What torch adds up in another order on
more threads, or with another algorithm on a GPU, would tell the machine in the last bits of a result.
"""

import importlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clustersim.errors import ConfigurationError

__all__ = ["alone", "load_torch", "random_states", "seeded"]

_lock = threading.RLock()


def load_torch() -> Any:
    """Return the module `torch`.

    Raises
    ------
    ConfigurationError
        If it is not installed, or installed but broken.
    """
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise ConfigurationError("torch is not installed; pip install 'clustersim[torch]'") from None
        raise ConfigurationError(f"torch is installed but cannot be loaded ({error}); install it again") from error


@contextmanager
def alone(device: str = "cpu") -> Iterator[Any]:
    """Hold torch to one thread and to repeatable algorithms; one thread of the process at a time.

    The number of threads and the choice of algorithms are settings of the whole process: they are given back as they
    were, and the lock keeps a second caller from giving them back too early.

    Yields
    ------
    module
        `torch`.
    """
    torch = load_torch()
    with _lock:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            if device == "cpu":
                yield torch
            else:
                with _repeatable(torch):
                    yield torch
        finally:
            torch.set_num_threads(threads)


@contextmanager
def _repeatable(torch: Any) -> Iterator[None]:
    """Keep a GPU to algorithms that give the same bits in every run."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats itself only with this
    before, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(True)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw on the CPU from a generator of this seed, and leave its global state as it was."""
    torch = load_torch()
    with _lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def random_states(device: str) -> list[bytes]:
    """The states of torch's generators from which something on a device may draw."""
    torch = load_torch()
    states = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if device == "cuda" else [])
    return [bytes(state.numpy()) for state in states]
