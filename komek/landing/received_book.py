"""One received workbook: a sheet that local bodies keep by hand, as rows of text.

A cell says what it is: a true date is its day, a number is what Excel shows of it. What
a number cannot be is not guessed: an identifier has lost its zeros, a day is not one.
"""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
)

from komek.base.registries import Column, Entity
from komek.landing.dialect import NOT_AS_DECLARED, Dialect, canonical_text
from komek.landing.received import (
    MALFORMED,
    MAX_FIELD_BYTES,
    Refused,
    check_names,
    most_unpacked,
)
from komek.landing.received_csv import write_tables

Cell = int | float | str | bool | time | date | datetime | timedelta
# As many digits as Excel keeps.
_DIGITS = 15
_ROWS_AT_ONCE = 10_000
_NO_BOOK = "is no whole workbook: it cannot be opened"


def write_book(
    received: Path, target: BinaryIO, entity: Entity, dialect: Dialect
) -> tuple[int, int]:
    """Write a sheet of a workbook as Parquet: text columns, in the order of the rows.

    An empty row is no row, as an empty line is none.

    Args:
        received: the received bytes.
        target: where the Parquet goes.
        entity: whose rows they are.
        dialect: which sheet, where its headings stand, how its text is written.

    Returns:
        Received rows, and how many of them are malformed: none.

    Raises:
        Refused: it is no workbook, has no such sheet or heading, or a number stands
            where it has lost its zeros; the message names sheet and cell.
    """
    sheet = _sheet(received, dialect)
    rows = _rows(sheet)
    _, headings = next(
        (row for row in rows if row[0] == dialect.header_row), (0, list[Cell]())
    )
    if not any(map(_is_filled, headings)):
        raise Refused(f"sheet {sheet.name}: row {dialect.header_row} has no headings")
    body = [row for row in rows if any(map(_is_filled, row[1]))]
    names = _names(headings, body, dialect)
    check_names([*names.values()])
    columns = {column.name: column for column in entity.columns}
    reader = _Reader(
        sheet.name,
        {place: columns.get(name.lower()) for place, name in names.items()},
        dialect,
    )
    return write_tables(
        _tables(body, reader, [*names.values()]), [*names.values()], target
    )


class _Reader:
    """Reads the cells of a sheet, each by what its column is declared as."""

    def __init__(
        self, sheet: str, columns: dict[int, Column | None], dialect: Dialect
    ) -> None:
        self._sheet = sheet
        self._columns = columns
        self._dialect = dialect

    def row(self, number: int, cells: Sequence[Cell]) -> list[str | None]:
        """Return the texts of a row."""
        return [
            self._text(cells[place], column, number, place)
            for place, column in self._columns.items()
        ]

    def _text(
        self, cell: Cell, column: Column | None, row: int, place: int
    ) -> str | None:
        if not _is_filled(cell):
            return None
        if isinstance(cell, str):
            if len(cell.encode()) > MAX_FIELD_BYTES:
                raise Refused(f"{self._named(row, place)}: a text is too long")
            return canonical_text(cell, column, self._dialect) if column else cell
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            if column and column.is_identifier:
                raise Refused(
                    f"{self._named(row, place)}: a number in the column of identifiers"
                    f" {column.name}: its leading zeros are lost"
                )
            # 43951 is a day to Excel, and to nobody else.
            is_day = column is not None and column.type == "date"
            return (NOT_AS_DECLARED if is_day else "") + number_text(cell)
        return _other_text(cell)

    def _named(self, row: int, place: int) -> str:
        return f"sheet {self._sheet}, cell {_letters(place)}{row}"


def number_text(number: float) -> str:
    """Return a number as a spreadsheet shows it, without an exponent."""
    return f"{Decimal(f'{number:.{_DIGITS}g}'):f}"


def _other_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        # A midnight is its day, as in Parquet.
        return cell.date().isoformat() if cell.time() == time() else f"{cell}"
    return f"{cell}"


def _sheet(received: Path, dialect: Dialect) -> CalamineSheet:
    _check_size(received)
    try:
        book = CalamineWorkbook.from_path(received)
        name = dialect.sheet
        if name is None and len(book.sheet_names) != 1:
            raise Refused(
                f"has {len(book.sheet_names)} sheets, and its dialect says not which"
            )
        if name is not None and name not in book.sheet_names:
            raise Refused(f"has no sheet {name!r}")
        return book.get_sheet_by_name(name or book.sheet_names[0])
    except (CalamineError, OSError, ValueError):
        raise Refused(_NO_BOOK) from None


def _check_size(received: Path) -> None:
    try:
        with zipfile.ZipFile(received) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError):
        raise Refused(_NO_BOOK) from None
    most = most_unpacked(received)
    if size > most:
        raise Refused(f"unpacks to more than {most:,} bytes")


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows of a sheet with their numbers, from 1; cells begin at column A."""
    before: list[Cell] = [""] * (sheet.start[1] if sheet.start else 0)
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        yield number, [*before, *cells]


def _names(
    headings: Sequence[Cell], body: Sequence[tuple[int, list[Cell]]], dialect: Dialect
) -> dict[int, str]:
    """Return the columns by their places: those with a heading, or with anything."""
    names = {}
    for place, heading in enumerate(headings):
        if _is_filled(heading):
            names[place] = dialect.renamed(f"{heading}")
        elif any(_is_filled(cells[place]) for _, cells in body):
            names[place] = f"column {_letters(place)}"
    return names


def _tables(
    body: Sequence[tuple[int, list[Cell]]], reader: _Reader, names: Sequence[str]
) -> Iterator[pa.Table]:
    schema = pa.schema([(name, pa.string()) for name in (*names, MALFORMED)])
    for first in range(0, len(body), _ROWS_AT_ONCE):
        texts = [reader.row(*row) for row in body[first : first + _ROWS_AT_ONCE]]
        columns = [*zip(*texts, strict=True), [None] * len(texts)]
        yield pa.table(
            [pa.array(column, pa.string()) for column in columns], schema=schema
        )


def _is_filled(cell: Cell) -> bool:
    return cell != ""


def _letters(place: int) -> str:
    """Return the letters of a column, from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
