"""The access log: every page with a person on it, every search, every download.

An entry says who, when, what, how many people, from where, and for a search why. The
people are in it by a keyed hash of their IIN: who has the IIN can ask who looked, and
nobody reads people off the log.
"""

import hmac
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from komek.base import database
from komek.base.files import make_private, new_file
from komek.base.places import Home
from komek.portal.accounts import Visitor, portal_folder
from komek.trust.ledger import Ledger

# As many hex digits of each hash: enough to tell a nation apart.
_DIGITS = 20
_SECRET_BYTES = 32
_RECHECKED_SECONDS = 60.0


@dataclass(frozen=True)
class Shown:
    """What was shown: which page or route, how many people, and who they are."""

    what: str
    of: str
    people: Sequence[str]
    reason: str | None = None


class AccessLog:
    """The access log of a home."""

    def __init__(self, home: Home) -> None:
        """Take the log's place, and its key; one is made where there is none."""
        folder = portal_folder(home)
        self.ledger = Ledger(folder / "access.jsonl")
        self._secret = _secret(home)
        self._checked: tuple[float, list[str]] | None = None

    def note(self, visitor: Visitor, origin: str, shown: Shown) -> None:
        """Append what is about to be shown; nothing is shown that is not in the log.

        Raises:
            UnwritableError: the log cannot be written.
        """
        said: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "who": visitor.name,
            "role": str(visitor.role),
            "what": shown.what,
            "of": shown.of,
            "people": len(shown.people),
            "from": origin,
            "persons": sorted(self._hashes(shown.people)),
        }
        if shown.reason is not None:
            said["reason"] = shown.reason
        self.ledger.append(said)

    def about(self, iin: str) -> list[dict[str, Any]]:
        """Return the entries in which a person was shown, the oldest first."""
        sought = {_hash(key, iin) for key in self._keys()}
        return [
            without_persons(entry.sequence, entry.said)
            for entry in self.ledger.entries()
            if not sought.isdisjoint(entry.said["persons"])
        ]

    def page(self, begin: int, most: int) -> tuple[list[dict[str, Any]], int]:
        """Return entries from the newest on, after `begin` of them, and how many."""
        found, total = self.ledger.page(begin, most)
        return [without_persons(e.sequence, e.said) for e in found], total

    def wrong(self) -> list[str]:
        """Return what is wrong with the log; a long one is read once a minute."""
        now = time.monotonic()
        if self._checked is None or now - self._checked[0] > _RECHECKED_SECONDS:
            self._checked = now, self.ledger.wrong()
        return self._checked[1]

    def _hashes(self, people: Iterable[str]) -> set[str]:
        *_, key = self._keys()
        return {_hash(key, iin) for iin in people}

    def _keys(self) -> list[bytes]:
        """Return what hashes were made with, the present key last."""
        keys = [self._secret]
        if database.encrypts():
            keys.append(hmac.digest(self._secret, database.key_of().encode(), "sha256"))
        return keys


def without_persons(sequence: int, said: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an entry as people read it."""
    hidden = ("persons", "previous", "sequence")
    plain = {name: value for name, value in said.items() if name not in hidden}
    return {"sequence": sequence, "reason": None, **plain}


def _hash(key: bytes, iin: str) -> str:
    return hmac.digest(key, iin.encode(), "sha256").hex()[:_DIGITS]


def _secret(home: Home) -> bytes:
    path = portal_folder(home) / "access.key"
    make_private(path.parent)
    if not path.exists():
        partial = path.with_name(f"access.key.{os.getpid()}")
        partial.unlink(missing_ok=True)
        with new_file(partial) as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
        # Of two processes that make one at once, one is first.
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_bytes()
