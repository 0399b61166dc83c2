"""What a body must act on, by region: payouts and new ends, the queue, the steps."""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from komek.portal.files import NotThereError, Reader
from komek.portal.region_pages import names_of
from komek.portal.roles import BODY
from komek.portal.site import site_of
from komek.portal.web import Viewing, language_of, page

router = APIRouter(prefix="/body", include_in_schema=False)
_PER_PAGE = 100
# Of each table of a body's file: what is shown, in which order, and whose it is.
_TABLES: Mapping[str, tuple[str, str]] = {
    "payouts": (
        (
            "region_kato, iin, award_id, benefit, month, basis, amount, paid_amount,"
            " due_amount, overpaid_amount, pay_on"
        ),
        "region_kato, pay_on nulls last, award_id, month",
    ),
    "terms": (
        (
            "region_kato, mse_unit, iin, term_id, kind, category, outcome, reason,"
            " old_valid_until, new_valid_until"
        ),
        "region_kato, mse_unit nulls first, old_valid_until, term_id",
    ),
    "queue": (
        "region_kato, mse_unit, iin, term_id, cause, due_on",
        "due_on, region_kato, iin, cause",
    ),
    "examinations": (
        'region_kato, mse_unit, iin, term_id, "check", outcome, finding, due_on',
        "outcome = 'ok', due_on nulls last, term_id",
    ),
    "jobseekers": (
        "region_kato, centre_id, case_id, step, started_on, due_on, done_on, status",
        "status not in ('overdue', 'open', 'late'), due_on, case_id, step",
    ),
    "findings": (
        "region_kato, case_id, finding, paragraph",
        "region_kato, finding, case_id",
    ),
}
Table = Annotated[str, Path(pattern=f"^({'|'.join(_TABLES)})$")]
# Whose region nobody knows is a region of its own.
_REGION = "coalesce(region_kato, 'unassigned')"
Region = Annotated[str | None, Query(pattern=r"^([0-9]{9}|unassigned)?$")]


def _tables(reader: Reader) -> list[str]:
    """Return the tables that a body's file has, in our order."""
    there = {row["name"] for row in reader.rows("show tables")}
    return [name for name in _TABLES if name in there]


def _own(visitor: Viewing) -> str:
    if visitor.role.kind != BODY or visitor.role.own_file is None:
        raise NotThereError
    return visitor.role.own_file


@router.get("")
def overview(request: Request, visitor: Viewing) -> Response:
    """Show how much of what there is to act on, by region."""
    site = site_of(request)
    with site.files.reading(visitor.role, _own(visitor)) as reader:
        counts = {
            name: reader.rows(
                f"select {_REGION} as region_kato, count(*) as rows from {name}"
                " group by all order by all"
            )
            for name in _tables(reader)
        }
        values = {"counts": counts, "names": names_of(reader), "body": visitor.role.of}
        return page(request, "body.html", values, publication=reader.publication)


@router.get("/{table}")
def rows(
    request: Request,
    table: Table,
    visitor: Viewing,
    region: Region = None,
    page_no: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """Show the rows of one table, of a region or of all."""
    site = site_of(request)
    with site.files.reading(visitor.role, _own(visitor)) as reader:
        where, given = _asked(reader, table, region)
        columns, order = _TABLES[table]
        counted = reader.one(f"select count(*) as n from {table} {where}", given)
        found = reader.rows(
            f"select {columns} from {table} {where} order by {order}"
            f" limit {_PER_PAGE} offset ?",
            [*given, (page_no - 1) * _PER_PAGE],
        )
        people = [row["iin"] for row in found if "iin" in row]
        if people:
            site.shows(request, visitor, table, region or "all regions", people)
        total = (counted or {"n": 0})["n"]
        values = {
            "table": table,
            "rows": found,
            "columns": [name.strip(' "') for name in columns.split(",")],
            "names": names_of(reader),
            "region": region,
            "total": total,
            "page_no": page_no,
            "pages": max(1, -(-total // _PER_PAGE)),
        }
        return page(request, "body_rows.html", values, publication=reader.publication)


def _asked(reader: Reader, table: str, region: str | None) -> tuple[str, list[object]]:
    if table not in _tables(reader):
        raise NotThereError
    return (f"where {_REGION} = ?", [region]) if region else ("", [])


@router.get("/{table}/rows.csv")
def as_csv(
    request: Request, table: Table, visitor: Viewing, region: Region = None
) -> Response:
    """Return the rows of one table as CSV, codes as codes."""
    site, lang = site_of(request), language_of(request)
    with site.files.reading(visitor.role, _own(visitor)) as reader:
        where, given = _asked(reader, table, region)
        columns, order = _TABLES[table]
        found = reader.rows(
            f"select {columns} from {table} {where} order by {order}", given
        )
        people = sorted({row["iin"] for row in found if "iin" in row})
        site.shows(request, visitor, f"download {table}", region or "all", people)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = [name.strip(' "') for name in columns.split(",")]
    writer.writerow([f"{lang.word('field', name)} ({name})" for name in names])
    # Every text of these tables is a code, an identifier or an IIN.
    writer.writerows([row[name] for name in names] for row in found)
    return Response(
        "\ufeff" + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{table}.csv"'},
    )
