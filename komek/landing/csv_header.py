"""How a CSV begins: its columns, what parts them, and whether lines end in that too."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from komek.landing.received import Refused, check_names
from komek.landing.received_text import ReceivedText

DELIMITERS = (",", ";", "\t")
MAX_HEADER_BYTES = 1 << 20
# The column behind the last delimiter of lines that end in one.
TRAILING = "__trailing__"
# How many rows tell whether they do.
_TRAILING_ROWS = 100
# What Excel takes a delimiter from, in a line before the header.
_TOLD = re.compile(rb'"?sep=([!#-/:-@\[-`{-~\t])"?(\r\n|\r|\n)', re.IGNORECASE)
_MAX_TOLD_BYTES = 16


@dataclass(frozen=True)
class Header:
    """How a CSV begins.

    Attributes:
        names: the columns.
        delimiter: what parts them.
        has_trailing: whether lines end in one delimiter more.
    """

    names: list[str]
    delimiter: str
    has_trailing: bool

    @property
    def parsed_names(self) -> list[str]:
        """The columns a parser sees: behind a trailing delimiter is one more."""
        return [*self.names, TRAILING] if self.has_trailing else self.names

    @property
    def line(self) -> str:
        """The header as it is for that parser."""
        doubled = (name.replace('"', '""') for name in self.parsed_names)
        return self.delimiter.join(f'"{name}"' for name in doubled) + "\n"


def read_header(text: ReceivedText, declared: Sequence[str]) -> Header:
    """Return how the text begins, and leave it to begin with its header."""
    # A line in which a spreadsheet is told the delimiter is none of the table's.
    told = _TOLD.match(text.peek(_MAX_TOLD_BYTES))
    if told:
        text.begin_with(b"", instead_of=told.end())
    start = text.peek(MAX_HEADER_BYTES)
    if not start.strip(b"\r\n"):
        raise Refused("is empty: not even a header")
    # The cut may run through a character; all else is known to be UTF-8.
    lines = start.decode(errors="ignore")
    known = set(declared)
    marks = dict.fromkeys([*DELIMITERS, *([told[1].decode()] if told else [])])
    splits = [(_first_row(lines, mark, text.ended), mark) for mark in marks]
    (names, end), delimiter = max(
        splits, key=lambda split: (len(known & {*split[0][0]}), len(split[0][0]))
    )
    if not known.intersection(names) and not all(row for (row, _), _ in splits):
        raise Refused("has a header without end, or a quote in it is never closed")
    header = _trailed(names, delimiter, lines[end:], text.ended)
    check_names(header.parsed_names)
    if header.parsed_names != names:
        text.begin_with(header.line.encode(), instead_of=len(lines[:end].encode()))
    return header


def _first_row(lines: str, delimiter: str, whole: bool) -> tuple[list[str], int]:
    """Return the columns of the first row, and where it ends; none if that is not seen.

    `whole`: nothing follows the lines.
    """
    start = io.StringIO(lines, newline="")
    try:
        row = next(row for row in csv.reader(start, delimiter=delimiter) if row)
    except (csv.Error, StopIteration):
        return [], 0
    seen = whole or start.tell() < len(lines)
    return (row, start.tell()) if seen else ([], 0)


def _trailed(names: list[str], delimiter: str, lines: str, whole: bool) -> Header:
    """Say whether the rows end in a delimiter that parts nothing from nothing.

    They do if more of the first ones split into the header's columns and nothing more
    than into these alone. The header may end in one or not, whatever the rows do.
    """
    bare = names[:-1] if len(names) > 1 and not names[-1] else names
    alone = trailing = 0
    for _ in range(_TRAILING_ROWS):
        row, end = _first_row(lines, delimiter, whole)
        if not row:
            break
        alone += len(row) == len(bare)
        trailing += len(row) == len(bare) + 1 and not row[-1]
        if bare != names and len(row) == len(names) and row[-1]:
            return Header(names, delimiter, has_trailing=False)
        lines = lines[end:]
    return Header(bare, delimiter, has_trailing=trailing > alone)
