"""The pages, put together."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from komek.portal import (
    auditor_pages,
    body_pages,
    figure_pages,
    list_files,
    list_pages,
    oidc,
    paper_pages,
    person_pages,
    quality_pages,
    region_pages,
    signin,
    simulation_pages,
)
from komek.portal.web import SignInNeededError, page, sign_in_first


def include(app: FastAPI) -> None:
    """Add every page to the portal."""
    for part in (
        signin,
        oidc,
        region_pages,
        list_pages,
        list_files,
        paper_pages,
        person_pages,
        figure_pages,
        auditor_pages,
        quality_pages,
        body_pages,
        simulation_pages,
    ):
        app.include_router(part.router)
    app.add_exception_handler(SignInNeededError, sign_in_first)


def error_page(
    request: Request, status: int, headers: Mapping[str, str] | None
) -> Response:
    """Return what a page says that is not shown."""
    return page(
        request, "error.html", {"status": status}, status=status, headers=headers
    )
