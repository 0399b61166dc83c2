"""Signing in and out, the language, and where each role begins."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Path
from starlette.requests import Request
from starlette.responses import Response

from komek.portal import oidc
from komek.portal.accounts import Visitor
from komek.portal.language import LANGUAGES
from komek.portal.sessions import begins_at, session_cookie, set_cookie, start
from komek.portal.site import Site, origin, site_of
from komek.portal.web import (
    LANGUAGE_COOKIE,
    Sending,
    Viewing,
    page,
    refuse_cross_site,
    see_other,
)

router = APIRouter(include_in_schema=False)
_YEAR = 365 * 24 * 3600
# A form of ours brings it back: another site can neither read nor set it.
_FORM_COOKIE = "komek_form"


@router.get("/")
def home(visitor: Viewing) -> Response:
    """Go to where the role begins."""
    return see_other(begins_at(visitor.role))


@router.get("/sign-in")
def ask(request: Request) -> Response:
    """Ask for name and password."""
    return _form(request)


def _form(request: Request, *, failed: bool = False) -> Response:
    site = site_of(request)
    secret = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(24)
    answer = page(
        request,
        "sign_in.html",
        {"failed": failed, "form": secret, "oidc": oidc.configured() is not None},
        status=401 if failed else 200,
    )
    set_cookie(site, answer, _FORM_COOKIE, secret)
    return answer


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=10)] = "",
    form: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Start a session, if everything is right; what is wrong is not told."""
    site = site_of(request)
    refuse_cross_site(request)
    expected = request.cookies.get(_FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(expected.encode(), form.encode()):
        return _form(request)
    if not site.sign_ins.allows(origin(request)):
        return _form(request, failed=True)
    role = site.accounts.signed_in(name, password, code.strip())
    if role is None:
        return _form(request, failed=True)
    # Always a new one: what somebody had before signing in is worth nothing.
    if old := request.cookies.get(session_cookie(site)):
        site.accounts.end_session(old)
    return start(site, name, role, see_other(begins_at(role)))


@router.post("/sign-out")
def sign_out(request: Request, visitor: Sending) -> Response:
    """End the session."""
    site = site_of(request)
    _end(site, request, visitor)
    answer = see_other("/sign-in")
    answer.delete_cookie(session_cookie(site), path="/")
    return answer


def _end(site: Site, request: Request, _visitor: Visitor) -> None:
    site.accounts.end_session(request.cookies[session_cookie(site)])


@router.get("/language/{code}")
def choose(
    request: Request,
    code: Annotated[str, Path(pattern=f"^({'|'.join(LANGUAGES)})$")],
    to: str = "/",
) -> Response:
    """Choose a language, and go back to the page one comes from."""
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isascii()
    answer = see_other(to if is_ours and to.isprintable() else "/")
    site = site_of(request)
    answer.set_cookie(
        LANGUAGE_COOKIE,
        code,
        max_age=_YEAR,
        httponly=True,
        secure=not site.options.is_plain,
        samesite="strict",
    )
    return answer
