"""The ways a command may end other than well, and the exit status of each."""

import errno
import json
import os
import re
import unicodedata
from collections.abc import Sequence

# Why a file or folder of ours cannot be written, whoever says so.
CANNOT_WRITE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
)
_REASON = "|".join(re.escape(os.strerror(code)) for code in CANNOT_WRITE)
# DuckDB's words for it, whichever kind of error it makes of them.
_UNWRITTEN = re.compile(
    r"(?:[A-Z]\w* )+Error: (?:Failed to [a-z ]+: )?"
    rf'[A-Z][a-z ]+ (?:file|directory) "([^"]+)": ({_REASON})'
)
_NO_ROOM = re.compile(r"Memory Error: failed to offload data block")
_NO_MEMORY = re.compile(r"Out of Memory Error: .*?(?: \(([^()]* used)\)|$)")
_KIND = re.compile(r"\b([A-Z]\w* )+Error\b")
# Unicode's control, format and surrogate characters, line and paragraph separators.
_COMMANDS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# What dbt, and DuckDB of a query, begin with. DuckDB's others may quote a row.
_ABOUT_NO_ROW = {
    "Binder Error",
    "Catalog Error",
    "Compilation Error",
    "Database Error",
    "IO Error",
    "Parser Error",
    "Parsing Error",
    "Runtime Error",
}


class KomekError(Exception):
    """Anything that ends a command with one line for people instead of a traceback."""

    exit_code = 1


class UnwritableError(KomekError):
    """What komek writes cannot be written: a full disk, a read-only home."""


class UsageError(KomekError):
    """Wrong usage or configuration: the caller mends the call."""

    exit_code = 2


class StoppedError(KomekError):
    """Stopped by a check: nothing was published, what was published still stands.

    The message names the entity or table, the expectation and how many rows.
    """

    exit_code = 3


def printable(text: str, keep: str = "\n") -> str:
    """Return a text that a terminal shows and does not obey.

    Control and formatting characters (escape sequences, a reversed direction of
    writing) and what cannot be encoded become JSON's escapes; those in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        json.dumps(character)[1:-1]
        if character not in keep and unicodedata.category(character) in _COMMANDS
        else character
        for character in text
    )


def harmless(message: str) -> str:
    """Return a message of DuckDB or dbt in one line, without what may quote a row.

    What a conversion, a constraint or anything unknown is about is cut off; so is the
    query itself.
    """
    if reason := unwritten(message):
        return reason
    if exhausted := _NO_MEMORY.search(message):
        used = f" ({exhausted[1]})" if exhausted[1] else ""
        return f"out of memory{used}: set KOMEK_MEMORY_LIMIT higher"
    said = " ".join(message.split("LINE ", maxsplit=1)[0].split())
    for kind in _KIND.finditer(said):
        if kind[0] not in _ABOUT_NO_ROW:
            return f"{said[: kind.end()]} (the rest may quote a row)"
    return said


def unwritten(message: str) -> str | None:
    """Return which file DuckDB could not write and why; None if it says anything else.

    It says so by a commit or a checkpoint that failed, too: kinds of error that may
    quote a row where the cause is another.
    """
    said = " ".join(message.split())
    for kind in _KIND.finditer(said):
        if found := _UNWRITTEN.match(said, kind.start()):
            return f"cannot write {found[1]}: {found[2]}"
        if _NO_ROOM.match(said, kind.start()):
            return "no room on the disk for what does not fit in memory"
        if kind[0] not in _ABOUT_NO_ROW:
            return None
    return None


def listed(items: Sequence[str], between: str = ", ", most: int = 10) -> str:
    """Return items as a list in a message: the first ones, and how many more."""
    shown = between.join(items[:most])
    more = len(items) - most
    return f"{shown}{between}and {more} more" if more > 0 else shown
