"""Figure files of a study: their names, and the removal of files that show outdated results.

Every figure file that clustersim writes for a study contains a mark: its own name, the name of the study, and a hash of
the results that it shows. A file counts as one of these only if its name agrees with its mark. So the user's own files,
and copies of figures under other names, are never touched.
"""

import contextlib
import hashlib
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clustersim.studies.files import file_names, slug
from clustersim.studies.formats import Format
from clustersim.studies.results import KEYS, Results

__all__ = ["Origin", "own_names", "standard_names"]

_WAYS = {"time": "time", "uplink_vectors": "uplink", "vectors": "communication"}
_MARK = re.compile(rb"clustersim picture (\S+) of study (\S+) from results ([0-9a-f]{16})")


def standard_names(
    variants: Iterable[str],
    pairs: Iterable[tuple[str, str]],
    *,
    pages: int = 1,
    more: Mapping[tuple[str, ...], str] | None = None,
) -> dict[tuple[str, ...], str]:
    """Return the names of the standard figures of a study, without the ending.

    Parameters
    ----------
    variants : iterable of str
        The variants that get an overview; the key of an overview is (variant,).
    pairs : iterable of (str, str)
        Pairs of a column and the column that it is drawn against; the pairs are the keys.
    pages : int, default 1
        The number of pages of each pair. From the second page on, the key is (column, column, page).
    more : mapping, optional
        What other figures show, by their keys.

    Examples
    --------
    >>> list(standard_names([""], [("error", "time"), ("test_accuracy", "vectors")]).values())
    ['overview', 'error-vs-time', 'test-accuracy-vs-communication']
    >>> list(standard_names([], [("error", "time")], pages=2, more={("p",): "error over p"}).values())
    ['error-vs-time', 'error-vs-time-2', 'error-over-p']
    """
    wanted: dict[tuple[str, ...], str] = {(variant,): f"overview {variant}" for variant in variants}
    for y, x in pairs:
        wanted[y, x] = f"{y} vs {_WAYS.get(x, x)}"
        wanted |= {(y, x, str(page)): f"{wanted[y, x]} {page}" for page in range(2, pages + 1)}
    return file_names(wanted | dict(more or {}))


def own_names(labels: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return the names of a study's own figures, without the ending; none is one of the `taken` names.

    Labels may have an ending, which is dropped.

    Examples
    --------
    >>> own_names(["Switching times.png", "Error vs time"], ["error-vs-time"])
    {'Switching times.png': 'switching-times', 'Error vs time': 'error-vs-time-e99f773f'}
    """
    return file_names({label: _stem(label) for label in labels}, taken)


def _stem(label: str) -> str:
    before, dot, ending = label.rpartition(".")
    return before if dot and ending.lower() in set(Format) else label


@dataclass(frozen=True)
class Origin:
    """The origin of a figure: a study, and a hash of the results that the figure shows.

    Attributes
    ----------
    study : str
        The name of the study, as a file name.
    results : str
        Sixteen hexadecimal digits.
    """

    study: str
    results: str

    @classmethod
    def of(cls, results: Results) -> "Origin":
        """Return the origin of all figures of these results."""
        frame = results.frame
        shown = frame[[name for name in frame if name in KEYS or pd.api.types.is_numeric_dtype(frame[name])]]
        facts = (results.name, results.notes, results.metric, results.policies, results.variants, results.missing)
        content = hashlib.sha256(repr((facts, [*shown], results.failures.to_dict("list"))).encode(errors="replace"))
        content.update(pd.util.hash_pandas_object(shown, index=False).to_numpy().tobytes())
        return cls(slug(results.name) or "-", content.hexdigest()[:16])

    def mark(self, name: str) -> str:
        """Return the mark of the figure file with that name, given without the ending."""
        return f"clustersim picture {name} of study {self.study} from results {self.results}"

    def remove_stale(self, folder: Path, kind: str, current: Collection[str], *, all_named: bool) -> None:
        """Remove figure files of the same study that are outdated.

        These are files of other results, in any format. If the `current` names are complete, they are also files in the
        same format under other names. Files that will be drawn again are left, and replaced later.

        Parameters
        ----------
        folder : Path
            The folder of the files.
        kind : str
            The format of the figures that are being drawn.
        current : collection of str
            Names, without the ending, of the figures that are being drawn.
        all_named : bool
            Whether these are all figures of the study; if not, its own figures may be drawn later or elsewhere.
        """
        for path in sorted(folder.glob("*.*")):
            if path.suffix[1:] not in set(Format) or (path.suffix[1:] == kind and path.stem in current):
                continue
            known = self._known(path)
            if known is not None and (known != self.results or (all_named and path.suffix[1:] == kind)):
                self.remove(path)

    def remove(self, path: Path) -> None:
        """Remove a file if it is a figure of this study."""
        if self._known(path) is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _known(self, path: Path) -> str | None:
        """Return the hash of the results in a file, or None if it is not a figure of this study under its own name."""
        try:
            found = _MARK.search(path.read_bytes()) if stat.S_ISREG(path.lstat().st_mode) else None
        except OSError:
            return None
        name, study, results = (part.decode() for part in found.groups()) if found else ("", "", "")
        return results if (name, study) == (path.stem, self.study) else None
