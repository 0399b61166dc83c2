"""The portal as one ASGI application."""

import logging
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from komek.base.errors import KomekError
from komek.base.places import Home
from komek.portal import api, pages
from komek.portal.files import NotThereError
from komek.portal.guard import Guard
from komek.portal.site import Options, Site

STATIC = Path(__file__).parent / "static"
_API = "/api/"
_log = logging.getLogger("komek.portal")


def make_app(home: Home, options: Options | None = None) -> FastAPI:
    """Return the portal of a home; what is published is read at each request.

    Raises:
        UnwritableError: the home's portal folder cannot be written.
    """
    app = FastAPI(
        title="Kömek",
        version="1",
        description="What the roles see of the published lists, read only.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.site = Site(home, options or Options())
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    pages.include(app)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        return PlainTextResponse("ok")

    app.add_exception_handler(NotThereError, _not_there)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(KomekError, _unavailable)
    app.add_middleware(Guard, failed=_failed)
    return app


def _said(
    request: Request, status: int, detail: str, headers: object = None
) -> Response:
    """Return an error as the asker reads it: JSON, or a page."""
    given = dict(headers) if isinstance(headers, dict) else None
    if request.url.path.startswith(_API):
        return JSONResponse({"detail": detail}, status, given)
    return pages.error_page(request, status, given)


async def _not_there(request: Request, _error: Exception) -> Response:
    return _said(request, 404, "not found")


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _said(request, error.status_code, str(error.detail), error.headers)


async def _malformed(request: Request, error: Exception) -> Response:
    """Say which parameters are malformed, never what was in them."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    names = sorted({str(one["loc"][-1]) for one in found if one["loc"][0] != "body"})
    return _said(request, 422, f"malformed or missing: {', '.join(names) or 'form'}")


async def _unavailable(request: Request, error: Exception) -> Response:
    _log.error("%s: %s", type(error).__name__, error)
    return _said(request, 503, "not available now")


def _failed(request: Request) -> Response:
    return _said(request, 500, "failed")
