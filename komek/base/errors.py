"""The ways a command may end other than well, and the exit status of each."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# Unicode's control, format and surrogate characters, line and paragraph separators.
_COMMANDS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


class KomekError(Exception):
    """Anything that ends a command with one line for people instead of a traceback.

    `run_id` is the run that was filed all the same, if one was.
    """

    exit_code = 1
    run_id: str | None = None


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


@dataclass(frozen=True)
class Refusal:
    """What was refused at landing.

    Attributes:
        entity: whose it is; None where it is no entity's.
        day: the day it is of; None where the source itself cannot be read.
        text: its name and the reason, without personal data.
    """

    entity: str | None
    day: date | None
    text: str


class RefusedError(StoppedError):
    """Something was refused at landing; what could be landed has been.

    `refusals` says what, `landed` how many snapshots are new all the same.
    """

    def __init__(self, refusals: Sequence[Refusal], landed: int) -> None:
        """Name what was refused."""
        texts = [refusal.text for refusal in refusals]
        super().__init__(f"refused at landing: {listed(texts, '; ')}")
        self.refusals = tuple(refusals)
        self.landed = landed


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


def listed(items: Sequence[str], between: str = ", ", most: int = 10) -> str:
    """Return items as a list in a message: the first ones, and how many more."""
    shown = between.join(items[:most])
    more = len(items) - most
    return f"{shown}{between}and {more} more" if more > 0 else shown
