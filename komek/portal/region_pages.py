"""A region's page: its lists, what is blocked, what is short, what is due; sign-off."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from komek.base.errors import UsageError
from komek.portal.files import NotThereError, Reader, Row
from komek.portal.roles import Role
from komek.portal.site import Site, site_of
from komek.portal.web import Sending, Viewing, page, see_other
from komek.publishing.role_files import REGION
from komek.trust.signoffs import confirm, sign_offs

router = APIRouter(prefix="/regions/{kato}", include_in_schema=False)
Kato = Annotated[str, Path(pattern=r"^[0-9]{9}$")]
# Figures are sums over cells; a set that is not planned any more has no amount.
_SUMS = (
    "coalesce(sum(people), 0)::bigint as people,"
    " coalesce(sum(sets), 0)::bigint as sets,"
    " coalesce(sum(amount), 0) as amount"
)
_DELIVERY = ", ".join(
    f"(coalesce(sum(sets) filter (where delivery_status = '{status}'), 0))::bigint as"
    f" {status}"
    for status in ("delivered", "failed", "returned", "outstanding")
)
_DUE_SOON = 5
_PER_PAGE = 100
_PageNo = Annotated[int, Query(ge=1, le=1_000_000)]


def place_of(reader: Reader, kato: str) -> Row:
    """Return a region's names; the code alone where the classifier has none."""
    found = reader.figure("select * from places where kato = ?", [kato])
    return found or {"kato": kato}


def month_of(reader: Reader) -> date | None:
    """Return the month whose lists are worked with: the run's, or the latest there."""
    month = reader.publication.run.list_month
    if month is not None:
        return month
    latest = reader.figure("select max(list_month) as month from cells")
    return latest["month"] if latest else None


