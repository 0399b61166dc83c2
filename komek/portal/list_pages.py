"""A region's list: filtered, sorted, page by page, and as CSV and workbook."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query
from pydantic import BeforeValidator, Field
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from komek.base.database import text_literal
from komek.portal.files import NotThereError, Reader, Row
from komek.portal.language import Language
from komek.portal.region_pages import Kato, month_of, names_of, place_of
from komek.portal.site import site_of
from komek.portal.web import Sending, Viewing, language_of, page
from komek.publishing.cells import cut, shown, without_formula
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
PER_PAGE = 50
Sort = Literal["place", "name", "amount", "list_no"]
_ORDER: dict[str, str] = {
    "place": "place",
    "name": "last_name nulls last, first_name nulls last, place",
    "amount": "amount desc nulls last, place",
    "list_no": "list_no nulls last, place",
}
_BATCH = 20_000


# A form sends its empty fields, too: they filter nothing.
_Blank = BeforeValidator(lambda value: None if value == "" else value)
_Code = Annotated[
    Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] | None, _Blank, Query()
]
_Number = Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, _Blank, Query()]
_District = Annotated[
    Annotated[str, Field(pattern=r"^([0-9]{9}|none)$")] | None, _Blank, Query()
]
_Text = Annotated[Annotated[str, Field(max_length=80)] | None, _Blank, Query()]
_Day = Annotated[date | None, _Blank, Query()]


@dataclass(frozen=True)
class Filters:
    """What of a list is shown; what is empty filters nothing."""

    no: _Number = None
    district: _District = None
    ground: _Code = None
    mode: _Code = None
    standing: _Code = None
    reason: _Code = None
    allocation: _Code = None
    delivery: _Code = None
    contract: _Text = None
    month: _Day = None

    @property
    def given(self) -> dict[str, object]:
        """What filters, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    def where(self, month: date | None) -> tuple[str, list[object]]:
        """Return the condition, as SQL with marks, and the values that it is about."""
        columns = {
            "no": "list_no",
            "ground": "primary_ground",
            "mode": "mode",
            "standing": "standing",
            "reason": "ended_reason",
            "allocation": "allocation",
            "delivery": "delivery_status",
            "contract": "contract_id",
        }
        asked, values = ["list_month = ?"], [self.month or month]
        for name, column in columns.items():
            if getattr(self, name) is not None:
                asked.append(f"{column} = ?")
                values.append(getattr(self, name))
        if self.district == "none":
            asked.append("district_kato is null")
        elif self.district is not None:
            asked.append("district_kato = ?")
            values.append(self.district)
        return " and ".join(asked), values


Asked = Annotated[Filters, Depends()]


