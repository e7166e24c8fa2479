"""The formats of figure files and of exported comparisons, apart from what writes them, so that help loads quickly."""

from enum import StrEnum

__all__ = ["Format", "TableFormat"]


class Format(StrEnum):
    """The formats of figure files."""

    PNG = "png"
    PDF = "pdf"
    SVG = "svg"


class TableFormat(StrEnum):
    """The formats of a comparison."""

    TABLE = "table"
    LATEX = "latex"
    CSV = "csv"
    MARKDOWN = "markdown"
