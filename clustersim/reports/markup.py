"""Pieces of HTML. Every function takes plain text, and escapes it, unless its name or its description says HTML."""

from collections.abc import Iterable, Sequence
from html import escape

from clustersim.studies.display_text import printable

__all__ = ["code_block", "definitions", "note", "paragraph", "section", "table", "text"]


def text(value: object) -> str:
    """Return a text as HTML, with everything escaped that has a meaning in it.

    Examples
    --------
    >>> text("<script> & 'k'")
    '&lt;script&gt; &amp; &#x27;k&#x27;'
    """
    return escape(printable(value))


def paragraph(words: str, kind: str = "") -> str:
    """Return a paragraph, with a class if `kind` is given."""
    return f"<p{_class(kind)}>{text(words)}</p>"


def note(remarks: Iterable[str]) -> str:
    """Return remarks as a list; empty if there are none."""
    items = "".join(f"<li>{text(remark)}</li>" for remark in remarks)
    return f'<ul class="notes">{items}</ul>' if items else ""


def section(name: str, title: str, *contents: str) -> str:
    """Return a section with a heading; `name` is its anchor, and the contents are HTML."""
    body, anchor = "\n".join(filter(None, contents)), escape(name)
    return (
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n<h2 id="{anchor}-title">{text(title)}</h2>\n{body}'
        "\n</section>"
    )


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs of a term and its value."""
    rows = "".join(f"<dt>{text(term)}</dt><dd>{text(value)}</dd>" for term, value in pairs)
    return f"<dl>{rows}</dl>"


def code_block(lines: Iterable[str]) -> str:
    """Return lines to copy."""
    return f"<pre><code>{text(chr(10).join(lines))}</code></pre>"


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1, marked: Sequence[str] = ()
) -> str:
    """Return a table that scrolls sideways where it is too wide.

    Parameters
    ----------
    caption : str
        What it shows.
    headings : sequence of str
        One for each column.
    rows : iterable of sequences of str
        The cells; the first one of each row is its heading.
    words : int, default 1
        The number of columns, from the left, that hold words; the others hold numbers and are aligned to the right.
    marked : sequence of str
        Cells with one of these texts are marked, in bold.
    """
    kinds = ["" if place < words else ' class="number"' for place in range(len(headings))]
    head = "".join(f'<th scope="col"{kind}>{text(name)}</th>' for name, kind in zip(headings, kinds, strict=True))
    body = "\n".join(f"<tr>{_cells(row, kinds, marked)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(caption)}"><table><caption>{text(caption)}'
        f"</caption><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[str], kinds: Sequence[str], marked: Sequence[str]) -> str:
    """Return the cells of a row."""
    first, *others = row
    cells = [f'<th scope="row">{text(first)}</th>']
    for cell, kind in zip(others, kinds[1:], strict=True):
        content = f"<strong>{text(cell)}</strong>" if cell in marked else text(cell)
        cells.append(f"<td{kind}>{content}</td>")
    return "".join(cells)


def _class(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""
