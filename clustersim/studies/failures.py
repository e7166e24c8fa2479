"""The file of a run that failed: a short JSON text that says which run, why, and under which configuration.

Data flows in from `clustersim.studies.execution` as the reason in words, and out to `clustersim.studies.store`.
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
    """A run that was begun and could not be finished.

    Attributes
    ----------
    key : RunKey
        Which run.
    seed : int
        The seed of the study.
    reason : str
        Why, in words.
    run_hash : str
        The hash of all that the run depends on; after a change of configuration the run is tried again.
    """

    key: RunKey
    seed: int
    reason: str
    run_hash: str

    def text(self) -> str:
        """The content of the file."""
        told = self.key._asdict() | {"seed": self.seed, "reason": self.reason, "hash": self.run_hash}
        told["versions"] = versions()
        return json.dumps(told | {"seal": digest(told)}, indent=2) + "\n"

    @classmethod
    def parse(cls, text: str, where: object) -> "Failure":
        """Read the content of a file; raises `ResultsError` naming it if it is not what was written."""
        try:
            told = json.loads(text)
            if told.pop("seal") != digest(told):
                raise ValueError("its content is not what was written")
            key = RunKey(str(told["variant"]), str(told["policy"]), int(told["replication"]))
            return cls(key, int(told["seed"]), str(told["reason"]), str(told["hash"]))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ResultsError(
                f"{where} is damaged or was not written by clustersim ({error}); delete that file and run the study "
                "again: only this run is computed anew"
            ) from error
