"""Loads PyTorch, if it is installed, and sets it up so that the same computation always gives the same numbers.

`TorchProblem` and `vgg11` load torch through this module; nothing else in clustersim uses torch. With more threads, or
with another algorithm on a GPU, torch adds numbers in another order. Then the last bits of a result would depend on the
machine.
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
        If torch is not installed, or is installed but cannot be loaded.
    """
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise ConfigurationError("torch is not installed; run pip install 'clustersim[torch]'") from None
        raise ConfigurationError(f"torch is installed but cannot be loaded ({error}); install it again") from error


@contextmanager
def alone(device: str = "cpu") -> Iterator[Any]:
    """Restrict torch to one thread and to repeatable algorithms, for one thread of the process at a time.

    The number of threads and the choice of algorithms are settings of the whole process. They are restored at the end.
    A lock prevents another thread from restoring them too early.

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
    """Restrict a GPU to algorithms that give the same bits in every run."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is repeatable only with this setting
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
    """Seed torch's random draws on the CPU, and restore the global state of its generator at the end."""
    torch = load_torch()
    with _lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def random_states(device: str) -> list[bytes]:
    """Return the states of all torch generators that a computation on the device may draw from."""
    torch = load_torch()
    states = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if device == "cuda" else [])
    return [bytes(state.numpy()) for state in states]
