"""The file ``tuning.json`` in the results folder of a tuning: the picked step sizes, and the table they come from.

`clustersim tune` writes it; ``clustersim run --tuned`` and reports read it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clustersim.errors import ConfigurationError
from clustersim.studies.files import read_text, write_atomically
from clustersim.studies.tuning import Tuning

__all__ = ["StoredTuning", "read_tuning", "write_tuning"]

_FILE = "tuning.json"
_NUMBERS = ("time", "value", "reached", "failed", "replications")


@dataclass(frozen=True)
class StoredTuning:
    """The content of the file.

    Attributes
    ----------
    study : str
        The name of the study that was tuned.
    step_sizes : dict of str to float
        The picked step size of each policy.
    target : float or None
        The target, if there was one.
    rows : list of dict
        The rows of `clustersim.studies.Tuning.table`; infinite numbers are None.
    seed : int or None
        The seed of the comparison, from which that of the tuning runs was derived; None if the file does not say it.
    """

    study: str
    step_sizes: dict[str, float]
    target: float | None
    rows: list[dict[str, Any]]
    seed: int | None = None


def write_tuning(folder: Path, study: str, tuning: Tuning) -> None:
    """Write the outcome of tuning the study with this name."""
    table = json.loads(tuning.table.to_json(orient="records"))
    content = {"study": study, "seed": tuning.seed, "target": tuning.target, "step_sizes": tuning.step_sizes}
    content |= {"table": table}
    write_atomically(folder / _FILE, (json.dumps(content, indent=2) + "\n").encode())


def read_tuning(folder: Path) -> StoredTuning | None:
    """Read the outcome of tuning from a folder; None if there is none.

    Raises
    ------
    ConfigurationError
        If the file is damaged.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(read_text(path))
        sizes = {str(label): float(size) for label, size in content["step_sizes"].items()}
        seed = content.get("seed")
        return StoredTuning(
            str(content["study"]), sizes, _known(content["target"]), [*map(_row, content["table"])],
            None if seed is None else int(seed),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is damaged ({error}); run `clustersim tune` again") from error


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Check one row of the table."""
    numbers = {name: _known(row[name]) for name in _NUMBERS}
    return numbers | {
        "policy": str(row["policy"]), "step_size": float(row["step_size"]), "picked": bool(row["picked"])
    }  # fmt: skip


def _known(value: Any) -> float | None:
    """Return a number, or None for one that is unknown or infinite."""
    return None if value is None else float(value)
