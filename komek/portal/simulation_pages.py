"""What if: a day by other readings or figures of the law, for ministry and auditor.

The simulation is a command of its own beside the portal, and its figures name nobody.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from komek.base import policies
from komek.base.errors import UsageError
from komek.portal.accounts import Visitor
from komek.portal.files import NotThereError
from komek.portal.roles import AUDITOR
from komek.portal.site import Site, site_of
from komek.portal.web import Sending, Viewing, page, see_other
from komek.publishing.role_files import MINISTRY
from komek.simulate.parameters import parameter_values

router = APIRouter(prefix="/simulation", include_in_schema=False)
Text = Annotated[str, StringConstraints(max_length=120)]
Texts = Annotated[list[Text], Form(max_length=100)]


@router.get("")
def what_if(
    request: Request,
    visitor: Viewing,
    of: Annotated[str | None, Query(pattern=r"^[0-9a-f]{12}$")] = None,
) -> Response:
    """Ask for a simulation; show what came of one."""
    site = _allowed(request, visitor)
    publication = site.files.publication()
    found = site.jobs.last(_name(of)) if of else None
    values: dict[str, Any] = {
        "day": publication.run.as_of if publication else None,
        "readings": policies.policy_values(),
        "as_it_stands": policies.policies_of_run({}),
        "parameters": policies.parameter_names(),
        "running": site.jobs.running,
        "is_asked": of is not None,
        "found": found,
        **_differing(found.said if found else {}),
    }
    return page(request, "simulation.html", values, publication=publication)


@router.post("")
def simulate(
    request: Request,
    visitor: Sending,
    as_of: Annotated[date, Form()],
    policy: Texts,
    parameter: Texts,
    value: Texts,
) -> Response:
    """Start a simulation beside the portal."""
    site = _allowed(request, visitor)
    arguments = _arguments(as_of, policy, parameter, value)
    of = hashlib.sha256(json.dumps(arguments).encode()).hexdigest()[:12]
    site.jobs.start(_name(of), arguments)
    return see_other(f"/simulation?of={of}")


def _differing(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the day, and the districts and publications that are not what they were.

    Args:
        said: what the command printed; empty where it printed nothing, or an error.
    """
    figures = said.get("figures", [])
    names = {row["code"]: row["name"] for row in figures if row["kind"] == "region"}
    return {
        "decided_on": date.fromisoformat(said["as_of"]) if "as_of" in said else None,
        "districts": [
            row
            for row in figures
            if row["kind"] == "district" and (row["gained"] or row["lost"])
        ],
        "blocked": [
            {**row, "name": names.get(row["region_kato"]) or row["region_kato"]}
            for row in said.get("regions", [])
            if row["blocked_before"] != row["blocked_after"]
        ],
    }


def _arguments(
    as_of: date, policy: Sequence[str], parameter: Sequence[str], value: Sequence[str]
) -> list[str]:
    """Return the command's arguments; what was left as it stands is none.

    Raises:
        HTTPException: 422 for what is no policy, value or figure.
    """
    readings = [one for one in policy if one]
    figures = [
        f"{name}={number.strip()}"
        for name, number in zip(parameter, value, strict=False)
        if number.strip()
    ]
    try:
        policies.policy_overrides(readings)
        parameter_values(figures)
    except UsageError:
        raise HTTPException(422, "no such reading or figure") from None
    arguments = ["simulate", "--as-of", f"{as_of}"]
    for one in readings:
        arguments += ["--policy", one]
    for one in figures:
        arguments += ["--parameter", one]
    return arguments


def _allowed(request: Request, visitor: Visitor) -> Site:
    if visitor.role.kind not in (MINISTRY, AUDITOR):
        raise NotThereError
    return site_of(request)


def _name(of: str) -> str:
    return f"simulate-{of}"
