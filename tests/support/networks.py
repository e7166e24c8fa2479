"""Small networks of torch, and rows for them; to be imported only where torch is installed."""

from typing import Any

import numpy as np
import torch
from torch import nn

ROWS, FEATURES, CLASSES = 23, 4, 3


def data_of(seed: int = 0, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(rows, FEATURES)), draw.permutation(np.arange(rows) % CLASSES)


def seeded(make: Any, seed: int = 0) -> Any:
    """A module whose first parameters depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def linear(outputs: int = CLASSES, *, bias: bool = True) -> Any:
    return seeded(lambda: nn.Linear(FEATURES, outputs, bias=bias).double())


def small_net() -> Any:
    """Convolution, normalisation of each row, pooling, a smooth bend: for images of 2 x 6 x 6."""
    return seeded(
        lambda: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(36, 5), nn.Softplus(), nn.Linear(5, 3),
        ).double()
    )  # fmt: skip


def in_softmax_order(w: np.ndarray, outputs: int = CLASSES) -> np.ndarray:
    """The flat form of nn.Linear, weight of shape (outputs, features) and bias, as (features + 1, outputs)."""
    return np.vstack([w[: outputs * FEATURES].reshape(outputs, FEATURES).T, w[outputs * FEATURES :]]).ravel()
