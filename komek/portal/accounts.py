"""Who may use the portal: accounts, tokens and sessions, in one SQLite file.

Of a password the file has argon2id's hash, of a token or a session the SHA-256: whoever
reads the file can sign in with none of them.
"""

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import argon2
import pyotp

from komek.base.errors import UsageError
from komek.base.files import make_private
from komek.base.places import Home
from komek.portal import roles
from komek.portal.roles import Role

IDLE_SECONDS = 15 * 60
# A working day: after it one signs in anew, however busy.
_LONGEST_SECONDS = 12 * 3600
_FAILURES = 5
_LOCKED_SECONDS = 15 * 60
_SHORTEST = 12
_LONGEST_PASSWORD = 200
_SCHEMA = """
create table if not exists users (
    name text primary key, role text not null, password text not null, totp text,
    disabled integer not null default 0, demo integer not null default 0,
    failures integer not null default 0, locked_until real not null default 0,
    last_code text
);
create table if not exists tokens (
    id text primary key, sha256 text not null unique, role text not null,
    expires_on text, revoked integer not null default 0,
    demo integer not null default 0, made_on text not null
);
create table if not exists sessions (
    sha256 text primary key, user text not null, role text not null,
    csrf text not null, started real not null, seen real not null
);
"""
# 19 MiB while it lasts: what OWASP's Password Storage Cheat Sheet asks for at least.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_hashing = threading.Semaphore(2)
# Compared with where there is no such account: a miss takes as long.
_NOBODY = _hasher.hash(secrets.token_hex())


@dataclass(frozen=True)
class Visitor:
    """Who asks: the account's or token's name, and its role."""

    name: str
    role: Role
    csrf: str = ""
    session: str = ""


@dataclass(frozen=True)
class Account:
    """An account as it is listed."""

    name: str
    role: str
    disabled: bool
    has_totp: bool


@dataclass(frozen=True)
class Token:
    """A token as it is listed; what it is stands nowhere."""

    id: str
    role: str
    expires_on: str | None
    revoked: bool


def portal_folder(home: Home) -> Path:
    """Return where the portal keeps what it writes."""
    return home.root / "portal"


