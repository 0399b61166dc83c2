"""A region's list as a file: filtered as the page is, as CSV and as a workbook."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from komek.base.database import text_literal
from komek.portal.files import Reader
from komek.portal.language import Language
from komek.portal.list_pages import ORDER, Asked, Filters, Sort
from komek.portal.region_pages import Kato, month_of, place_of
from komek.portal.site import site_of
from komek.portal.web import Viewing, language_of
from komek.publishing.cells import shown, without_formula
from komek.publishing.workbook import (
    MAX_ROWS,
    Kind,
    Sheet,
    SheetColumn,
    Styles,
    Summary,
    row_sql,
    write_workbook,
)

router = APIRouter(prefix="/regions/{kato}", include_in_schema=False)
_BATCH = 10_000
_LONGEST = 1_024
# What somebody wrote, or a registry's own: shown, never obeyed.
_FREE = (
    "last_name",
    "first_name",
    "middle_name",
    "address",
    "settlement_ru",
    "settlement_kk",
    "contract_id",
    "iban",
    "district_name",
)
# What writes a file: of which rows, by condition and values, and where.
_Write = Callable[[Reader, str, list[object], Path], None]


def _columns(lang: Language) -> list[tuple[SheetColumn, str]]:
    """Return the columns of a file: as a workbook has them, and their SQL as text."""

    def said(kind: str, column: str, codes: list[str]) -> str:
        cases = " ".join(
            f"when {text_literal(code)} then {text_literal(lang.word(kind, code))}"
            for code in codes
        )
        return f"case {column} {cases} else {column} end" if cases else column

    grounds = [f"p25_{number}" for number in range(1, 6)]
    statuses = ["delivered", "failed", "returned", "outstanding"]
    allocations = ["allocated", "unallocated", "account", "no_account", "withdrawn"]
    settlement = "settlement_kk" if lang.code == "kk" else "settlement_ru"
    text = Kind.TEXT
    found = [
        ("list_month", 12, "list_month", Kind.DATE),
        ("list_no", 8, "list_no", Kind.COUNT),
        ("listed_on", 12, "listed_on", Kind.DATE),
        ("iin", 14, "iin", text),
        ("last_name", 18, "last_name", text),
        ("first_name", 16, "first_name", text),
        ("middle_name", 18, "middle_name", text),
        ("district_kato", 28, "district_name", text),
        ("kato", 24, settlement, text),
        ("address", 32, "address", text),
        ("primary_ground", 34, said("code", "primary_ground", grounds), text),
        ("standing", 20, said("code", "standing", ["entitled", "ended", "held"]), text),
        ("ended_on", 12, "ended_on", Kind.DATE),
        ("ended_reason", 28, "ended_reason", text),
        ("mode", 14, said("code", "mode", ["in_kind", "cash"]), text),
        ("allocation", 26, said("outcome", "allocation", allocations), text),
        ("contract_id", 18, "contract_id", text),
        ("iban", 24, "iban", text),
        ("delivery_status", 18, said("code", "delivery_status", statuses), text),
        ("amount", 14, "amount", Kind.AMOUNT),
    ]
    columns = []
    for code, width, sql, kind in found:
        plain = f"({sql})::varchar"
        if sql in _FREE:
            plain = without_formula(sql)
        columns.append((SheetColumn(lang.word("field", code), width, sql, kind), plain))
    return columns


def _chosen(reader: Reader, where: str, values: list[object], sort: str) -> int:
    """Note in `chosen` which rows a file has, by their order; return how many."""
    reader.connection.execute(
        "create or replace temp table chosen as"
        f" select row_number() over (order by {ORDER[sort]}) as n, rowid as row"
        f" from recipients where {where}",
        values,
    )
    (rows,) = reader.connection.execute("select count(*) from chosen").fetchone() or (
        0,
    )
    return int(rows)


def _texts(reader: Reader, selected: str, rows: int, lang: Language) -> Iterator[str]:
    """Yield the text of each chosen row, in order.

    A batch at a time: all rows of a large region, sorted with all that stands in them,
    are more than a role's file may take of memory.
    """
    # No text of a role's file is too long for a cell; of these, any may be.
    free = ", ".join(
        f"{shown(f'left({name}, {_LONGEST})')} as {name}" for name in _FREE[:-1]
    )
    name = "name_kk" if lang.code == "kk" else "name_ru"
    for first in range(1, rows + 1, _BATCH):
        found = reader.connection.execute(
            f"select {selected} from (select recipients.* replace ({free}),"
            f" {shown(f'districts.{name}')} as district_name, chosen.n"
            " from recipients inner join chosen on recipients.rowid = chosen.row"
            " left join places as districts"
            " on recipients.district_kato = districts.kato"
            " where chosen.n between ? and ?) order by n",
            [first, min(first + _BATCH - 1, rows)],
        ).fetchall()
        yield from (text for (text,) in found)


@router.get("/list.csv")
def as_csv(
    request: Request, kato: Kato, visitor: Viewing, filters: Asked, sort: Sort = "place"
) -> Response:
    """Return the filtered list as CSV: UTF-8 with a mark, as Excel takes it."""
    lang = language_of(request)
    columns = _columns(lang)
    quoted = ", ".join(
        f"coalesce('\"' || replace({plain}, '\"', '\"\"') || '\"', '')"
        for _, plain in columns
    )
    head = ",".join(f'"{column.heading}"' for column, _ in columns)

    def write(reader: Reader, where: str, values: list[object], path: Path) -> None:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            file.write(head + "\r\n")
            rows = _chosen(reader, where, values, sort)
            lines = _texts(reader, f"concat_ws(',', {quoted})", rows, lang)
            file.writelines(f"{line}\r\n" for line in lines)

    return _download(request, visitor, kato, filters, "csv", write)


@router.get("/list.xlsx")
def as_workbook(
    request: Request, kato: Kato, visitor: Viewing, filters: Asked, sort: Sort = "place"
) -> Response:
    """Return the filtered list as a workbook."""
    lang = language_of(request)
    columns = [column for column, _ in _columns(lang)]

    def write(reader: Reader, where: str, values: list[object], path: Path) -> None:
        rows = min(_chosen(reader, where, values, sort), MAX_ROWS)
        run = reader.publication.run

        def rendered(styles: Styles) -> Iterator[bytes]:
            xml = row_sql(columns, "(n + 1)::varchar", styles)
            return (text.encode() for text in _texts(reader, xml, rows, lang))

        place = place_of(reader, kato)
        facts = (
            (lang.text("Region"), lang.name(place)),
            (lang.text("Month"), lang.month(filters.month or month_of(reader))),
            (lang.text("As of"), run.as_of),
            (lang.text("Run"), run.run_id),
            (lang.text("Rows"), rows),
        )
        summary = Summary(lang.text("Summary")[:31], facts, ())
        sheet = Sheet(lang.text("List")[:31], columns, rows, rendered)
        write_workbook(path, summary, [sheet], run.as_of)

    return _download(request, visitor, kato, filters, "xlsx", write)


_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _download(
    request: Request,
    visitor: Viewing,
    kato: str,
    filters: Filters,
    suffix: str,
    write: _Write,
) -> Response:
    """Write a file for one answer; who is in it goes into the log first."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        month = month_of(reader)
        where, values = filters.where(month)
        people = reader.connection.execute(
            f"select distinct iin from recipients where {where}", values
        ).fetchall()
        asked = " ".join(f"{name}={value}" for name, value in filters.given.items())
        site.shows(
            request,
            visitor,
            f"download {suffix}",
            f"{kato} {asked}".strip(),
            [iin for (iin,) in people],
        )
        folder = TemporaryDirectory(prefix="komek-portal-")
        path = Path(folder.name) / f"list.{suffix}"
        write(reader, where, values, path)
    name = f"list-{kato}-{filters.month or month}.{suffix}"
    return FileResponse(
        path,
        media_type=_TYPES[suffix],
        filename=name,
        background=BackgroundTask(folder.cleanup),
    )
