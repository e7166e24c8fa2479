"""Signals at random moments of the program's first two seconds: ``python -m benchmarks.early_signals [N]``.

For each of SIGINT and SIGTERM, N processes (40 if nothing is said) run a study, and each is hit once. Counted are exit
codes and tracebacks, apart for signals that came before the program had set its handlers, while Python itself started.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

COMMAND = (sys.executable, "-m", "clustersim", "run", "adaptive_mnist", "--quick", "--jobs", "1", "--out")


def heeds(process: subprocess.Popen[str]) -> bool:
    """Whether the process handles SIGTERM yet, which Python by itself does not."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return True
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def hit(number: int, moment: float, folder: str) -> tuple[str, int, bool]:
    """Start the program, send one signal; tell whether it was early, the exit code, and if there was a traceback."""
    process = subprocess.Popen((*COMMAND, folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    time.sleep(moment)
    early = "before its first line" if process.poll() is None and not heeds(process) else "after"
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    return early, process.returncode, "Traceback" in err


def main(processes: int) -> None:
    """Print what became of all processes."""
    draw = random.Random(1)  # noqa: S311 - moments, not secrets
    for number in (signal.SIGINT, signal.SIGTERM):
        seen: Counter[tuple[str, int, bool]] = Counter()
        for _ in range(processes):
            with tempfile.TemporaryDirectory() as folder:
                seen[hit(number, draw.uniform(0.0, 2.0), folder)] += 1
        for (early, code, traceback), times in sorted(seen.items()):
            print(f"{signal.Signals(number).name} {early}: exit code {code}, traceback: {traceback}: {times} times")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
