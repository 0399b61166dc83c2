"""A paper as a workbook, for work: a first sheet with its head, then one per list."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow
import pyarrow.compute

from komek.base.errors import printable
from komek.papers.paper import Cell, Column, Paper, Section
from komek.papers.words import Words
from komek.publishing.cells import cut, shown
from komek.publishing.workbook import (
    MAX_ROWS,
    Sheet,
    SheetColumn,
    Styles,
    Summary,
    Table,
    row_sql,
    write_workbook,
)

_ARROW_ROWS = 10_000
# Excel allows names no longer, and without these; one is its own.
_NAME_LENGTH = 31
_NOT_IN_NAMES = r"[\[\]:*?/\\'\x00-\x1f\x7f]"
_RESERVED = "history"
# What a cell of the first sheet shows of a text.
_MOST = 1_000


def write_sheets(
    connection: duckdb.DuckDBPyConnection, paper: Paper, path: Path
) -> None:
    """Write a paper's workbook; the same paper gives the same bytes.

    Raises:
        OSError, duckdb.Error: it cannot be written.
    """
    words = Words(paper.lang)
    parts = [
        section.part(first, min(MAX_ROWS, section.first + section.rows - first))
        for section in paper.sections
        for first in range(
            section.first,
            max(section.first + section.rows, section.first + 1),
            MAX_ROWS,
        )
    ]
    title = words("sheet.title")
    names = _tab_names([title, *(part.title for part in parts)])
    sheets = [
        _sheet(connection, part, name)
        for part, name in zip(parts, names[1:], strict=True)
    ]
    write_workbook(path, _summary(paper, names[0], words), sheets, paper.created)


def _summary(paper: Paper, name: str, words: Words) -> Summary:
    """Return the first sheet: what the head of the pages says, and who signs."""
    facts: list[tuple[str, Cell]] = [(paper.title, "")]
    facts += [(label, _plain(value)) for label, value in paper.facts]
    facts += [(note, "") for note in paper.notes]
    if paper.approval:
        facts.append((words("label.approve"), paper.approval))
    totals = [
        Table(section.title, (), [[label, value] for label, value in section.totals])
        for section in paper.sections
        if section.totals
    ]
    signed = Table(
        words("label.signatures"),
        (
            words("heading.role"),
            words("heading.name"),
            words("heading.signature"),
            words("heading.date"),
        ),
        [[signature.role, "", "", ""] for signature in paper.signatures],
    )
    tables = [
        *map(_shown_table, paper.tables),
        *totals,
        *([signed] if paper.signatures else []),
    ]
    return Summary(name, facts, tables)


def _shown_table(table: Table) -> Table:
    rows = [[_plain(value) for value in row] for row in table.rows]
    return Table(table.title, table.header, rows)


def _plain(value: Cell) -> Cell:
    """Return a value as a cell may hold it: of a text nothing is obeyed or unseen."""
    return printable(value, keep="")[:_MOST] if isinstance(value, str) else value


def _sheet(connection: duckdb.DuckDBPyConnection, part: Section, name: str) -> Sheet:
    shown_as = [one for one in part.columns if one.on != "page"]
    is_odd = part.is_odd(connection)
    columns = [_column(one, number, is_odd) for number, one in enumerate(shown_as)]

    def rows_xml(styles: Styles) -> Iterator[memoryview]:
        # Row 1 is the header, and a sheet's rows count from 1.
        select = row_sql(columns, f"(place - {part.first} + 2)::varchar", styles)
        query = f"select {select} from ({part.cells(shown_as)}) order by place"
        for batch in connection.execute(query).to_arrow_reader(_ARROW_ROWS):
            yield joined(batch.column(0))

    return Sheet(name, columns, part.rows, rows_xml)


def _column(column: Column, number: int, is_odd: bool) -> SheetColumn:
    sql = f"cell_{number}"
    return SheetColumn(
        column.heading,
        column.width,
        cut(shown(sql)) if column.is_free and is_odd else sql,
        column.kind,
    )


def joined(texts: "pyarrow.Array[Any]", between: str = "") -> memoryview:
    """Return all texts of a column as one run of bytes."""
    whole = pyarrow.ListArray.from_arrays(
        pyarrow.array([0, len(texts)], pyarrow.int32()), texts
    )
    run = cast("pyarrow.StringArray", pyarrow.compute.binary_join(whole, between))
    return memoryview(run[0].as_buffer())


def _tab_names(titles: Sequence[str]) -> list[str]:
    """Return a name of its own for each sheet: its title, short, numbered where not."""
    taken = {_RESERVED}
    names = []
    for title in titles:
        clean = " ".join(re.sub(_NOT_IN_NAMES, " ", title).split()) or "1"
        name, number = clean[:_NAME_LENGTH], 1
        while name.casefold() in taken:
            number += 1
            end = f" ({number})"
            name = f"{clean[: _NAME_LENGTH - len(end)]}{end}"
        taken.add(name.casefold())
        names.append(name)
    return names
