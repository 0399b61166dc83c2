"""Sessions: the cookie that one has, how it is set, and where each role begins."""

from starlette.responses import Response

from komek.portal.roles import AUDITOR, BODY, Role
from komek.portal.site import Site
from komek.publishing.role_files import ENGINEER, MINISTRY, REGION


def session_cookie(site: Site) -> str:
    """Return the name of the session's cookie; behind TLS browsers bind it to us."""
    return "komek_session" if site.options.is_plain else "__Host-komek_session"


def begins_at(role: Role) -> str:
    """Return the page that a role begins at."""
    return {
        REGION: f"/regions/{role.of}",
        BODY: "/body",
        MINISTRY: "/ministry",
        AUDITOR: "/auditor",
        ENGINEER: "/quality",
    }[role.kind]


def start(site: Site, name: str, role: Role, answer: Response) -> Response:
    """Start a session with an answer."""
    cookie = site.accounts.start_session(name, role)
    set_cookie(site, answer, session_cookie(site), cookie)
    return answer


def set_cookie(site: Site, answer: Response, name: str, value: str) -> None:
    """Set a cookie that scripts do not read and other sites do not send."""
    answer.set_cookie(
        name,
        value,
        path="/",
        httponly=True,
        secure=not site.options.is_plain,
        samesite="strict",
    )
