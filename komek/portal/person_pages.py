"""A person's page: what was decided, by which paragraph, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Path
from starlette.requests import Request
from starlette.responses import Response

from komek.explain.person import explain, is_iin
from komek.explain.text import Telling
from komek.explain.wording import wording
from komek.portal.accounts import Visitor
from komek.portal.api import explained, one_line
from komek.portal.files import NotThereError
from komek.portal.region_pages import Kato
from komek.portal.roles import AUDITOR
from komek.portal.site import Site, site_of
from komek.portal.web import Sending, Viewing, language_of, page, see_other
from komek.publishing.publication import Publication
from komek.publishing.role_files import REGION

router = APIRouter(include_in_schema=False)
Number = Annotated[str, Path(pattern=r"^[0-9]{6,9}$")]


@router.get("/regions/{kato}/people/{number}/{person}")
def person(
    request: Request,
    kato: Kato,
    number: Number,
    person: Annotated[int, Path(ge=0, le=10**9)],
    visitor: Viewing,
) -> Response:
    """Show a person of a region, by their place in a publication's file of it."""
    iin, publication = _found(request, kato, number, person, visitor)
    return _page(request, visitor, iin, publication, kato, None)


@router.get("/regions/{kato}/people/{number}/{person}/certificate")
def certificate(
    request: Request,
    kato: Kato,
    number: Number,
    person: Annotated[int, Path(ge=0, le=10**9)],
    visitor: Viewing,
) -> Response:
    """Show what was decided on a person as one sheet to be printed and signed."""
    iin, publication = _found(request, kato, number, person, visitor)
    site = site_of(request)
    site.shows(request, visitor, "certificate", kato, [iin])
    explanation = explain(site.home, iin, publication.run.run_id, site.files.of_run)
    values = _values(request, explanation)
    return page(request, "certificate.html", values, publication=publication)


def _found(
    request: Request, kato: str, number: str, person: int, visitor: Visitor
) -> tuple[str, Publication]:
    """Return the IIN of a region's person, looked up in the region's own file.

    Raises:
        NotThereError: no such person, or no such publication any more.
    """
    site = site_of(request)
    if not visitor.role.may_see_people_of(kato):
        raise NotThereError
    for publication in site.files.publications():
        if publication.name.startswith(f"{number}-"):
            with site.files.of_region(visitor.role, kato, publication) as reader:
                found = reader.one("select iin from people where rowid = ?", [person])
                if found:
                    return found["iin"], publication
    raise NotThereError


@router.post("/people")
def by_iin(
    request: Request,
    visitor: Sending,
    iin: Annotated[str, Form(max_length=20)],
    reason: Annotated[str, Form(max_length=200)],
) -> Response:
    """Find a person of the role's by IIN; why, goes into the access log."""
    site, role = site_of(request), visitor.role
    if role.kind not in (REGION, AUDITOR):
        raise NotThereError
    why, iin = one_line(reason), iin.strip()
    if not is_iin(iin) or why is None:
        raise HTTPException(422)
    if role.region:
        with site.files.of_region(role, role.region) as reader:
            found = reader.one("select rowid as n from people where iin = ?", [iin])
            number = reader.publication.name.partition("-")[0]
        # Sought in vain, it was sought all the same.
        site.shows(request, visitor, "search by IIN", role.of, [iin], why)
        if found is None:
            raise NotThereError
        return see_other(f"/regions/{role.region}/people/{number}/{found['n']}")
    publication = site.files.publication()
    if publication is None:
        raise NotThereError
    return _page(request, visitor, iin, publication, None, why)


def _page(
    request: Request,
    visitor: Visitor,
    iin: str,
    publication: Publication,
    kato: str | None,
    reason: str | None,
) -> Response:
    site = site_of(request)
    site.shows(request, visitor, "person", kato or "", [iin], reason)
    if kato is None:
        explanation = explained(site, visitor.role, iin)
    else:
        explanation = explain(site.home, iin, publication.run.run_id, site.files.of_run)
    values = {"kato": kato, **_values(request, explanation)}
    if kato is not None:
        values |= _listed(site, visitor, publication, kato, iin)
    return page(request, "person.html", values, publication=publication)


def _values(request: Request, explanation: dict[str, Any]) -> dict[str, Any]:
    lang = language_of(request)
    telling = Telling(explanation, lang.code)
    register: dict[str, Any] = next(
        (
            row["values"]
            for row in explanation["rows"]
            if row["entity"] == "persons"
            and row["values"].get("iin") == explanation["iin"]
        ),
        {},
    )
    return {
        "explanation": explanation,
        "telling": telling,
        "register": register,
        "sources": {row["tag"]: row for row in explanation["rows"]},
        "decided": [d for d in explanation["decisions"] if _decided(d)],
        "others": [d for d in explanation["decisions"] if not _decided(d)],
        "cited": [
            {
                "paragraph": name,
                "title": one[f"title_{lang.code}"] or one["title_ru"],
                "act": one[f"act_{lang.code}"] or one["act_ru"],
                "text": wording(one["act_id"], name),
            }
            for name, one in sorted(
                explanation["paragraphs"].items(), key=lambda item: _number(item[0])
            )
        ],
    }


def _number(paragraph: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, paragraph))
    return int(digits or 0), paragraph


def _decided(decision: dict[str, Any]) -> bool:
    return bool(decision["outcome"] != "not_candidate")


def _listed(
    site: Site, visitor: Visitor, publication: Publication, kato: str, iin: str
) -> dict[str, Any]:
    """Return the person's lists and deliveries, as the region's file has them."""
    with site.files.of_region(visitor.role, kato, publication) as reader:
        return {
            "listed": reader.rows(
                "select * from recipients where iin = ?"
                " order by list_month desc, place",
                [iin],
            ),
            "deliveries": reader.rows(
                "select * from deliveries where iin = ? order by delivered_on", [iin]
            ),
        }
