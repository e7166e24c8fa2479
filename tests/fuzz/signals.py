"""Random deaths and signals while a study runs: it always ends, says how, and loses nothing.

Each trial starts the command line with two processes and either kills its children at random, or sends it Ctrl-C or
SIGTERM one to three times within milliseconds. Afterwards the same command finishes the study, whose files must be
those of a study that was left in peace.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from small import tree

PROGRAM = "from clustersim.__main__ import main; main()"
PATIENCE = 120.0  # seconds after which a process is taken to hang
SCRIPT = """
import clustersim as cs

study = cs.Study(
    name="stormy",
    problem=cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
    policies={"k = 1": cs.FastestK(1), "k = 4": cs.FastestK(4)},
    optimizer=cs.SGD(lambda t: 1e-5),
    until=cs.Until(updates=1500),
    replications=20,
)
"""


def start(folder: Path, out: str, *more: str) -> subprocess.Popen[str]:
    """Begin the study in a process of its own."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, "run", "stormy.py", "--out", out, *more],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def children(pid: int) -> list[int]:
    """The processes that a process has started; none if it is gone."""
    try:
        lists = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for found in lists for child in found]


def kill(pid: int) -> bool:
    """Kill a process; returns whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def killed_children(process: "subprocess.Popen[str]", chance: random.Random) -> int:
    """Kill children of a process until it ends, now and then; returns how many."""
    killed = 0
    while process.poll() is None:
        time.sleep(chance.uniform(0.5, 6.0))
        if found := children(process.pid):
            killed += kill(chance.choice(found))
    return killed


def signalled(process: "subprocess.Popen[str]", chance: random.Random) -> int:
    """Send a process a signal, perhaps several times; returns how many."""
    number, times = chance.choice([signal.SIGINT, signal.SIGTERM]), chance.randint(1, 3)
    time.sleep(chance.uniform(2.0, 6.0))
    for _ in range(times):
        if process.poll() is None:
            process.send_signal(number)
        time.sleep(chance.uniform(0.0, 0.03))
    return times


def trial(folder: Path, chance: random.Random) -> tuple[int, int, str]:
    """One stormy study, finished in peace; returns deaths, signals and what is wrong."""
    process = start(folder, "out", "--jobs", "2")
    deaths = signals = 0
    if chance.random() < 0.5:
        deaths = killed_children(process, chance)
    else:
        signals = signalled(process, chance)
    try:
        _, told = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return deaths, signals, "it hangs"
    if "Traceback" in told:
        return deaths, signals, told
    for _ in range(3):  # a run that died twice in the peace, too, has failed again
        process = start(folder, "out", "--jobs", "2", "--retry-failed")
        told = process.communicate(timeout=PATIENCE)[1]
        if process.returncode == 0:
            return deaths, signals, "" if tree(folder / "out") == tree(folder / "calm") else "other files"
    return deaths, signals, f"it cannot be finished: {told}"


def search(seconds: float, seed: int, most: int = 10**9) -> tuple[int, int, int, list[str]]:
    """Go through storms; returns trials, deaths, signals and faults."""
    chance, begun = random.Random(seed), time.monotonic()
    trials = deaths = signals = 0
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stormy.py").write_text(SCRIPT)
        start(folder, "calm", "--jobs", "1").communicate(timeout=PATIENCE)
        while trials < most and time.monotonic() - begun < seconds:
            for path in sorted((folder / "out").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            more = trial(folder, chance)
            trials, deaths, signals = trials + 1, deaths + more[0], signals + more[1]
            if more[2]:
                faults.append(f"seed {seed}, trial {trials}: {more[2]}")
    return trials, deaths, signals, faults


def main(seconds: float, seed: int) -> int:
    """Search for faults, print a line of figures, and return 1 if there are any."""
    trials, deaths, signals, faults = search(seconds, seed)
    print(f"{trials} studies, {deaths} deaths of processes, {signals} signals, {len(faults)} faults")
    for fault in faults:
        print(fault)
    return int(bool(faults))
