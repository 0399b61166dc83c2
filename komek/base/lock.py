"""One writer per home: the lock, who may read what it writes, and if it cannot write.

The kernel holds the lock (flock) and drops it with the process, however that ends: a
file left behind by `kill -9` is in nobody's way, only recognised and said.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from komek.base.errors import KomekError, UnwritableError
from komek.base.files import private_files, writing_to
from komek.base.places import Home
from komek.base.say import Say
from komek.base.scratch import sweep

_LONGEST = 4096
_LOOKS_AGAIN = 0.2  # seconds


@contextmanager
def writer_lock(
    home: Home, command: str = "komek", say: Say = print, *, patience: float = 0
) -> Iterator[None]:
    """Hold the home's writer lock; what is written inside is private.

    What killed processes left in the scratch folders is swept first.

    Args:
        home: the home to write to; its folders are made if needed.
        command: what holds the lock, for people (no arguments: they may name persons).
        say: gets a line when a run that did not end left its lock or folder behind.
        patience: how long to wait for another process that holds it, in seconds.

    Raises:
        KomekError: another process holds the lock, and has not let go of it.
        UnwritableError: the home cannot be written, now or inside.
    """
    with private_files(), writing_to(home):
        descriptor = _open(home)
        try:
            _acquire(home, descriptor, patience)
            _sign(home, descriptor, command, say)
            try:
                sweep(home, say)
                yield
            finally:
                os.ftruncate(descriptor, 0)
        finally:
            # The lock goes with the descriptor.
            os.close(descriptor)


def _open(home: Home) -> int:
    try:
        home.lock.parent.mkdir(parents=True, exist_ok=True)
        return os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UnwritableError(f"cannot write {home.lock}: {error.strerror}") from None


def _acquire(home: Home, descriptor: int, patience: float) -> None:
    ends = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() < ends:
                time.sleep(_LOOKS_AGAIN)
                continue
            holder = _holder(descriptor) or "another process"
            raise KomekError(
                f"another run is writing to {home.root}: {holder}; wait until it ends"
            ) from error


def _sign(home: Home, descriptor: int, command: str, say: Say) -> None:
    """Write into the lock who holds it, once it is said who left it behind."""
    left = _holder(descriptor)
    if left:
        say(f"the lock of {left} was left behind: that run did not end; going on")
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "command": command, "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> str | None:
    """Return who the lock's file names, None if nobody."""
    text = os.pread(descriptor, _LONGEST, 0)
    if not text:
        return None
    try:
        holder = json.loads(text)
        return f"{holder['command']} (pid {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        # Killed while it wrote the few bytes.
        return "an unnamed process"
