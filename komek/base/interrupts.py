"""SIGINT and SIGTERM: heard once for the whole command, whoever swallows the exception.

A library may turn a KeyboardInterrupt into an error of its own, or into none. And a
query that DuckDB broke off for one goes on behind the next query of its connection,
which then waits for it: so whoever interrupts us interrupts every query too.

Where something cannot be undone any more, a publication, what little remains is done
first: the command then ends as one that was interrupted.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol
from weakref import WeakSet


class Terminated(KeyboardInterrupt):
    """SIGTERM: what is under way ends as it does when somebody interrupts it."""


class Interruptible(Protocol):
    """What runs queries: a connection of DuckDB."""

    def interrupt(self) -> None:
        """Break off the query under way, if there is one."""


BEFORE = "what was published before still stands"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_heard: list[int] = []
# What was done since that no interrupt undoes.
_done: list[str] = []
_running: "WeakSet[Interruptible]" = WeakSet()


@contextmanager
def listening() -> Iterator[None]:
    """Take the signals, but those that whoever started us had us ignore."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    _heard.clear()
    _done.clear()
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen_no_more() -> None:
    """Ignore them for what is left, which is said in a moment."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def heard() -> int | None:
    """Return the first signal that was heard, None where none was."""
    return _heard[0] if _heard else None


def ends_it() -> int | None:
    """Return the signal that ends what is under way, None where that is finished."""
    return None if _done else heard()


def finish_first(done: str) -> None:
    """Only hear of signals from here on: what is under way is finished before it ends.

    Args:
        done: what stands then, whatever comes, as a clause for people.
    """
    _done.append(done)


def standing() -> str:
    """Return what stands now, however the command ends, as a clause for people."""
    return _done[-1] if _done else BEFORE


def end_if_heard() -> None:
    """End here where a signal was heard, and somebody swallowed its exception.

    Raises:
        KeyboardInterrupt: one was, and there is nothing to finish first.
    """
    if number := ends_it():
        raise _exception(number)


def watch(connection: Interruptible) -> None:
    """Let a signal break off what a connection runs."""
    _running.add(connection)


def _hear(number: int, _frame: FrameType | None) -> None:
    _heard.append(number)
    if _done:
        return
    for connection in list(_running):
        # One that is closed has nothing to break off.
        with suppress(Exception):
            connection.interrupt()
    raise _exception(number)


def _exception(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
