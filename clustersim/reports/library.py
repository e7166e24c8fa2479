"""Plotly, which draws the charts of a report. It is an optional dependency."""

from clustersim.errors import ConfigurationError

__all__ = ["javascript"]


def javascript() -> str:
    """Return plotly's JavaScript, about 5 MB.

    Raises
    ------
    ConfigurationError
        If plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - it is optional
    except ImportError as error:
        raise ConfigurationError(
            "a report needs plotly, which is not installed: run pip install 'clustersim[report]'"
        ) from error
    return str(get_plotlyjs())
