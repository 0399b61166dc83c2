"""The ways a command may end other than well, and the exit status of each."""

import json
import re
import unicodedata

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
    said = " ".join(message.split("LINE ", maxsplit=1)[0].split())
    for kind in _KIND.finditer(said):
        if kind[0] not in _ABOUT_NO_ROW:
            return f"{said[: kind.end()]} (the rest may quote a row)"
    return said
