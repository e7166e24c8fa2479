"""The program ``clustersim``, also started by ``python -m clustersim``.

It sets the handlers of Ctrl-C and SIGTERM before it imports anything that takes time.
"""

from importlib import import_module

from clustersim.interrupts import end_on_signals

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process."""
    end_on_signals()
    import_module("clustersim.cli").main()


if __name__ == "__main__":
    main()