class Accounts:
    """The accounts, tokens and sessions of a home."""

    def __init__(self, home: Home) -> None:
        """Open the file, or make it."""
        self._path = portal_folder(home) / "accounts.sqlite"
        make_private(self._path.parent)
        self._path.touch(mode=0o600)
        with self._open() as file:
            file.executescript(f"pragma journal_mode = wal; {_SCHEMA}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        file = sqlite3.connect(self._path, timeout=30)
        try:
            file.row_factory = sqlite3.Row
            file.execute("pragma synchronous = normal")
            with file:
                yield file
        finally:
            file.close()

    # Accounts

    def add_user(
        self, name: str, role: str, password: str | None = None, *, demo: bool = False
    ) -> str:
        """Add an account; return its password, a new one where none is given.

        Raises:
            UsageError: the name is taken or none, the role is none, or the password is
                too short.
        """
        if not 1 <= len(name) <= 64 or not name.isprintable() or name.strip() != name:
            raise UsageError("an account's name has 1 to 64 characters, none unseen")
        given = str(roles.parsed(role))
        password = _password(password)
        with self._open() as file:
            if file.execute("select 1 from users where name = ?", [name]).fetchone():
                raise UsageError(f"there is an account {name!r} already")
            file.execute(
                "insert into users (name, role, password, demo) values (?, ?, ?, ?)",
                [name, given, _hasher.hash(password), demo],
            )
        return password

    def users(self) -> list[Account]:
        """Return the accounts by name."""
        with self._open() as file:
            rows = file.execute("select * from users order by name").fetchall()
        return [
            Account(row["name"], row["role"], bool(row["disabled"]), bool(row["totp"]))
            for row in rows
        ]

    def disable(self, name: str) -> None:
        """Disable an account and end its sessions.

        Raises:
            UsageError: there is no such account.
        """
        self._change(name, "disabled = 1")
        self.end_sessions(name)

    def set_password(self, name: str, password: str | None = None) -> str:
        """Set a new password and end the account's sessions; return it.

        Raises:
            UsageError: there is no such account, or the password is too short.
        """
        password = _password(password)
        hashed = _hasher.hash(password)
        self._change(name, "password = ?, failures = 0, locked_until = 0", hashed)
        self.end_sessions(name)
        return password

    def set_totp(self, name: str) -> str:
        """Ask for a second factor from now on; return the address that apps take in.

        Raises:
            UsageError: there is no such account.
        """
        secret = pyotp.random_base32()
        self._change(name, "totp = ?", secret)
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Kömek")

    def _change(self, name: str, what: str, *values: object) -> None:
        with self._open() as file:
            changed = file.execute(
                f"update users set {what} where name = ?", [*values, name]
            )
            if not changed.rowcount:
                raise UsageError(f"there is no account {name!r}")

    # Signing in

    def signed_in(self, name: str, password: str, code: str = "") -> Role | None:
        """Return the role of an account whose password and code are right.

        After some failures an account is locked for a while: nothing is right then, and
        nobody is told.
        """
        with self._open() as file:
            user = file.execute("select * from users where name = ?", [name]).fetchone()
        hashed = user["password"] if user else _NOBODY
        password = password[:_LONGEST_PASSWORD]
        with _hashing:
            right = _verified(hashed, password)
            # An account of another setting would take another time than a miss.
            if right and _hasher.check_needs_rehash(hashed):
                hashed = _hasher.hash(password)
        now = time.time()
        if user is None:
            return None
        if user["totp"]:
            right &= code != user["last_code"] and pyotp.TOTP(user["totp"]).verify(
                code, valid_window=1
            )
        if user["disabled"] or user["locked_until"] > now:
            return None
        with self._open() as file:
            if right:
                file.execute(
                    "update users set failures = 0, last_code = ?, password = ?"
                    " where name = ?",
                    [code or None, hashed, name],
                )
            else:
                file.execute(
                    "update users set failures = (failures + 1) % ?, locked_until ="
                    " case when failures + 1 >= ? then ? else locked_until end"
                    " where name = ?",
                    [_FAILURES, _FAILURES, now + _LOCKED_SECONDS, name],
                )
        return roles.parsed(user["role"]) if right else None

    def start_session(self, name: str, role: Role) -> str:
        """Start a session; return what the cookie holds."""
        cookie, now = secrets.token_urlsafe(32), time.time()
        with self._open() as file:
            file.execute(
                "delete from sessions where seen < ? or started < ?",
                [now - IDLE_SECONDS, now - _LONGEST_SECONDS],
            )
            file.execute(
                "insert into sessions values (?, ?, ?, ?, ?, ?)",
                [_sha256(cookie), name, str(role), secrets.token_urlsafe(24), now, now],
            )
        return cookie

    def session(self, cookie: str) -> Visitor | None:
        """Return whose session a cookie is, None where it is none or has ended."""
        sha256, now = _sha256(cookie), time.time()
        with self._open() as file:
            row = file.execute(
                "select * from sessions where sha256 = ?", [sha256]
            ).fetchone()
            if row is None:
                return None
            if row["seen"] < now - IDLE_SECONDS or (
                row["started"] < now - _LONGEST_SECONDS
            ):
                file.execute("delete from sessions where sha256 = ?", [sha256])
                return None
            # Not at every request: it would be written each time.
            if row["seen"] < now - 20:
                file.execute(
                    "update sessions set seen = ? where sha256 = ?", [now, sha256]
                )
        return Visitor(row["user"], roles.parsed(row["role"]), row["csrf"], sha256)

    def end_session(self, cookie: str) -> None:
        """End a session."""
        with self._open() as file:
            file.execute("delete from sessions where sha256 = ?", [_sha256(cookie)])

    def end_sessions(self, name: str) -> None:
        """End all sessions of an account."""
        with self._open() as file:
            file.execute("delete from sessions where user = ?", [name])

    # Tokens

    def add_token(
        self, role: str, expires_on: date | None = None, *, demo: bool = False
    ) -> tuple[str, str]:
        """Add a token; return its id and the token, which stands nowhere after.

        Raises:
            UsageError: the role is none.
        """
        given = str(roles.parsed(role))
        token, token_id = f"komek_{secrets.token_urlsafe(32)}", secrets.token_hex(4)
        expires = expires_on.isoformat() if expires_on else None
        with self._open() as file:
            file.execute(
                "insert into tokens (id, sha256, role, expires_on, demo, made_on)"
                " values (?, ?, ?, ?, ?, ?)",
                [token_id, _sha256(token), given, expires, demo, _today()],
            )
        return token_id, token

    def tokens(self) -> list[Token]:
        """Return the tokens, the oldest first."""
        with self._open() as file:
            rows = file.execute("select * from tokens order by made_on, id").fetchall()
        return [
            Token(row["id"], row["role"], row["expires_on"], bool(row["revoked"]))
            for row in rows
        ]

    def revoke(self, token_id: str) -> None:
        """Revoke a token.

        Raises:
            UsageError: there is no such token.
        """
        with self._open() as file:
            changed = file.execute(
                "update tokens set revoked = 1 where id = ?", [token_id]
            )
            if not changed.rowcount:
                raise UsageError(f"there is no token {token_id!r}")

    def bearer(self, token: str) -> Visitor | None:
        """Return whose token it is; None where it is none, revoked, or expired.

        A token serves to the end of the day it expires on.
        """
        with self._open() as file:
            row = file.execute(
                "select * from tokens where sha256 = ?", [_sha256(token)]
            ).fetchone()
        if row is None or row["revoked"]:
            return None
        if row["expires_on"] and row["expires_on"] < _today():
            return None
        return Visitor(f"token {row['id']}", roles.parsed(row["role"]))

    def delete_demo(self) -> None:
        """Delete the accounts and tokens that a demonstration made."""
        with self._open() as file:
            file.execute(
                "delete from sessions where user in"
                " (select name from users where demo = 1)"
            )
            file.execute("delete from users where demo = 1")
            file.execute("delete from tokens where demo = 1")


def _password(given: str | None) -> str:
    if given is None:
        return secrets.token_urlsafe(12)
    if not _SHORTEST <= len(given) <= _LONGEST_PASSWORD:
        raise UsageError(
            f"a password has {_SHORTEST} to {_LONGEST_PASSWORD} characters"
        )
    return given


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (argon2.exceptions.VerificationError, UnicodeError):
        return False


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
