"""A web service, asked: what it answers whole, and how it fails, without a secret."""

import email.utils
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from komek.base.errors import UsageError
from komek.base.files import open_private
from komek.landing.received import Refused
from komek.sources.connections import Connection

MAX_ANSWER_BYTES = 1 << 30
_MAX_REDIRECTS = 10
_MAY_PASS = {408, 425, 429}
_APPEND = os.O_CREAT | os.O_APPEND
_BEARER = ("bearer", "token")


@dataclass
class Download:
    """A file of a service on its way here, which may go on where it broke off.

    Attributes:
        path: where it is written.
        tag: what tells this version of it from others; None: the service says nothing.
        is_known: whether the service says that it is the version asked about.
    """

    path: Path
    tag: str | None = None
    is_known: bool = False

    @property
    def done(self) -> int:
        """How many bytes have come."""
        return self.path.stat().st_size if self.path.exists() else 0


@contextmanager
def client(known: Connection | None, timeout: float) -> Iterator[httpx.Client]:
    """Open a client with the token or certificate of a connection.

    Raises:
        UsageError: its certificate cannot be read.
    """
    extra = dict(known.extra) if known else {}
    context = ssl.create_default_context(cafile=extra.get("ca"))
    if "cert" in extra:
        try:
            context.load_cert_chain(
                extra["cert"], extra.get("key"), extra.get("key_password")
            )
        except (OSError, ssl.SSLError):
            raise UsageError(
                f"connection {known.id if known else ''}: its certificate or key"
                " cannot be read"
            ) from None
    # What a page is long in is told in its header only as it is: not packed.
    headers = {"User-Agent": "komek", "Accept-Encoding": "identity"}
    auth = None
    if known:
        token = _token(known)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif known.user:
            auth = httpx.BasicAuth(known.user, known.password or "")
    with httpx.Client(
        headers=headers,
        auth=auth,
        timeout=timeout,
        verify=context,
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
    ) as opened:
        yield opened


def _token(known: Connection) -> str | None:
    """Return the bearer token that a connection has, wherever it has it."""
    if not known.scheme:
        return known.url
    if known.scheme == "bearer":
        return known.url.partition("://")[2]
    if known.extra.get("token"):
        return known.extra["token"]
    if known.password and (not known.user or known.user.lower() in _BEARER):
        return known.password
    return known.user if not known.password else None


def answer(opened: httpx.Client, url: httpx.URL) -> tuple[bytes, httpx.Response]:
    """Return the whole of what a service answers.

    Raises:
        Refused: it fails, or answers too much; the message says nothing of it.
    """
    with _failing(), opened.stream("GET", url) as response:
        _check(response)
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise Refused(f"answers more than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(body), response


def download(
    opened: httpx.Client, url: httpx.URL, file: Download, known_tag: str | None
) -> Iterator[int]:
    """Write what a service has to a file, on from where it broke off before.

    Args:
        opened: the client.
        url: what to ask for.
        file: where it goes, and how far it had come.
        known_tag: the tag of the version that need not come again.

    Yields:
        How many bytes have come.

    Raises:
        Refused: it fails; what has come stays.
        OSError: the file cannot be written.
    """
    headers = {"If-None-Match": known_tag} if known_tag else {}
    before = file.done
    if before and file.tag:
        headers = {"Range": f"bytes={before}-", "If-Range": file.tag}
    with _failing(), opened.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            file.is_known = True
            return
        _check(response)
        goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
        if goes_on and not response.headers.get("Content-Range", "").startswith(
            f"bytes {before}-"
        ):
            file.path.unlink()
            raise Refused("sends another part than was asked for", may_pass=True)
        tag = response.headers.get("ETag")
        file.tag = tag if tag and not tag.startswith("W/") else None
        if not goes_on:
            file.path.unlink(missing_ok=True)
        with open_private(file.path, _APPEND) as target:
            for chunk in response.iter_bytes():
                target.write(chunk)
                yield file.done
    if file.done == 0:
        raise Refused("is empty: zero bytes")


@contextmanager
def _failing() -> Iterator[None]:
    """Refuse what fails on the way."""
    try:
        yield
    except httpx.TooManyRedirects:
        raise Refused("redirects without end") from None
    except httpx.TimeoutException:
        raise Refused("does not answer in time", may_pass=True) from None
    except httpx.RemoteProtocolError:
        raise Refused("breaks off its answer", may_pass=True) from None
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error).upper():
            raise Refused("has a certificate that is not trusted here") from None
        raise Refused("cannot be reached", may_pass=True) from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise Refused("leads to what is no web address") from None
    except httpx.HTTPError:
        raise Refused("cannot be read", may_pass=True) from None


def _check(response: httpx.Response) -> None:
    """Refuse an answer that is none.

    Raises:
        Refused: by its status; a service that asks to wait is waited for.
    """
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Refused(f"refuses the credentials (status {status})")
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise Refused(f"has nothing there (status {status})")
    may_pass = status in _MAY_PASS or status >= 500
    raise Refused(
        f"fails (status {status})",
        may_pass=may_pass,
        wait=_asked_wait(response) if may_pass else None,
    )


def _asked_wait(response: httpx.Response) -> float | None:
    """Return the seconds that a service asks to wait, None where it asks nothing."""
    said: str = response.headers.get("Retry-After", "")
    if said.isdigit():
        return float(said)
    try:
        until = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds: float = (until - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds)
