"""What a paper is, before it is a workbook or pages: head, tables, lists, signatures.

A kind of paper says what stands on it once; `sheets` makes the workbook of it, `pages`
the PDF. The rows of its lists stay in DuckDB, in working tables with a `place` from 0
on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import duckdb

from komek.publishing.cells import has_commands
from komek.publishing.workbook import Cell, Kind, Table

__all__ = [
    "Attachment",
    "Cell",
    "Column",
    "Kind",
    "Paper",
    "Section",
    "Signature",
    "Table",
]


# The SQL of a column that people fill in by hand.
BLANK = "''"
# So many letters without a place to break are a long run of them.
RUN = 24
# A row whose texts are longer than that may have one that a cell does not hold.
_LONG = 240


@dataclass(frozen=True)
class Column:
    """A column of a list.

    Attributes:
        heading: as people read it.
        width: in characters; on a page it shares the width with the others.
        sql: its value, of the section's table; `BLANK` where people write.
        kind: what its cells are.
        is_free: whether somebody wrote it: then nothing in it is obeyed, and no cell is
            longer than it may be.
        on: where it stands; what the head of a page says already is for sheets alone.
    """

    heading: str
    width: int
    sql: str
    kind: Kind = Kind.TEXT
    is_free: bool = False
    on: Literal["both", "sheet", "page"] = "both"


@dataclass(frozen=True)
class Section:
    """A list of a paper: the rows of a working table from the place `first` on.

    Attributes:
        title: as people read it.
        columns: what stands in it.
        table: the working table; it has `place` from 0 on, without gaps.
        first: the place of the first row.
        rows: how many follow on one another.
        totals: what the rows add up to, labelled.
        breaks: whether it begins a page.
        notes: lines between the title and the rows.
        is_signed: whether it is signed by itself; if one is, the whole paper is not.
    """

    title: str
    columns: Sequence[Column]
    table: str
    first: int
    rows: int
    totals: Sequence[tuple[str, Cell]] = ()
    breaks: bool = False
    notes: Sequence[str] = ()
    is_signed: bool = False

    def part(self, first: int, rows: int, continued: str = "{title}") -> "Section":
        """Return the section of so many of its rows, from a place on.

        Args:
            first: the place.
            rows: how many.
            continued: the title of a part that is not the first, of `{title}`.
        """
        is_first = first == self.first
        return Section(
            self.title if is_first else continued.replace("{title}", self.title),
            self.columns,
            self.table,
            first,
            rows,
            self.totals if first + rows == self.first + self.rows else (),
            self.breaks,
            self.notes,
            self.is_signed and first + rows == self.first + self.rows,
        )

    def is_odd(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Say whether what somebody wrote in it is not shown as it is.

        Few lists have such a text, and one look at each row is cheaper than a few at
        each cell.
        """
        free = [f"({column.sql})::varchar" for column in self.columns if column.is_free]
        if not free:
            return False
        line = f"concat_ws(' ', {', '.join(free)})"
        (found,) = connection.execute(
            f"select bool_or({has_commands('line')} or length(line) > {_LONG}"
            f" or regexp_matches(line, '\\S{{{RUN}}}'))"
            f" from (select {line} as line from {self.table}"
            f" where place >= {self.first} and place < {self.first + self.rows})"
        ).fetchone() or (False,)
        return bool(found)

    def cells(self, columns: Sequence[Column]) -> str:
        """Return SQL for the values of the rows, `place` and `cell_0`, `cell_1`, ...

        Each value is computed once, however often what is made of it names it.
        """
        values = ", ".join(
            f"({column.sql}) as cell_{number}" for number, column in enumerate(columns)
        )
        return (
            f"select place, {values} from {self.table}"
            f" where place >= {self.first} and place < {self.first + self.rows}"
        )


@dataclass(frozen=True)
class Signature:
    """A line to sign on, and whose it is."""

    role: str


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        stem: the beginning of its files' names; nothing of a person.
        folder: the folder of the papers of its region, or of the country.
        lang: its language, `ru` or `kk`.
        title: its title.
        facts: labelled: what it is about, what it rests on, where it comes from.
        tables: small tables before the lists.
        sections: its lists.
        signatures: who signs, in order.
        approval: whose approval it needs, '' where nobody's.
        created: the day it speaks of.
        code: what leads back to its publication.
        run_id: the run it was made from.
        landscape: whether its pages lie on their side.
        notes: lines below its head.
    """

    stem: str
    folder: str
    lang: str
    title: str
    facts: Sequence[tuple[str, Cell]]
    created: date
    code: str
    run_id: str
    tables: Sequence[Table] = ()
    sections: Sequence[Section] = ()
    signatures: Sequence[Signature] = ()
    approval: str = ""
    landscape: bool = True
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Attachment:
    """A file for another program, beside a paper."""

    name: str
    folder: str
    content: bytes
