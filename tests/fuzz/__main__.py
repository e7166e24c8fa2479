"""Run a fuzzer by name: ``python -m tests.fuzz arguments --seconds 300 --seed 7``."""

import argparse
import sys
import warnings
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
FUZZERS = sorted(path.stem for path in HERE.glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("name", choices=FUZZERS, help="which fuzzer")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long")
    parser.add_argument("--seed", type=int, default=0, help="the same seed tries the same")
    arguments = parser.parse_args()
    sys.path[:0] = [str(HERE.parent), str(HERE.parent / "support")]  # as pytest does
    warnings.simplefilter("error")  # a warning is a fault
    sys.exit(import_module(f"fuzz.{arguments.name}").main(arguments.seconds, arguments.seed))
