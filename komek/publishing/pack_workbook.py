"""The workbook of a pack: for people, in Russian and Kazakh words.

A summary, what has changed since the previous list, what was found of the contracts,
and a sheet per district, whose staff open their own.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow
import pyarrow.compute

from komek.publishing.cells import cut, shown
from komek.publishing.listed_rows import replaced
from komek.publishing.pack_files import (
    FREE,
    IDS,
    District,
    Origin,
    Pack,
    Place,
    shown_texts,
)
from komek.publishing.pack_rows import batches, between
from komek.publishing.words import all_said, said, texts, words
from komek.publishing.workbook import (
    MAX_ROWS,
    Cell,
    Kind,
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
_RESERVED = "History"
_NAME_LENGTH = 31
_NOT_IN_NAMES = r"[\[\]:*?/\\'\x00-\x1f\x7f]"
# The ground of the set first, then the others met.
_GROUNDS = (
    "[primary_ground] || list_filter(string_split(grounds, '|'),"
    " lambda ground: ground <> primary_ground)"
)


def _column(
    name: str, width: int, sql: str | None = None, kind: Kind = Kind.TEXT
) -> SheetColumn:
    return SheetColumn(words(f"heading.{name}"), width, sql or name, kind)


_LISTED = (
    _column("list_no", 7, kind=Kind.COUNT),
    _column("listed_on", 11, kind=Kind.DATE),
    _column("iin", 13),
    _column("last_name", 15),
    _column("first_name", 12),
    _column("middle_name", 14),
    _column("settlement", 20, "settlement_name"),
    _column("address", 24),
    _column("ground", 24, all_said("ground", _GROUNDS)),
    _column("mode", 10, said("mode", "mode")),
    _column("amount", 11, kind=Kind.AMOUNT),
    _column("allocation", 12, said("allocation", "allocation")),
    _column("contract_id", 12),
    _column("iban", 22),
    _column("account_iin", 13),
    _column("delivery_status", 12, said("delivery_status", "delivery_status")),
    _column("standing", 12, said("standing", "standing")),
    _column("ended_on", 11, kind=Kind.DATE),
    _column("ended_reason", 18, said("reason", "ended_reason")),
    _column("moved_to", 18, "moved_to_name"),
)
_CHANGED = (
    _column("change", 20, said("change", "change")),
    _column("list_no", 7, kind=Kind.COUNT),
    _column("iin", 13),
    *(
        _column(name, width, shown(name))
        for name, width in (("last_name", 18), ("first_name", 14), ("middle_name", 16))
    ),
    _column(
        "cause",
        40,
        f"""
        case change
            when 'added' then {all_said("ground", "string_split(cause, '|')")}
            when 'ended' then {said("reason", "cause")}
            when 'moved' then moved_to_name
        end
        """,
    ),
    _column("columns", 40, all_said("heading", "string_split(columns, '|')")),
)
_CONTRACTS = (
    _column("contract_id", 24, cut(shown("contract_id"))),
    _column("finding", 60, said("finding", "finding")),
    _column("paragraph", 14, "substring(paragraph, 2)"),
)


def write_xlsx(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path, origin: Origin
) -> None:
    """Write the workbook; what has changed was found before, as `pack_changes`."""
    sheets = [
        *_changes(connection),
        *_contracts(connection, pack),
        *(
            _part(connection, pack, district, name, first)
            for district, name in zip(pack.districts, _tabs(pack), strict=True)
            for first in range(0, district.rows, MAX_ROWS)
        ),
    ]
    summary = Summary(_titled("summary"), _facts(pack, origin), _tables(pack))
    write_workbook(path, summary, sheets, created=origin.as_of)


def _facts(pack: Pack, origin: Origin) -> list[tuple[str, Cell]]:
    facts: dict[str, Cell] = {
        "region": _said_place(pack.region),
        "list_month": f"{origin.list_month:%m.%Y}",
        "as_of": origin.as_of,
        "run_id": origin.run_id,
        "official": words("fact.yes" if origin.official else "fact.no"),
        "rows": pack.rows,
        "recipients": pack.recipients,
        "amount_total": pack.amount_total,
        "contract_findings": pack.contract_findings,
    }
    if pack.cut_cells:
        facts["cut_cells"] = pack.cut_cells
    return [(words(f"fact.{name}"), value) for name, value in facts.items()]


def _tables(pack: Pack) -> list[Table]:
    """Return the tables of the summary; each has the columns of its rows."""
    return [
        _table(
            "districts",
            ("district", "sets", "amount"),
            [
                (_said_place(district.place), district.rows, district.amount_total)
                for district in pack.districts
            ],
        ),
        _table(
            "lists",
            (
                "list_no",
                "listed_on",
                "listed",
                "ended",
                "delivered",
                "failed",
                "returned",
                "outstanding",
            ),
            [
                (
                    one.list_no,
                    one.listed_on,
                    one.listed,
                    one.ended,
                    one.delivered,
                    one.failed,
                    one.returned,
                    one.outstanding,
                )
                for one in pack.lists
            ],
        ),
        _table(
            "settlement",
            (
                "list_month",
                "listed",
                "ended",
                "sets",
                "delivered",
                "failed",
                "returned",
                "outstanding",
                "withdrawn",
                "amount_delivered",
            ),
            [
                (
                    f"{month.list_month:%m.%Y}",
                    month.listed,
                    month.ended,
                    month.sets,
                    month.delivered,
                    month.failed,
                    month.returned,
                    month.outstanding,
                    month.withdrawn,
                    month.amount_delivered,
                )
                for month in pack.settlements
            ],
        ),
    ]


def _table(title: str, header: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Table:
    headings = [words(f"heading.{name}") for name in header]
    return Table(words(f"table.{title}"), headings, rows)


def _said_place(place: Place) -> str:
    """Return the names of a place and its code, for people."""
    if place.kato is None:
        return words("sheet.no_district")
    names = " / ".join(dict.fromkeys(filter(None, (place.name_ru, place.name_kk))))
    return f"{names} ({place.kato})" if names else place.kato


# Sheets


def _tabs(pack: Pack) -> list[str]:
    """Return a name of their own for the districts' sheets: the districts' names.

    Names that are too long, or not theirs alone, end in the code.
    """
    of_region = f", {pack.region.name_ru}"
    others = ("summary", "changes", "contracts")
    plain = [_tab(district.place, of_region) for district in pack.districts]
    taken = Counter(
        name.casefold() for name in (*plain, *map(_titled, others), _RESERVED)
    )
    return [
        name
        if taken[name.casefold()] == 1 and len(name) <= _NAME_LENGTH
        else f"{name[: _NAME_LENGTH - 10]} {district.place.name}"[:_NAME_LENGTH]
        for name, district in zip(plain, pack.districts, strict=True)
    ]


def _tab(place: Place, of_region: str) -> str:
    if place.kato is None:
        return _titled("no_district")
    return _clean((place.name_ru or "").removesuffix(of_region)) or place.kato


def _titled(sheet: str) -> str:
    """Return the name of a sheet that is not a district's."""
    return " · ".join(texts()[f"sheet.{sheet}"])


