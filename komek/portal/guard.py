"""What stands before every route: sizes, and what browsers are told to refuse."""

import logging
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from komek.base.ending import place_of

_MOST_BYTES = 32 << 10
_LONGEST_PATH = 2_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # What a page shows stays in no cache; assets say otherwise themselves.
    "Cache-Control": "no-store",
}
Failed = Callable[[Request], Response]
_log = logging.getLogger("komek.portal")
_HSTS = "max-age=31536000; includeSubDomains"


class Guard:
    """Refuses what is too large, and sets the headers that nothing may go without."""

    def __init__(self, app: ASGIApp, failed: Failed) -> None:
        """Stand before an app; `failed` answers what the app does not."""
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it is of a size that any of ours has."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _HSTS
            await send(message)

        if len(scope["raw_path"] or b"") + len(scope["query_string"]) > _LONGEST_PATH:
            refusal = PlainTextResponse("too long", 414)
            await refusal(scope, receive, guarded)
            return
        body = await _body(receive)
        if body is None:
            refusal = PlainTextResponse("too large", 413)
            await refusal(scope, receive, guarded)
            return

        waiting: list[Message] = [
            {"type": "http.request", "body": body, "more_body": False}
        ]

        async def received() -> Message:
            return waiting.pop() if waiting else await receive()

        try:
            await self._app(scope, received, guarded)
        except Exception as error:
            # By its kind and place alone: a message may have a value of a row.
            _log.error("%s in %s", type(error).__name__, place_of(error))
            if begun:
                return
            await self._failed(Request(scope))(scope, receive, guarded)


async def _body(receive: Receive) -> bytes | None:
    """Return what a request brings, None where it is more than any form of ours."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > _MOST_BYTES:
            return None
        if not message.get("more_body"):
            return body
