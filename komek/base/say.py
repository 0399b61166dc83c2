"""What takes lines for people: a terminal, a log, nobody."""

from collections.abc import Callable

Say = Callable[[str], None]
# What is being done to which file, bytes done, bytes in all.
Progress = Callable[[str, int, int], None]


def silent(_line: str) -> None:
    """Say nothing."""


def no_progress(_doing: str, _done: int, _total: int) -> None:
    """Show nothing."""
