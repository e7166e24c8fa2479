"""The file of a failed run: a short JSON text with the labels of the run, the reason and the configuration.

The reason comes from `clustersim.studies.jobs` or `clustersim.studies.execution`; `clustersim.studies.store` writes and
reads the files.
"""

import json
from dataclasses import dataclass

from clustersim.errors import ResultsError
from clustersim.studies.configuration import digest
from clustersim.studies.manifest import versions
from clustersim.studies.results import RunKey

__all__ = ["Failure"]


@dataclass(frozen=True)
class Failure:
    """A run that started and failed.

    Attributes
    ----------
    key : RunKey
        The labels of the run.
    seed : int
        The seed of the study.
    reason : str
        The reason, in words.
    run_hash : str
        The hash of everything that the run depends on; if it changes, the run is repeated.
    """

    key: RunKey
    seed: int
    reason: str
    run_hash: str

    def text(self) -> str:
        """Return the content of the file."""
        content = self.key._asdict() | {"seed": self.seed, "reason": self.reason, "hash": self.run_hash}
        content["versions"] = versions()
        return json.dumps(content | {"seal": digest(content)}, indent=2) + "\n"

    @classmethod
    def parse(cls, text: str, where: object) -> "Failure":
        """Read the content of a file; raise `ResultsError` with its name if it is not what was written."""
        try:
            content = json.loads(text)
            if content.pop("seal") != digest(content):
                raise ValueError("its content has changed since it was written")
            key = RunKey(str(content["variant"]), str(content["policy"]), int(content["replication"]))
            return cls(key, int(content["seed"]), str(content["reason"]), str(content["hash"]))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ResultsError(
                f"{where} is damaged or was not written by clustersim ({error}); delete that file and run the study "
                "again: only this run is repeated"
            ) from error
