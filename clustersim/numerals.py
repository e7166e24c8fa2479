"""Numbers and intervals as text, for tables on the terminal.

Floats come in from `clustersim.comparison_tables` and `clustersim.tables`; short texts go out.
"""

import math

__all__ = ["numeral", "span"]


def numeral(value: float, digits: int = 4, *, whole: bool = False) -> str:
    """Format a number with some significant digits, without an exponent unless it is very large or small.

    Parameters
    ----------
    value : float
        Any number.
    digits : int, default 4
        Significant digits.
    whole : bool, default False
        Whether it is a whole number, which is written without a point and rounded to two digits.

    Returns
    -------
    str
        "-" for NaN.

    Examples
    --------
    >>> numeral(2.0), numeral(12345.678), numeral(1.5e9), numeral(float("nan")), numeral(1234.0, whole=True)
    ('2.000', '12346', '1.500e+09', '-', '1200')
    """
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if whole:
        return f"{float(f'{value:.1e}'):.0f}"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}"


def span(value: float, low: float, high: float, end: float, digits: int = 3) -> str:
    """Format an estimate and its interval, of which ends may be unknown; an interval that adds nothing is left out.

    Parameters
    ----------
    value : float
        The estimate: NaN if unknown, infinite if it is only known to be greater than `end`.
    low, high : float
        The ends of the interval: both NaN if there is none; 0 or infinite where nothing is known.
    end : float
        The number that an infinite estimate is greater than.
    digits : int, default 3
        Significant digits.

    Examples
    --------
    >>> span(5.0, 4.0, 7.0, 9.0), span(5.0, 4.0, float("inf"), 9.0), span(float("inf"), 8.0, float("inf"), 9.0)
    ('5.00 (4.00 - 7.00)', '5.00 (from 4.00)', '> 9.00 (from 8.00)')
    >>> span(float("nan"), 1.5, float("inf"), 9.0), span(float("inf"), 9.0, float("inf"), 9.0)
    ('from 1.50', '> 9.00')
    """
    interval = "" if low == high == value or low == end else _interval(low, high, digits)
    if math.isnan(value):
        return interval or "-"
    known = math.isfinite(value) or math.isnan(end)
    estimate = numeral(value, digits) if known else f"> {numeral(end, digits)}"
    return f"{estimate} ({interval})" if interval else estimate


def _interval(low: float, high: float, digits: int) -> str:
    """Format the ends of an interval; empty if none is known."""
    if math.isnan(low) or math.isnan(high):
        return ""
    if math.isinf(high):
        return f"from {numeral(low, digits)}" if low > 0.0 else ""
    return f"{numeral(low, digits)} - {numeral(high, digits)}" if low > 0.0 else f"up to {numeral(high, digits)}"
