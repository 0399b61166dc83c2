"""What every page shares: who is signed in, its language, its head, its forms."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import jinja2
from fastapi import Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from komek.portal import charts
from komek.portal.accounts import Visitor
from komek.portal.heads import body_name, navigation, shown, table_name
from komek.portal.language import LANGUAGES, Language, accepted
from komek.portal.sessions import session_cookie
from komek.portal.site import site_of
from komek.publishing.publication import Publication

_FOLDER = Path(__file__).parent
LANGUAGE_COOKIE = "komek_language"
_SEE_OTHER = 303


class SignInNeededError(Exception):
    """Nobody is signed in, or their session has ended."""


def _version() -> str:
    """Return what changes with the assets: browsers keep them until it does."""
    digest = hashlib.sha256()
    for path in sorted((_FOLDER / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    extensions=["jinja2.ext.i18n"],
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals |= {"charts": charts, "languages": LANGUAGES, "version": _version()}


def signed_in(request: Request) -> Visitor:
    """Return who is signed in.

    Raises:
        SignInNeededError: nobody.
        HTTPException: 429 past the limit.
    """
    site = site_of(request)
    cookie = request.cookies.get(session_cookie(site))
    visitor = site.accounts.session(cookie) if cookie else None
    if visitor is None:
        raise SignInNeededError
    if not site.requests.allows(f"session {visitor.session}"):
        raise HTTPException(429, "too many requests", {"Retry-After": "60"})
    request.state.visitor = visitor
    return visitor


Viewing = Annotated[Visitor, Depends(signed_in)]


def from_form(
    request: Request, visitor: Viewing, csrf: Annotated[str, Form()] = ""
) -> Visitor:
    """Return who sends a form that we gave them.

    Raises:
        HTTPException: 403 where the form is not ours.
    """
    refuse_cross_site(request)
    if not hmac.compare_digest(csrf.encode(), visitor.csrf.encode()):
        raise HTTPException(403, "this form has expired")
    return visitor


Sending = Annotated[Visitor, Depends(from_form)]


def refuse_cross_site(request: Request) -> None:
    """Refuse what a page of another site sends.

    Raises:
        HTTPException: 403 where a browser says that one does.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise HTTPException(403, "from another site")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "from another site")


def language_of(request: Request) -> Language:
    """Return the language that was chosen, or that the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return Language(chosen)
    return Language(accepted(request.headers.get("accept-language", "")))


def page(
    request: Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    publication: Publication | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page in the language of who asks.

    Args:
        request: what is answered.
        template: the page's template.
        values: what it shows.
        publication: what that is of, for the foot of the page.
        status: the answer's.
        headers: more of the answer's.
    """
    lang = language_of(request)
    text = _templates.get_template(template).render(
        {
            "nav": lambda role: navigation(role, lang),
            "table_name": lambda name: table_name(name, lang),
            "body_name": lambda name: body_name(name, lang),
            "shown": lambda name, value, names: shown(name, value, names, lang),
            "_": lang.text,
            "gettext": lang.text,
            "lang": lang,
            "visitor": getattr(request.state, "visitor", None),
            "here": request.url.path,
            "query": request.url.query if request.method == "GET" else "",
            "publication": publication,
            "with_query": with_query,
            **(values or {}),
        }
    )
    return HTMLResponse(text, status, dict(headers or {}))


def with_query(path: str, **values: object) -> str:
    """Return a path with a query of what is not empty."""
    given = {n: str(v) for n, v in values.items() if v is not None and v != ""}
    return f"{path}?{urlencode(given)}" if given else path


def see_other(path: str) -> Response:
    """Return where a browser goes on after a form."""
    return Response(status_code=_SEE_OTHER, headers={"Location": path})


def sign_in_first(request: Request, _error: Exception) -> Response:
    """Answer who is not signed in: with the way in."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return see_other("/sign-in")
