"""The file of a run's message table: what every worker did, stored on request beside the file of the run.

It is a Parquet table with the columns of `Run.messages`; its metadata contains the times of the updates. It is sealed
as `clustersim.studies.runfile` seals runs. `clustersim.studies.jobs` encodes it; `clustersim.studies.store` decodes it.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.engine import Run
from clustersim.errors import ResultsError
from clustersim.studies.results import RunKey
from clustersim.studies.runfile import DAMAGE, sealed, unsealed

__all__ = ["decode_messages", "encode_messages"]


def encode_messages(key: RunKey, run: Run, run_hash: str) -> bytes:
    """Encode the message table of a run as the bytes of its file."""
    updates = None if run.updates is None else run.updates.tolist()
    messages = pd.DataFrame() if run.messages is None else run.messages
    return sealed(messages, key._asdict() | {"hash": run_hash, "updates": updates})


def decode_messages(content: bytes, run_hash: str, where: object) -> tuple[pd.DataFrame, NDArray[np.float64] | None]:
    """Decode the bytes of the file: the message table and the times of the updates.

    Raises
    ------
    ResultsError
        If the bytes have changed or belong to another run; the message names the file, `where`.
    """
    try:
        table, facts = unsealed(content)
        if facts["hash"] != run_hash:
            raise ValueError("it belongs to another run")
        updates = None if facts["updates"] is None else np.array(facts["updates"], dtype=np.float64)
    except DAMAGE as error:
        raise ResultsError(f"{where} is damaged ({error}); delete it and run the study with messages again") from error
    return table, updates
