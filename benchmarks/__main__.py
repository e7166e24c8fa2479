"""What clustersim costs beside what one would write instead: a NumPy loop, a textbook SimPy program, bare arithmetic.

What is compared runs in one process, in turns, with one BLAS thread; CPU time, medians, ratios taken within a round.
Tables come out in Markdown, progress on the error stream. Use a machine that has nothing else to do.
"""

import argparse
import platform
from pathlib import Path
from types import ModuleType

import numpy as np
import scipy
import simpy
from threadpoolctl import threadpool_limits

import clustersim as cs
from benchmarks import coverage, every_policy, figure3, scale, two_cores, worker_processes
from benchmarks.measure import Effort

_ALL = (figure3, scale, worker_processes, two_cores, every_policy, coverage)
MODULES: dict[str, ModuleType] = {module.__name__.split(".")[-1]: module for module in _ALL}


def main() -> None:
    """Run the benchmarks that are asked for, and print their tables."""
    asked = _arguments()
    quick = asked.quick
    effort = Effort(quick, asked.rounds or (3 if quick else 5), 0.05 if quick else 0.5, asked.picture)
    print(f"clustersim {cs.__version__}, {_machine()}")
    for name in asked.only or MODULES:
        with threadpool_limits(limits=1, user_api="blas"):
            told = MODULES[name].run(effort)
        print(f"\n## {name}: {_subject(MODULES[name])}\n\n{told}", flush=True)


def _arguments() -> argparse.Namespace:
    """The command line."""
    width = max(map(len, MODULES))
    subjects = "\n".join(f"  {name:{width}}  {_subject(module)}" for name, module in MODULES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"benchmarks:\n{subjects}\n\nThe head of each module says what exactly is compared, and why it is fair.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=MODULES, metavar="NAME", help="these benchmarks instead of all")
    parser.add_argument("--quick", action="store_true", help="a look: the smaller cases, short and rough measurements")
    parser.add_argument("--rounds", type=int, metavar="N", help="measurements of each program (default: 5; quick: 3)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where `scale` draws cost against n (PNG)")
    return parser.parse_args()


def _subject(module: ModuleType) -> str:
    """The first line of what a module says of itself."""
    return (module.__doc__ or "").splitlines()[0]


def _machine() -> str:
    """On what, in words."""
    return (
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, SimPy "
        f"{simpy.__version__}, {platform.machine()} {platform.system()}"
    )


if __name__ == "__main__":
    main()
