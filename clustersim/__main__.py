"""The program ``clustersim``, which is also ``python -m clustersim``.

It heeds Ctrl-C and SIGTERM before it loads anything that takes time.
"""

from importlib import import_module

from clustersim.interrupts import end_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line, and end this process."""
    end_on_signals()
    import_module("clustersim.cli").main()


if __name__ == "__main__":
    main()
