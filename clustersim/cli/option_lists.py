"""One list of options for several commands: a dataclass whose fields typer takes as options.

A command that takes such an object comes in. The same command goes out for typer, with an option for each field.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["taking"]

Command = Callable[..., None]


def taking(options: type) -> Callable[[Command], Command]:
    """Let a command have the fields of a dataclass as its options; it gets an object of the class as its last argument.

    Parameters
    ----------
    options : type
        A dataclass. The annotations of its fields are those of parameters of a command, with `typer.Option`.

    Returns
    -------
    callable
        A decorator of commands.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size:
    ...     width: int = 3
    ...     height: int = 4
    >>> @taking(Size)
    ... def area(name: str, size: Size) -> None:
    ...     print(name, size.width * size.height)
    >>> print(inspect.signature(area))
    (name: str, *, width: int = 3, height: int = 4) -> None
    >>> area(name="area:", width=5, height=2)
    area: 10
    """
    fields = [part.replace(kind=part.KEYWORD_ONLY) for part in inspect.signature(options).parameters.values()]

    def decorated(command: Command) -> Command:
        signature = inspect.signature(command)
        *own, last = signature.parameters.values()

        @functools.wraps(command)
        def called(**given: Any) -> None:
            chosen = options(**{field.name: given.pop(field.name) for field in fields})
            command(**given, **{last.name: chosen})

        called.__signature__ = signature.replace(parameters=[*own, *fields])  # type: ignore[attr-defined]
        called.__annotations__ = {part.name: part.annotation for part in [*own, *fields]}
        return called

    return decorated