@router.get("/list")
def whole_list(
    request: Request,
    kato: Kato,
    visitor: Viewing,
    filters: Asked,
    sort: Sort = "place",
    page_no: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """Show a page of the list."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        where, values = filters.where(month_of(reader))
        counted = reader.one(
            "select count(*) as sets, count(*) filter (where is_person) as people,"
            f" coalesce(sum(amount), 0) as amount from recipients where {where}",
            values,
        )
        rows = reader.rows(
            f"select *, {_PERSON} from recipients where {where}"
            f" order by {_ORDER[sort]} limit {PER_PAGE} offset ?",
            [*values, (page_no - 1) * PER_PAGE],
        )
        _note(request, visitor, kato, rows, str(sorted(filters.given)))
        return _page(
            request,
            reader,
            kato,
            rows,
            {
                "filters": filters,
                "sort": sort,
                "page_no": page_no,
                "pages": max(1, -(-(counted or {})["sets"] // PER_PAGE)),
                "counted": counted,
                "sought": None,
            },
        )


# What a page of the portal calls a person: their place among the region's people of
# this publication. No address has an IIN in it.
_PERSON = "(select people.rowid from people where people.iin = recipients.iin) as person"


def _note(
    request: Request, visitor: Viewing, kato: str, rows: list[Row], what: str
) -> None:
    site_of(request).shows(
        request, visitor, "list", f"{kato} {what}", [row["iin"] for row in rows]
    )


def _page(
    request: Request, reader: Reader, kato: str, rows: list[Row], values: dict[str, object]
) -> Response:
    month = month_of(reader)
    choices = {
        name: [
            row["code"]
            for row in reader.rows(
                f"select distinct {column} as code from cells where {column} is not null"
                " order by all"
            )
        ]
        for name, column in {
            "no": "list_no",
            "district": "district_kato",
            "ground": "primary_ground",
            "standing": "standing",
            "allocation": "allocation",
            "delivery": "delivery_status",
            "month": "list_month",
        }.items()
    }
    shared = {
        "kato": kato,
        "place": place_of(reader, kato),
        "names": names_of(reader),
        "month": month,
        "choices": choices,
        "rows": rows,
        "number": reader.publication.name.partition("-")[0],
    }
    return page(
        request, "list.html", {**shared, **values}, publication=reader.publication
    )


@router.post("/list")
def by_name(
    request: Request,
    kato: Kato,
    visitor: Sending,
    surname: Annotated[str, Form(min_length=1, max_length=60)],
) -> Response:
    """Show who is listed under a surname, or one that begins so."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        rows = reader.rows(
            f"select *, {_PERSON} from recipients"
            " where starts_with(lower(last_name), lower(?))"
            f" order by {_ORDER['name']} limit 200",
            [surname.strip()],
        )
        people = [row["iin"] for row in rows]
        site.shows(request, visitor, "search by surname", kato, people)
        counted = {
            "sets": len(rows),
            "people": len(set(people)),
            "amount": sum(row["amount"] or 0 for row in rows),
        }
        values = {
            "filters": Filters(),
            "sort": "name",
            "page_no": 1,
            "pages": 1,
            "counted": counted,
            "sought": surname.strip(),
        }
        return _page(request, reader, kato, rows, values)


# The list as a file


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
    name = "name_kk" if lang.code == "kk" else "name_ru"
    settlement = "settlement_kk" if lang.code == "kk" else "settlement_ru"
    text, field = Kind.TEXT, lang.word
    found = [
        ("list_month", 12, "list_month", Kind.DATE),
        ("list_no", 8, "list_no", Kind.COUNT),
        ("listed_on", 12, "listed_on", Kind.DATE),
        ("iin", 14, "iin", text),
        ("last_name", 18, "last_name", text),
        ("first_name", 16, "first_name", text),
        ("middle_name", 18, "middle_name", text),
        ("district_kato", 28, f"districts.{name}", text),
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
        heading = field("field", code)
        safe = cut(shown(f"({sql})")) if kind is text else sql
        plain = without_formula(safe) if kind is text else f"({sql})::varchar"
        columns.append((SheetColumn(heading, width, safe, kind), plain))
    return columns


def _from(where: str, sort: str) -> str:
    return (
        "from (select recipients.*, row_number() over"
        f" (order by {_ORDER[sort]}) as n from recipients where {where}) as recipients"
        " left join places as districts on recipients.district_kato = districts.kato"
    )


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
            reader.connection.execute(
                f"select concat_ws(',', {quoted}) {_from(where, sort)} order by n", values
            )
            while lines := reader.connection.fetchmany(_BATCH):
                file.writelines(f"{line}\r\n" for (line,) in lines)

    return _download(request, visitor, kato, filters, "csv", write)


@router.get("/list.xlsx")
def as_workbook(
    request: Request, kato: Kato, visitor: Viewing, filters: Asked, sort: Sort = "place"
) -> Response:
    """Return the filtered list as a workbook."""
    lang = language_of(request)
    columns = [column for column, _ in _columns(lang)]

    def write(reader: Reader, where: str, values: list[object], path: Path) -> None:
        counted = reader.one(f"select count(*) as n from recipients where {where}", values)
        rows = min((counted or {"n": 0})["n"], MAX_ROWS)
        run = reader.publication.run

        def rendered(styles: Styles) -> Iterator[bytes]:
            xml = row_sql(columns, "(n + 1)::varchar", styles)
            reader.connection.execute(
                f"select {xml} {_from(where, sort)} order by n limit {rows}",
                values,
            )
            while parts := reader.connection.fetchmany(_BATCH):
                yield "".join(part for (part,) in parts).encode()

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
    write: object,
) -> Response:
    """Write a file for one answer; who is in it goes into the log first."""
    if not callable(write):
        raise NotThereError
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
