"""What DuckDB and dbt say of a failure, as far as anybody may read it.

Of an error that was caught the class tells what it is about. dbt and Great Expectations
hand on DuckDB's message alone; there the kind of error stands before it.
"""

import errno
import os
import re

import duckdb

from komek.base.settings import MEMORY_LIMIT

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
_NO_MEMORY = re.compile(r"Out of Memory Error: [^()]*(?:\(([^()]* used)\))?")
_KIND = re.compile(r"\b([A-Z]\w* )+Error\b")
# DuckDB of a query, not of data.
_ABOUT_A_QUERY = {"Binder Error", "Catalog Error", "Parser Error"}
# What dbt, and DuckDB of a query or file, begin with. DuckDB's others may quote a row.
_ABOUT_NO_ROW = _ABOUT_A_QUERY | {
    "Compilation Error",
    "Database Error",
    "IO Error",
    "Parsing Error",
    "Runtime Error",
}
_CLASSES_ABOUT_NO_ROW = (
    OSError,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.IOException,
    duckdb.ParserException,
)
# What DuckDB makes of the message of fail() in macros/dialect.sql.
_OF_A_MODEL = "Invalid Input Error: komek: "


def harmless(error: duckdb.Error | OSError) -> str:
    """Return an error in one line, without what may quote a row.

    What a conversion, a constraint or anything unknown is about is cut off; so is the
    query itself.
    """
    message = str(error)
    if reason := unwritten(message) or out_of_memory(message):
        return reason
    said = _in_one_line(message)
    if isinstance(error, _CLASSES_ABOUT_NO_ROW):
        return said
    kind = _KIND.match(said)
    return _cut_after(kind[0] if kind else type(error).__name__)


def harmless_message(message: str) -> str:
    """Return a message of dbt in one line, as `harmless` does an error."""
    if reason := unwritten(message) or out_of_memory(message):
        return reason
    said = _in_one_line(message)
    for kind in _KIND.finditer(said):
        if kind[0] not in _ABOUT_NO_ROW:
            return _cut_after(said[: kind.end()])
    return said


def about_a_query(message: str) -> str | None:
    """Return the first line of what DuckDB says of a query, from a message around it.

    None where the message is about anything else: that may quote a row.
    """
    kind = _KIND.search(message)
    if kind is None or kind[0] not in _ABOUT_A_QUERY:
        return None
    return message[kind.start() :].splitlines()[0]


def of_a_model(message: str) -> str | None:
    """Return with what words of its own a model ended the run; None if it did not.

    The words are those of `fail()`, in a message of dbt.
    """
    for kind in _KIND.finditer(message):
        if message.startswith(_OF_A_MODEL, kind.start()):
            return message[kind.start() + len(_OF_A_MODEL) :].splitlines()[0]
        if kind[0] not in _ABOUT_NO_ROW:
            return None
    return None


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


def out_of_memory(message: str) -> str | None:
    """Return which setting gives more memory; None if DuckDB says anything else."""
    said = " ".join(message.split())
    for kind in _KIND.finditer(said):
        begin = max(0, kind.start() - len("Out of "))
        if found := _NO_MEMORY.match(said, begin):
            used = f" ({found[1]})" if found[1] else ""
            return f"out of memory{used}: set {MEMORY_LIMIT} higher"
        if kind[0] not in _ABOUT_NO_ROW:
            return None
    return None


def _in_one_line(message: str) -> str:
    """Return a message in one line, without the query that DuckDB shows at its end."""
    return " ".join(message.split("LINE ", maxsplit=1)[0].split())


def _cut_after(said: str) -> str:
    return f"{said} (the rest may quote a row)"
