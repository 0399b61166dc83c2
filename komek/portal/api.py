"""`/api/v1`: what a region's own system asks for, as JSON, with a token."""

import re
from contextlib import suppress
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query
from starlette.requests import Request

from komek.explain.person import explain, is_iin
from komek.portal.accounts import Visitor
from komek.portal.files import NotThereError, Reader
from komek.portal.roles import Role
from komek.portal.site import Site, site_of
from komek.publishing.publication import Publication
from komek.publishing.role_files import ENGINEER, MINISTRY, region_file

_UNAUTHORIZED = {"WWW-Authenticate": "Bearer"}
_BEARER = re.compile(r"[Bb]earer ([!-~]{1,200})")
_CURSOR = re.compile(r"([0-9]{6,9})\.([0-9]{1,12})")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])(-01)?")
# The columns of delivery_plan and food_set_lists.
_COLUMNS = (
    "list_month, iin, region_kato, district_kato, list_no, listed_on, primary_ground,"
    " grounds, standing, ended_on, ended_reason, mode, contract_id, allocation, iban,"
    " account_iin, amount, delivery_status, paragraph"
)
REASON = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")

router = APIRouter(prefix="/api/v1")


def bearer(
    request: Request,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Visitor:
    """Return whose token a request has.

    Raises:
        HTTPException: 401 without one that holds, 429 past the limit.
    """
    site = site_of(request)
    found = _BEARER.fullmatch(authorization or "")
    visitor = site.accounts.bearer(found[1]) if found else None
    if visitor is None:
        raise HTTPException(401, "a bearer token is needed", _UNAUTHORIZED)
    if not site.requests.allows(visitor.name):
        raise HTTPException(429, "too many requests", {"Retry-After": "60"})
    return visitor


Asking = Annotated[Visitor, Depends(bearer)]
Kato = Annotated[str, Path(pattern=r"^[0-9]{9}$", description="A region's code")]
Json = dict[str, Any]


def _figures(site: Site, role: Role) -> tuple[str, ...]:
    """Return the files of a role that have figures of regions, one by one."""
    if role.region:
        return (region_file(role.region),)
    if role.kind == MINISTRY or role.sees_everything:
        return (MINISTRY,)
    raise NotThereError


def _figures_of(role: Role, kato: str) -> str:
    """Return the file of a role that has figures of a region."""
    if not role.may_see_figures_of(kato):
        raise NotThereError
    return region_file(kato) if role.region else MINISTRY


@router.get("/regions")
def regions(request: Request, visitor: Asking) -> list[Json]:
    """The status, counts and tenge of each region that the role may see."""
    site = site_of(request)
    found = []
    for name in _figures(site, visitor.role):
        with site.files.reading(visitor.role, name) as reader:
            found += reader.json_rows(
                "select regions.*, names.name_ru, names.name_kk"
                " from region_status as regions left join places as names"
                " on regions.region_kato = names.kato order by regions.region_kato"
            )
    return found


@router.get("/regions/{kato}/lists")
def lists(request: Request, kato: Kato, visitor: Asking) -> list[Json]:
    """The numbered lists of a region: the day, how many were added and have ended."""
    site = site_of(request)
    with site.files.reading(visitor.role, _figures_of(visitor.role, kato)) as reader:
        _known_region(reader, kato)
        return reader.json_rows(
            "select list_month, list_no, listed_on, listed as added, ended, sha256"
            " from lists where region_kato = ? order by list_month, list_no",
            [kato],
        )


@router.get("/regions/{kato}/reconciliation")
def reconciliation(request: Request, kato: Kato, visitor: Asking) -> list[Json]:
    """What the lists of each month came to: sets and tenge, as settled on the day."""
    site = site_of(request)
    with site.files.reading(visitor.role, _figures_of(visitor.role, kato)) as reader:
        _known_region(reader, kato)
        return reader.json_rows(
            "select * from list_reconciliation where region_kato = ?"
            " order by list_month",
            [kato],
        )


def _known_region(reader: Reader, kato: str) -> None:
    if not reader.one(
        "select 1 from region_status where region_kato = $1"
        " union all select 1 from lists where region_kato = $1",
        [kato],
    ):
        raise NotThereError


@router.get("/regions/{kato}/recipients")
def recipients(
    request: Request,
    kato: Kato,
    visitor: Asking,
    month: Annotated[str | None, Query(pattern=f"^{_MONTH.pattern}$")] = None,
    cursor: Annotated[str | None, Query(pattern=f"^{_CURSOR.pattern}$")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Json:
    """The lists of a month, a row per set, in pages: `next` is the next one's cursor.

    Pages that follow on a cursor are of the publication that the first was of.
    """
    site, role = site_of(request), visitor.role
    if not role.may_see_people_of(kato):
        raise NotThereError
    publication, after = _continued(site, cursor)
    with site.files.of_region(role, kato, publication) as reader:
        of_month = _month(month) or reader.publication.run.list_month
        if of_month is None:
            latest = reader.one("select max(list_month) as month from recipients")
            of_month = latest["month"] if latest else None
        rows = reader.json_rows(
            f"select place, {_COLUMNS} from recipients"
            " where list_month = ? and place > ? order by place limit ?",
            [of_month, after, limit + 1],
        )
        number = reader.publication.name.partition("-")[0]
    shown = rows[:limit]
    last = shown[-1]["place"] if shown else 0
    for row in shown:
        del row["place"]
    site.shows(
        request,
        visitor,
        "api recipients",
        f"{kato} {of_month}",
        [row["iin"] for row in shown],
    )
    return {"rows": shown, "next": f"{number}.{last}" if len(rows) > limit else None}


def _month(text: str | None) -> date | None:
    found = _MONTH.fullmatch(text or "")
    if not found:
        return None
    if found[1] == "0000":
        raise HTTPException(422, "month is no month")
    return date(int(found[1]), int(found[2]), 1)


def _continued(site: Site, cursor: str | None) -> tuple[Publication | None, int]:
    """Return the publication and the place that a cursor goes on from."""
    found = _CURSOR.fullmatch(cursor or "")
    if not found:
        return None, 0
    for publication in site.files.publications():
        if publication.name.startswith(f"{found[1]}-"):
            return publication, int(found[2])
    raise HTTPException(422, "cursor is of a publication that was replaced: begin anew")


@router.get("/people/{iin}")
def person(
    request: Request,
    iin: Annotated[str, Path(pattern=r"^[0-9]{12}$", description="12 digits")],
    visitor: Asking,
    x_reason: Annotated[
        str,
        Header(min_length=1, max_length=200, description="Why, in one line"),
    ],
) -> Json:
    """Every decision on a person of the role's, as `komek explain --json` has it."""
    if not is_iin(iin):
        raise HTTPException(422, "iin is no IIN: its last digit does not check")
    reason = one_line(x_reason)
    if reason is None:
        raise HTTPException(422, "X-Reason takes one line of 1 to 200 characters")
    site = site_of(request)
    explanation = explained(site, visitor.role, iin)
    site.shows(request, visitor, "api person", "", [iin], reason)
    return explanation


def one_line(text: str) -> str | None:
    """Return a reason, None where it is none; a header's may be UTF-8 or Latin-1."""
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    text = text.strip()
    return text if REASON.fullmatch(text) else None


def explained(site: Site, role: Role, iin: str) -> Json:
    """Explain a person of the role's, from the run that is published.

    Raises:
        NotThereError: nothing is published, or the person is none of the role's.
    """
    if role.region:
        with site.files.of_region(role, role.region) as reader:
            run_id = reader.publication.run.run_id
            if not reader.one("select 1 from people where iin = ?", [iin]):
                raise NotThereError
    elif role.sees_everything:
        publication = site.files.publication()
        if publication is None:
            raise NotThereError
        run_id = publication.run.run_id
    else:
        raise NotThereError
    return explain(site.home, iin, run_id, site.files.of_run)


@router.get("/publications")
def publications(request: Request, visitor: Asking) -> list[Json]:
    """The publications that are there, the one that holds now first."""
    site = site_of(request)
    return [
        _stated(publication, visitor.role, is_current=number == 0)
        for number, publication in enumerate(site.files.publications())
    ]


def _stated(publication: Publication, role: Role, *, is_current: bool) -> Json:
    run = publication.run

    def seen(kato: str) -> bool:
        return role.may_see_figures_of(kato)

    return {
        "publication": publication.name,
        "current": is_current,
        "run_id": run.run_id,
        "official": publication.official,
        "as_of": run.as_of.isoformat(),
        "known_at": run.known_at.isoformat(),
        "list_month": run.list_month.isoformat() if run.list_month else None,
        "published": [kato for kato in publication.published if seen(kato)],
        "blocked": [
            {
                "region_kato": region.region_kato,
                "blocked_by": region.blocked_by,
                "kept_run": region.kept_run,
            }
            for region in publication.blocked
            if seen(region.region_kato)
        ],
    }


@router.get("/quality")
def quality(request: Request, visitor: Asking) -> list[Json]:
    """Per registry: how fresh it is, how many rows, quarantine by reason and file.

    A region's are the rows of its own registries.
    """
    site, role = site_of(request), visitor.role
    if role.region:
        with site.files.of_region(role, role.region) as reader:
            return own_quality(reader)
    if role.kind != ENGINEER and not role.sees_everything:
        raise NotThereError
    with site.files.reading(role, ENGINEER) as reader:
        return national_quality(reader)


def own_quality(reader: Reader) -> list[Json]:
    """Return the registries of a region's own, with what was rejected of its rows."""
    return _with_quarantine(reader, "own_registries", "own_quarantine", "region_kato")


def national_quality(reader: Reader) -> list[Json]:
    """Return every registry, with what was rejected of it."""
    return _with_quarantine(reader, "registries", "quarantine", "snapshot_date")


def _with_quarantine(
    reader: Reader, registries: str, quarantine: str, without: str
) -> list[Json]:
    rejected = reader.json_rows(
        f"select * exclude ({without}) from {quarantine} order by all"
    )
    return [
        {
            **registry,
            "quarantine": [
                {name: value for name, value in row.items() if name != "entity"}
                for row in rejected
                if row["entity"] == registry["entity"]
            ],
        }
        for registry in reader.json_rows(f"select * from {registries} order by entity")
    ]
