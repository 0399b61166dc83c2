"""A region's list: filtered, sorted, page by page, and as CSV and workbook."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from komek.portal.files import Reader, Row
from komek.portal.region_pages import Kato, month_of, names_of, place_of
from komek.portal.site import site_of
from komek.portal.web import Sending, Viewing, page

router = APIRouter(prefix="/regions/{kato}", include_in_schema=False)
PER_PAGE = 50
Sort = Literal["place", "name", "amount", "list_no"]
ORDER: dict[str, str] = {
    "place": "place",
    "name": "last_name nulls last, first_name nulls last, place",
    "amount": "amount desc nulls last, place",
    "list_no": "list_no nulls last, place",
}


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
        asked: list[str] = ["list_month = ?"]
        values: list[object] = [self.month or month]
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
        counted = reader.figure(
            "select count(*) as sets, count(*) filter (where is_person) as people,"
            f" coalesce(sum(amount), 0) as amount from recipients where {where}",
            values,
        )
        rows = reader.rows(
            _with_persons(where, ORDER[sort], f"limit {PER_PAGE} offset ?"),
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


def _with_persons(condition: str, order: str, limit: str) -> str:
    """Return SQL for some rows of the recipients, with the number of each person.

    That is what a page of the portal calls a person: their place among the region's
    people of this publication. No address has an IIN in it. All else than the order is
    looked up for the rows that are shown alone: sorting everything that stands in a
    large region's takes more memory than there is for it.
    """
    return (
        f"with chosen as materialized (select rowid as row from recipients"
        f" where {condition} order by {order} {limit})"
        " select recipients.*, people.rowid as person from chosen"
        " inner join recipients on chosen.row = recipients.rowid"
        f" left join people on recipients.iin = people.iin order by {order}"
    )


def _note(
    request: Request, visitor: Viewing, kato: str, rows: list[Row], what: str
) -> None:
    site_of(request).shows(
        request, visitor, "list", f"{kato} {what}", [row["iin"] for row in rows]
    )


def _page(
    request: Request,
    reader: Reader,
    kato: str,
    rows: list[Row],
    values: dict[str, object],
) -> Response:
    month = month_of(reader)
    choices = {
        name: [
            row["code"]
            for row in reader.figures(
                f"select distinct {column} as code from cells"
                f" where {column} is not null order by all"
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
            _with_persons(
                "starts_with(lower(last_name), lower(?))", ORDER["name"], "limit 200"
            ),
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
