"""VGG-11 for images of 32 x 32 pixels, as in the experiments of the LGC paper; a module for `TorchProblem`."""

from typing import Any

from clustersim.checks import integer
from clustersim.problems.pytorch.library import load_torch, seeded

__all__ = ["vgg11"]

_LAYERS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool")


def vgg11(classes: int = 10, channels: int = 3, *, seed: int = 0) -> Any:
    r"""Return a VGG-11 for 32 x 32 pixels: eight 3 x 3 convolutions, five pooling layers, one linear layer, no dropout.

    Parameters
    ----------
    classes : int, default 10
        Number of outputs.
    channels : int, default 3
        Channels of an image. Inputs have shape (rows, channels, 32, 32).
    seed : int, default 0
        Seed of the first parameters. The state of torch's own generator does not change.

    Returns
    -------
    torch.nn.Sequential
        The network; with the defaults it has 9,225,610 parameters in float32.

    Raises
    ------
    ConfigurationError
        If torch is not installed, or a number is out of range.

    Notes
    -----
    Each pooling layer halves the side of the image, so the linear layer has 512 inputs. Like the original, the network
    has no batch normalisation, whose gradients would depend on the other rows of a batch. The initial weights of the
    convolutions are He-normal, with standard deviation :math:`\sqrt{2 / \text{inputs}}`. They let a network of this
    depth train without batch normalisation. The standard deviation of the linear layer is
    :math:`\sqrt{1 / \text{inputs}}`. All biases start at 0.

    References
    ----------
    Xu, Huang, Song and Lan, "Live gradient compensation for evading stragglers in distributed learning", 2021,
    section V.
    K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015, column A.
    K. He et al., "Delving deep into rectifiers", 2015.

    Examples
    --------
    >>> network = vgg11(classes=10)
    >>> sum(parameter.numel() for parameter in network.parameters())
    9225610
    """
    integer("classes", classes, low=1)
    integer("channels", channels, low=1)
    integer("seed", seed, low=0, high=2**63 - 1)
    nn = load_torch().nn
    with seeded(seed):
        layers: list[Any] = []
        width = channels
        for layer in _LAYERS:
            if isinstance(layer, int):
                convolution = nn.Conv2d(width, layer, kernel_size=3, padding=1)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                nn.init.zeros_(convolution.bias)
                layers += [convolution, nn.ReLU(inplace=True)]
                width = layer
            else:
                layers.append(nn.MaxPool2d(kernel_size=2))
        linear = nn.Linear(width, classes)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
        nn.init.zeros_(linear.bias)
    return nn.Sequential(*layers, nn.Flatten(), linear)
