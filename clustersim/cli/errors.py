"""How commands end: a user's mistake in one line, Ctrl-C and SIGTERM with what is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies.signals import Stopped, stoppable

__all__ = ["plain_errors", "raise_all", "resumable"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print a user's mistake in one line instead of a traceback; stop on Ctrl-C and SIGTERM."""
    try:
        with stoppable():
            yield
    except KeyboardInterrupt as error:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(error.code if isinstance(error, Stopped) else 130) from None
    except ClusterSimError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """On Ctrl-C or SIGTERM, print what is stored and how to continue."""
    try:
        yield
    except KeyboardInterrupt as error:
        stored = len(list((folder / "runs").glob("*.parquet")))
        typer.echo(
            f"Interrupted: {stored} finished runs are stored in {folder}; run the same command to continue.",
            err=True,
        )
        raise typer.Exit(error.code if isinstance(error, Stopped) else 130) from None


def raise_all(failures: list[str]) -> None:
    """Report all failures of an otherwise finished command, one line each."""
    if failures:
        raise ConfigurationError("\nError: ".join(failures))
