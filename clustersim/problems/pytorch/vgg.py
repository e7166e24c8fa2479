"""VGG-11 for images of 32 x 32 pixels, the network of the LGC paper's experiments, for `TorchProblem`."""

from typing import Any

from clustersim.checks import integer
from clustersim.problems.pytorch.library import load_torch, seeded

__all__ = ["vgg11"]

_LAYERS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool")


def vgg11(classes: int = 10, channels: int = 3, *, seed: int = 0) -> Any:
    r"""Return a VGG-11 for 32 x 32 pixels: eight 3 x 3 convolutions, five poolings, one linear layer, no dropout.

    Parameters
    ----------
    classes : int, default 10
        Number of outputs.
    channels : int, default 3
        Channels of an image: inputs are of shape (rows, channels, 32, 32).
    seed : int, default 0
        Of the first parameters; torch's own generator is neither used nor changed.

    Returns
    -------
    torch.nn.Sequential
        9,225,610 parameters in float32 with the defaults.

    Raises
    ------
    ConfigurationError
        If torch is not installed, or a number is out of range.

    Notes
    -----
    Each pooling halves the side of the image, so that 1 x 1 x 512 reach the linear layer. Like the original the network
    has no batch normalisation, whose gradients would depend on the other rows of a batch. Convolutions start at He's
    normal values, which let a network so deep train without it: standard deviation :math:`\sqrt{2 / \text{inputs}}`,
    biases 0; the linear layer at :math:`\sqrt{1 / \text{inputs}}`.

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
