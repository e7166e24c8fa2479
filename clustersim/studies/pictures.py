"""What the pictures of a study are called, and which of them show other results than there are now.

Every picture that clustersim draws for a study holds a mark: its own name, the study's, and a hash of the results that
it shows. A file is taken for one of these only if it stands under the name that its mark tells, so that a user's own
files, and copies of pictures under other names, are never touched.
"""

import contextlib
import hashlib
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pandas as pd

from clustersim.studies.files import file_names, slug
from clustersim.studies.results import KEYS, Results

__all__ = ["Format", "Origin", "own_names", "standard_names"]

_WAYS = {"time": "time", "uplink_vectors": "uplink", "vectors": "communication"}
_MARK = re.compile(rb"clustersim picture (\S+) of study (\S+) from results ([0-9a-f]{16})")


class Format(StrEnum):
    """Kinds of picture files."""

    PNG = "png"
    PDF = "pdf"
    SVG = "svg"


def standard_names(variants: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, ...], str]:
    """The names of the figures that every study gets, without the ending.

    Parameters
    ----------
    variants : iterable of str
        Variants with an overview each; their keys are (variant,).
    pairs : iterable of (str, str)
        What is drawn against what, the latter ``time``, ``uplink_vectors`` or ``vectors``; these pairs are the keys.

    Examples
    --------
    >>> list(standard_names([""], [("error", "time"), ("test_accuracy", "vectors")]).values())
    ['overview', 'error-vs-time', 'test-accuracy-vs-communication']
    """
    wanted: dict[tuple[str, ...], str] = {(variant,): f"overview {variant}" for variant in variants}
    return file_names(wanted | {(y, x): f"{y} vs {_WAYS[x]}" for y, x in pairs})


def own_names(labels: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """The names of a user's own figures, without the ending, which a label may have; none is one of those taken.

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
    """Where a picture comes from: a study, and a hash of the results that it shows.

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
        """The origin of all pictures that these results give."""
        frame = results.frame
        shown = frame[[name for name in frame if name in KEYS or pd.api.types.is_numeric_dtype(frame[name])]]
        told = (results.name, results.notes, results.metric, results.policies, results.variants, results.missing)
        content = hashlib.sha256(repr((told, [*shown], results.failures.to_dict("list"))).encode(errors="replace"))
        content.update(pd.util.hash_pandas_object(shown, index=False).to_numpy().tobytes())
        return cls(slug(results.name) or "-", content.hexdigest()[:16])

    def mark(self, name: str) -> str:
        """What the picture of that name, without its ending, holds to be known by."""
        return f"clustersim picture {name} of study {self.study} from results {self.results}"

    def remove_stale(self, folder: Path, kind: str, current: Collection[str], *, all_named: bool) -> None:
        """Remove pictures of the same study that would be taken for current though they are not.

        These are pictures of other results, in any format; and, if the `current` names are all that there is to be
        drawn, pictures in the same format under other names. What is about to be drawn again is left to be replaced.

        Parameters
        ----------
        folder : Path
            Where the pictures are.
        kind : str
            The format in which pictures are drawn now.
        current : collection of str
            Names, without the ending, of the pictures that are drawn now.
        all_named : bool
            Whether these are all; if not, own figures may be drawn later or elsewhere.
        """
        for path in sorted(folder.glob("*.*")):
            if path.suffix[1:] not in set(Format) or (path.suffix[1:] == kind and path.stem in current):
                continue
            known = self._known(path)
            if known is not None and (known != self.results or (all_named and path.suffix[1:] == kind)):
                self.remove(path)

    def remove(self, path: Path) -> None:
        """Remove one picture, if it is one of this study's."""
        if self._known(path) is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _known(self, path: Path) -> str | None:
        """The results that a file shows, if it is a picture drawn for this study under this name."""
        try:
            found = _MARK.search(path.read_bytes()) if stat.S_ISREG(path.lstat().st_mode) else None
        except OSError:
            return None
        name, study, results = (part.decode() for part in found.groups()) if found else ("", "", "")
        return results if (name, study) == (path.stem, self.study) else None
