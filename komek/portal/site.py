"""What the routes share: the home's files, accounts and log, and who asks."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from komek.base.places import Home
from komek.portal.access import AccessLog, Shown
from komek.portal.accounts import Accounts, Visitor
from komek.portal.files import Files, NotThereError
from komek.portal.jobs import Jobs

_WINDOW_SECONDS = 60.0


class Limit:
    """So many a minute for each name; it forgets with the minute."""

    def __init__(self, most: int) -> None:
        """Take how many there may be in a minute."""
        self._most = most
        self._counts: dict[str, int] = {}
        self._since = time.monotonic()
        self._lock = threading.Lock()

    def allows(self, name: str) -> bool:
        """Count one more of a name; say whether it is within the limit."""
        with self._lock:
            now = time.monotonic()
            if now - self._since > _WINDOW_SECONDS:
                self._counts.clear()
                self._since = now
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name] <= self._most


@dataclass(frozen=True)
class Options:
    """How the portal is served.

    Attributes:
        is_plain: without TLS, on this machine alone: cookies go in the open.
        a_minute: how many requests of one token or session.
        sign_ins_a_minute: how many attempts from one place.
    """

    is_plain: bool = False
    a_minute: int = 1200
    sign_ins_a_minute: int = 30


class Site:
    """The portal of one home."""

    def __init__(self, home: Home, options: Options) -> None:
        """Open accounts and log; files are opened as they are asked for."""
        self.home = home
        self.options = options
        self.files = Files(home)
        self.accounts = Accounts(home)
        self.log = AccessLog(home)
        self.jobs = Jobs(home)
        self.requests = Limit(options.a_minute)
        self.sign_ins = Limit(options.sign_ins_a_minute)

    def shows(
        self,
        request: Request,
        visitor: Visitor,
        what: str,
        of: str,
        people: Sequence[str],
        reason: str | None = None,
    ) -> None:
        """Note who is about to see which people; in the log first, then on the page."""
        self.log.note(visitor, origin(request), Shown(what, of, people, reason))


def site_of(request: Request) -> Site:
    """Return the site that a request is to."""
    site = request.app.state.site
    if not isinstance(site, Site):
        raise NotThereError
    return site


def origin(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else "unknown"
