"""How a CSV begins: its columns, what parts them, and whether lines end in that too."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from komek.landing.dialect import AS_REGISTERED, QUOTE, Dialect
from komek.landing.received import Refused, check_names
from komek.landing.received_text import ReceivedText

DELIMITERS = (",", ";", "\t")
MAX_HEADER_BYTES = 1 << 20
# The column behind the last delimiter of lines that end in one.
TRAILING = "__trailing__"
# How many rows tell whether they do.
_TRAILING_ROWS = 100
_LINE_END = re.compile(rb"\r\n|\r|\n")
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
        quote: what is around fields, None where nothing is.
    """

    names: list[str]
    delimiter: str
    has_trailing: bool
    quote: str | None = QUOTE

    @property
    def parsed_names(self) -> list[str]:
        """The columns a parser sees: behind a trailing delimiter is one more."""
        return [*self.names, TRAILING] if self.has_trailing else self.names

    @property
    def line(self) -> str:
        """The header as it is for that parser."""
        quote = self.quote or ""
        doubled = (name.replace(quote, quote * 2) for name in self.parsed_names)
        written = (f"{quote}{name}{quote}" for name in doubled) if quote else doubled
        return self.delimiter.join(written) + "\n"

    @property
    def csv_options(self) -> dict[str, Any]:
        """How the lines split, in the words of Python's `csv`."""
        return _csv_options(self.delimiter, self.quote)


def _csv_options(delimiter: str, quote: str | None) -> dict[str, Any]:
    if quote is None:
        return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
    return {"delimiter": delimiter, "quotechar": quote}


def read_header(
    text: ReceivedText, declared: Sequence[str], dialect: Dialect = AS_REGISTERED
) -> Header:
    """Return how the text begins, under our names, and leave it to begin so."""
    # A line in which a spreadsheet is told the delimiter is none of the table's.
    told = _TOLD.match(text.peek(_MAX_TOLD_BYTES))
    if told:
        text.begin_with(b"", instead_of=told.end())
    _skip_lines(text, dialect.header_row - 1)
    start = text.peek(MAX_HEADER_BYTES)
    if not start.strip(b"\r\n"):
        raise Refused("is empty: not even a header")
    # The cut may run through a character; all else is known to be UTF-8.
    lines = start.decode(errors="ignore")
    known = {*declared, *dialect.columns}
    marks = [*DELIMITERS, *([told[1].decode()] if told else [])]
    marks = [dialect.delimiter] if dialect.delimiter else [*dict.fromkeys(marks)]
    options = {mark: _csv_options(mark, dialect.quote) for mark in marks}
    splits = [(_first_row(lines, options[mark], text.ended), mark) for mark in marks]
    (names, end), delimiter = max(
        splits, key=lambda split: (len(known & {*split[0][0]}), len(split[0][0]))
    )
    if not known.intersection(names) and not all(row for (row, _), _ in splits):
        raise Refused("has a header without end, or a quote in it is never closed")
    has_trailing, bare = _trailed(names, options[delimiter], lines[end:], text.ended)
    header = Header(
        [dialect.renamed(name) for name in bare],
        delimiter,
        has_trailing,
        dialect.quote,
    )
    check_names(header.parsed_names)
    if header.parsed_names != names:
        text.begin_with(header.line.encode(), instead_of=len(lines[:end].encode()))
    return header


def _skip_lines(text: ReceivedText, lines: int) -> None:
    """Leave the text to begin behind its first lines."""
    start = text.peek(MAX_HEADER_BYTES) if lines else b""
    ends = [end.end() for end in _LINE_END.finditer(start)][:lines]
    if len(ends) < lines:
        raise Refused(f"is empty: it has no line {lines + 1} for a header")
    if ends:
        text.begin_with(b"", instead_of=ends[-1])


def _first_row(
    lines: str, options: dict[str, Any], whole: bool
) -> tuple[list[str], int]:
    """Return the columns of the first row, and where it ends; none if that is not seen.

    `whole`: nothing follows the lines.
    """
    start = io.StringIO(lines, newline="")
    try:
        row = next(row for row in csv.reader(start, **options) if row)
    except (csv.Error, StopIteration):
        return [], 0
    seen = whole or start.tell() < len(lines)
    return (row, start.tell()) if seen else ([], 0)


def _trailed(
    names: list[str], options: dict[str, Any], lines: str, whole: bool
) -> tuple[bool, list[str]]:
    """Say whether the rows end in a delimiter that parts nothing from nothing.

    They do if more of the first ones split into the header's columns and nothing more
    than into these alone. The header may end in one or not, whatever the rows do.

    Returns:
        Whether they do, and the columns without what is behind a last delimiter.
    """
    bare = names[:-1] if len(names) > 1 and not names[-1] else names
    alone = trailing = 0
    for _ in range(_TRAILING_ROWS):
        row, end = _first_row(lines, options, whole)
        if not row:
            break
        alone += len(row) == len(bare)
        trailing += len(row) == len(bare) + 1 and not row[-1]
        if bare != names and len(row) == len(names) and row[-1]:
            return False, names
        lines = lines[end:]
    return trailing > alone, bare
