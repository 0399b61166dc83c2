"""What is built in the home's scratch folders, and what a killed process leaves there.

A process that alone works in a folder holds it: it locks a file in it, and the kernel
drops the lock with the process. A folder that is not held was left behind. A run that a
scheduler's tasks build step by step is held by nobody between two steps: it has no such
file, and waits. An entity's landing is held by the lock beside its scratch folder.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from komek.base.files import open_private
from komek.base.places import Home
from komek.base.say import Say

# What a run that is being built says of itself, in its folder.
RUN = "run.json"
# In an entity's landing, beside its dates.
LANDING = ".landing"
LANDING_LOCK = ".lock"
_LOCK = "held"


def hold(folder: Path) -> None:
    """Mark a folder as one process's: unless that process holds it, it is swept."""
    open_private(folder / _LOCK, os.O_CREAT).close()


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder as long as this process works in it."""
    with open_private(folder / _LOCK, os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep(home: Home, say: Say) -> None:
    """Delete what killed processes left behind; the caller holds the writer lock.

    What cannot be deleted now is deleted by a later command.
    """
    for folder in left_behind(home):
        with suppress(OSError), _unheld(_lock_of(folder), os.O_RDWR, fcntl.LOCK_EX):
            say(f"deleted what a killed process left behind: {shown(home, folder)}")
            shutil.rmtree(folder, ignore_errors=True)


def left_behind(home: Home) -> list[Path]:
    """Return the scratch folders that no process holds any more."""
    folders = [
        *(path for path in home.scratch.glob("*") if _is_swept(path)),
        *home.landing.glob(f"*/{LANDING}"),
    ]
    return sorted(folder for folder in folders if not _is_held(_lock_of(folder)))


def being_built(home: Home) -> list[str]:
    """Return the runs being built, by their ids, that were not left behind."""
    gone = {*left_behind(home)}
    return sorted(
        path.parent.name
        for path in home.scratch.glob(f"*/{RUN}")
        if path.parent not in gone
    )


def shown(home: Home, folder: Path) -> str:
    """Return a folder's path below the home."""
    return folder.relative_to(home.root).as_posix()


def _is_swept(folder: Path) -> bool:
    """Say whether a folder is of no use to anyone but the process that made it."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    return (folder / _LOCK).exists() or not (folder / RUN).exists()


def _lock_of(folder: Path) -> Path:
    in_landing = folder.name == LANDING
    return folder.with_name(LANDING_LOCK) if in_landing else folder / _LOCK


def _is_held(lock: Path) -> bool:
    try:
        with _unheld(lock, os.O_RDONLY, fcntl.LOCK_SH):
            return False
    except BlockingIOError:
        return True
    except OSError:
        # Not even its owner may look: whoever sweeps will be told.
        return False


@contextmanager
def _unheld(lock: Path, flags: int, kind: int) -> Iterator[None]:
    """Hold a lock that nobody holds, if there is one.

    Raises:
        BlockingIOError: somebody does.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(lock, flags)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
