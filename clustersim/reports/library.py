"""Plotly, which draws the charts of a report. It is an optional dependency."""

from typing import Any

from clustersim.errors import ConfigurationError

__all__ = ["graphs", "javascript"]

_MISSING = "a report needs plotly, which is not installed: run pip install 'clustersim[report]'"


def graphs() -> Any:
    """Return the module ``plotly.graph_objects``.

    Raises
    ------
    ConfigurationError
        If plotly is not installed.
    """
    try:
        import plotly.graph_objects as go  # noqa: PLC0415 - it is optional
    except ImportError as error:
        raise ConfigurationError(_MISSING) from error
    return go


def javascript() -> str:
    """Return plotly's JavaScript, about 5 MB.

    Raises
    ------
    ConfigurationError
        If plotly is not installed.
    """
    graphs()
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - it is optional

    return str(get_plotlyjs())
