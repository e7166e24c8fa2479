"""Random damage to the files of a results folder: it is refused by the name of a file, or changes nothing."""

import os
import random
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from small import small_study, tree

import clustersim as cs

Damage = Callable[[random.Random, bytes], bytes]


def _flip(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def _replace(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content))
    noise = chance.randbytes(chance.randint(1, 40))
    return content[:place] + noise + content[place + len(noise) :]


def _insert(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.randbytes(chance.randint(1, 9)) + content[place:]


def _cut(chance: random.Random, content: bytes) -> bytes:
    start, end = sorted(chance.choices(range(len(content) + 1), k=2))
    return content[:start] + content[end:]


def _digit(chance: random.Random, content: bytes) -> bytes:
    """Another digit in place of one, as somebody might edit a text."""
    places = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        return content
    place = chance.choice(places)
    return content[:place] + str(chance.randrange(10)).encode() + content[place + 1 :]


DAMAGES: tuple[Damage, ...] = (_flip, _replace, _insert, _cut, _digit)


def _plant(chance: random.Random, victim: Path, others: list[Path]) -> None:
    """Put something else in place of a file."""
    victim.unlink()
    what = chance.randrange(5)
    if what == 0:
        os.mkfifo(victim)
    elif what == 1:
        victim.mkdir()
    elif what == 2:
        victim.symlink_to("/dev/zero")
    elif what == 3:
        victim.symlink_to(victim)  # a link to itself
    else:
        shutil.copy(chance.choice(others), victim)


def harmed(folder: Path, chance: random.Random) -> str:
    """Harm one file of a results folder; returns what was done, in words."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    victim = chance.choice(files)
    if chance.random() < 0.1:
        _plant(chance, victim, [path for path in files if path != victim])
        return f"{victim.name} was replaced"
    damage = chance.choice(DAMAGES)
    victim.write_bytes(damage(chance, victim.read_bytes()))
    return f"{victim.name} suffered {damage.__name__}"


def outcome(folder: Path, whole: cs.Results) -> str:
    """What is wrong with how a harmed folder is read; nothing if it is refused, or gives what was stored."""
    try:
        results = cs.load_results(folder)
    except cs.ResultsError as error:
        return "" if str(folder) in str(error) else f"no file is named: {error}"
    except Exception as error:  # that is what is looked for
        return f"{type(error).__name__}: {error}"
    same = (
        results.frame.equals(whole.frame)
        and results.totals.equals(whole.totals)
        and results.failures.equals(whole.failures)
        and (results.name, results.metric, results.notes, results.missing)
        == (whole.name, whole.metric, whole.notes, whole.missing)
    )
    return "" if same else "other numbers, without a word"


def search(seconds: float, seed: int, most: int = 10**9) -> tuple[int, int, list[str]]:
    """Harm folders again and again; returns how often, how often any content was changed, and the faults."""
    chance, begun = random.Random(seed), time.monotonic()
    tried = changed = 0
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore", cs.FailedRunsWarning)
        original, folder = Path(name) / "original", Path(name) / "harmed"
        study = small_study(notes="Notes, too.", variants={"": {}, "wild": {"optimizer": cs.SGD(10.0)}})
        study.run(original)
        whole, content = cs.load_results(original), tree(original)
        while tried < most and time.monotonic() - begun < seconds:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(original, folder)
            told = harmed(folder, chance)
            tried += 1
            if fault := outcome(folder, whole):
                faults.append(f"seed {seed}, try {tried}: {told}: {fault}")
            changed += tree(folder) != content
    return tried, changed, faults


def main(seconds: float, seed: int) -> int:
    """Search for faults, print a line of figures, and return 1 if there are any."""
    tried, changed, faults = search(seconds, seed)
    print(f"{tried:,} harmed folders, {changed:,} of them really changed, {len(faults)} faults")
    for fault in faults[:20]:
        print(fault)
    return int(bool(faults))