@router.get("")
def region(request: Request, kato: Kato, visitor: Viewing) -> Response:
    """Show how a region stands: every figure leads to its rows."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        month = month_of(reader)
        values = {
            "kato": kato,
            "place": place_of(reader, kato),
            "status": reader.figure("select * from region_status"),
            "month": month,
            "as_of": reader.publication.run.as_of,
            "total": _total(reader, month),
            "lists": _lists(site, reader, kato, month),
            "causes": reader.figures(
                f"select list_no, ended_reason, {_SUMS} from cells"
                " where list_month = ? and standing = 'ended' and list_no is not null"
                " group by all order by list_no, ended_reason",
                [month],
            ),
            "by": {
                name: _by(reader, name, month)
                for name in ("district_kato", "primary_ground", "mode", "allocation")
            },
            "names": names_of(reader),
            "months": reader.figures(
                "select * from list_reconciliation order by list_month desc"
            ),
            "short": _by(reader, "allocation", month),
            "contracts": _contracts(reader),
            "due": deadlines_by_step(reader),
            "case_findings": reader.figures(
                "select finding, paragraph, count(*) as cases from case_findings"
                " group by all order by cases desc, finding"
            ),
            "delivery_findings": reader.figures(
                "select finding, count(*) as cases from delivery_findings"
                " group by all order by finding"
            ),
            "extensions": reader.figures(
                "select outcome, reason, count(*) as awards from extensions"
                " group by all order by outcome, reason nulls first"
            ),
        }
        return page(request, "region.html", values, publication=reader.publication)


def names_of(reader: Reader) -> dict[str, Row]:
    """Return the places of a file by code."""
    return {row["kato"]: row for row in reader.figures("select * from places")}


def _total(reader: Reader, month: date | None) -> Row:
    found = reader.figure(
        f"select {_SUMS}, {_DELIVERY},"
        " (coalesce(sum(people) filter (where standing = 'ended'), 0))::bigint"
        " as ended,"
        " (coalesce(sum(people) filter (where standing = 'held'), 0))::bigint as held,"
        " (coalesce(sum(sets) filter (where allocation = 'no_account'), 0))::bigint"
        " as no_account,"
        " (coalesce(sum(sets) filter (where allocation = 'unallocated'), 0))::bigint"
        " as unallocated"
        " from cells where list_month = ?",
        [month],
    )
    return found or {}


def _by(reader: Reader, column: str, month: date | None) -> list[Row]:
    """Return the sums by a column of the cells; its name is one of ours."""
    return reader.figures(
        f"select {column} as code, {_SUMS}, {_DELIVERY} from cells"
        " where list_month = ? group by all order by code nulls first",
        [month],
    )


def _lists(
    site: Site, reader: Reader, kato: str, month: date | None
) -> list[dict[str, Any]]:
    """Return the lists of a month, each with who confirmed it."""
    confirmed = {
        (one.list_month, one.list_no, one.list_sha256): one
        for one in sign_offs(site.home, kato)
    }
    return [
        {
            **row,
            "confirmed": confirmed.get(
                (row["list_month"], row["list_no"], row["sha256"])
            ),
        }
        for row in reader.figures(
            f"select lists.*, cells.* exclude (list_month, list_no) from lists"
            f" inner join (select list_month, list_no, {_SUMS}, {_DELIVERY} from cells"
            " group by all) as cells using (list_month, list_no)"
            " where list_month = ? order by list_no",
            [month],
        )
    ]


def _contracts(reader: Reader) -> list[Row]:
    return reader.figures(
        """
        select
            contracts.*,
            coalesce(used.sets, 0) as planned,
            coalesce(used.delivered, 0) as delivered,
            found.findings
        from contracts
        left join (
            select
                contract_id,
                count(*) as sets,
                count(*) filter (where delivery_status = 'delivered') as delivered
            from recipients
            where contract_id is not null
            group by contract_id
        ) as used using (contract_id)
        left join (
            select contract_id, string_agg(finding, '|' order by finding) as findings
            from contract_findings group by contract_id
        ) as found using (contract_id)
        order by contracts.contract_id
        """
    )


def deadlines_by_step(reader: Reader) -> list[Row]:
    """Return how the steps of cases stand, with those due within some days."""
    return reader.figures(
        f"""
        select
            case_kind,
            step,
            paragraph,
            count(*) filter (where status = 'met') as met,
            count(*) filter (where status = 'late') as late,
            count(*) filter (where status = 'open') as open,
            count(*) filter (
                where status = 'open' and due_on <= ? + {_DUE_SOON}
            ) as soon,
            count(*) filter (where status = 'overdue') as overdue,
            min(due_on) filter (where status = 'open') as next_due
        from deadlines
        group by all
        order by case_kind, paragraph, step
        """,
        [reader.publication.run.as_of],
    )


# Of each table of the page of deadlines: its rows, and their order.
_DUE = {
    "steps": (
        "from deadlines where status in ('open', 'overdue', 'late')",
        "status = 'late', due_on, case_id, step",
    ),
    "findings": ("from case_findings", "finding, case_id"),
    "awards": (
        "from extensions where review_reasons <> '' or outcome <> 'extended'",
        "outcome, award_id",
    ),
}


@router.get("/deadlines")
def deadlines(
    request: Request,
    kato: Kato,
    visitor: Viewing,
    steps: _PageNo = 1,
    findings: _PageNo = 1,
    awards: _PageNo = 1,
) -> Response:
    """Show the steps that are open, overdue or late, the most urgent first."""
    site = site_of(request)
    asked = {"steps": steps, "findings": findings, "awards": awards}
    with site.files.of_region(visitor.role, kato) as reader:
        values = {
            "kato": kato,
            "place": place_of(reader, kato),
            "as_of": reader.publication.run.as_of,
            "asked": asked,
            "tables": {
                name: _due(reader, name, page_no) for name, page_no in asked.items()
            },
        }
        return page(request, "deadlines.html", values, publication=reader.publication)


def _due(reader: Reader, name: str, page_no: int) -> dict[str, Any]:
    """Return a page of a table, with how many rows and pages it has."""
    relation, order = _DUE[name]
    (counted,) = reader.figures(f"select count(*) as rows {relation}")
    return {
        "total": counted["rows"],
        "pages": max(1, -(-counted["rows"] // _PER_PAGE)),
        "rows": reader.rows(
            f"select * {relation} order by {order} limit {_PER_PAGE} offset ?",
            [(page_no - 1) * _PER_PAGE],
        ),
    }


# Sign-off


def _may_sign(role: Role, kato: str) -> bool:
    return role.kind == REGION and role.of == kato


@router.get("/sign-off")
def sign_off(request: Request, kato: Kato, visitor: Viewing) -> Response:
    """Show the lists, which are confirmed, and by whom."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        values = {
            "kato": kato,
            "place": place_of(reader, kato),
            "lists": _lists(site, reader, kato, month_of(reader)),
            "signed": sign_offs(site.home, kato)[::-1],
            "may_sign": _may_sign(visitor.role, kato),
        }
        return page(request, "sign_off.html", values, publication=reader.publication)


@router.post("/sign-off")
def sign(
    request: Request,
    kato: Kato,
    visitor: Sending,
    list_month: Annotated[date, Form()],
    list_no: Annotated[int, Form(ge=1, le=10_000)],
    sha256: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
) -> Response:
    """Confirm a list of the region's own, as it was shown."""
    site = site_of(request)
    if not _may_sign(visitor.role, kato):
        raise NotThereError
    with site.files.of_region(visitor.role, kato) as reader:
        if not reader.one(
            "select 1 from lists where list_month = ? and list_no = ? and sha256 = ?",
            [list_month, list_no, sha256],
        ):
            raise HTTPException(409, "the list is not the one that was shown")
    try:
        confirm(site.home, kato, list_month, list_no, sha256, visitor.name)
    except UsageError:
        raise HTTPException(409, "confirmed already") from None
    return see_other(f"/regions/{kato}/sign-off")
