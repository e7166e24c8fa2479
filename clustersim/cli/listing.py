"""The table of scenario scripts that the command `list` prints."""

from collections.abc import Iterable

from rich.table import Table

from clustersim.studies.display_text import printable
from clustersim.terminal import Words

__all__ = ["scripts_table"]


def scripts_table(scripts: Iterable[tuple[str, str]]) -> Table:
    """Make the table of scenario scripts: name or path, and the first line of the docstring."""
    table = Table(box=None, pad_edge=False)
    table.add_column("script", no_wrap=True)
    table.add_column("what it is about", overflow="fold")
    for name, about in scripts:
        table.add_row(Words(printable(name)), Words(printable(about)))
    return table