def _clean(name: str) -> str:
    return " ".join(re.sub(_NOT_IN_NAMES, " ", name).split())


def _changes(connection: duckdb.DuckDBPyConnection) -> list[Sheet]:
    """Return the sheet of the changes, a header alone where there are none."""
    counted = connection.execute("select count(place) from pack_changes").fetchone()
    (rows,) = counted or (0,)
    return [
        _streamed(connection, "changes", _CHANGED, "pack_changes", first, rows)
        for first in range(0, max(rows, 1), MAX_ROWS)
    ]


def _contracts(connection: duckdb.DuckDBPyConnection, pack: Pack) -> list[Sheet]:
    source = (
        "(select *, row_number() over (order by contract_id, finding) - 1 as place"
        " from run.marts.contract_findings"
        f" where region_kato = '{pack.region_kato}')"
    )
    rows = pack.contract_findings
    return [
        _streamed(connection, "contracts", _CONTRACTS, source, first, rows)
        for first in range(0, rows, MAX_ROWS)
    ]


def _streamed(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: tuple[SheetColumn, ...],
    source: str,
    first: int,
    rows: int,
) -> Sheet:
    """Return the sheet of the rows of a source, placed from 0 on, from `first` on."""
    end = min(first + MAX_ROWS, rows)

    def rows_xml(styles: Styles) -> Iterator[memoryview]:
        select = row_sql(columns, f"(place - {first} + 2)::varchar", styles)
        query = (
            f"select {select} from {source}"
            f" where place >= {first} and place < {end} order by place"
        )
        yield from _joined_batches(connection, query)

    return Sheet(_numbered(_titled(name), first), columns, end - first, rows_xml)


def _part(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    district: District,
    name: str,
    first: int,
) -> Sheet:
    """Return the sheet of a district's rows from its `first` on."""
    count = min(MAX_ROWS, district.rows - first)
    begin, end = district.first + first, district.first + first + count
    shown_as = [*shown_texts(pack), replaced(FREE if pack.longest_row else IDS, cut)]

    def rows_xml(styles: Styles) -> Iterator[memoryview]:
        # Row 1 is the header, and a sheet's rows count from 1.
        select = row_sql(_LISTED, f"(place - {begin} + 2)::varchar", styles)
        if pack.longest_row:
            for table in batches(connection, select, begin, end, *shown_as):
                yield from (_joined(batch.column(0)) for batch in table.to_batches())
            return
        query = f"select {select} {between(begin, end, *shown_as)}"
        yield from _joined_batches(connection, query)

    return Sheet(_numbered(name, first), _LISTED, count, rows_xml)


def _numbered(name: str, first: int) -> str:
    """Return the name of the sheet of the rows from `first` on."""
    if first == 0:
        return name
    number = f" ({first // MAX_ROWS + 1})"
    return f"{name[: _NAME_LENGTH - len(number)]}{number}"


def _joined_batches(
    connection: duckdb.DuckDBPyConnection, query: str
) -> Iterator[memoryview]:
    for batch in connection.execute(query).to_arrow_reader(_ARROW_ROWS):
        yield _joined(batch.column(0))


def _joined(texts: "pyarrow.Array[Any]") -> memoryview:
    """Return all texts of a column as one run of bytes."""
    whole = pyarrow.ListArray.from_arrays(
        pyarrow.array([0, len(texts)], pyarrow.int32()), texts
    )
    joined = cast("pyarrow.StringArray", pyarrow.compute.binary_join(whole, ""))
    return memoryview(joined[0].as_buffer())
