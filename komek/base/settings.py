"""The environment: every variable that komek reads or sets, and nothing else does.

They are read when somebody asks, never when a module is imported.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import TypeVar, overload

from komek.base.errors import UsageError

T = TypeVar("T")

# Named in messages.
KEY = "KOMEK_KEY"
SIGNING_KEY = "KOMEK_SIGNING_KEY"
VERIFY_KEY = "KOMEK_VERIFY_KEY"
MEMORY_LIMIT = "KOMEK_MEMORY_LIMIT"
PAYER = "KOMEK_PAYER"


@dataclass(frozen=True)
class Settings:
    """What the environment sets; an empty variable sets nothing.

    Attributes:
        home: KOMEK_HOME, where everything is written; None: `data/` in the project.
        drop: KOMEK_DROP, the folder or URL that registries are pulled from; None:
            `data/drop` in the project.
        sources: KOMEK_SOURCES, the file that says where this installation's registries
            come from; None: as `registries.yml` says.
        key: KOMEK_KEY, the passphrase that what is written is encrypted under; None:
            it is not encrypted.
        signing_key: KOMEK_SIGNING_KEY, what the chain's links are signed with, 32 bytes
            in Base64 or the path of a PEM file; None: they are not signed.
        verify_key: KOMEK_VERIFY_KEY, the public keys that links are held against, the
            path of a PEM file; None: that of the signing key, if there is one.
        memory_limit: KOMEK_MEMORY_LIMIT, what DuckDB may take, in its words (`4GB`);
            None: 60% of the machine's, at most 6 GiB.
        asks_approval: KOMEK_APPROVAL, `1` where a person approves of each publication.
        collector: OPENLINEAGE_URL, where lineage events go beside the run's reports;
            None: nowhere.
        payer: KOMEK_PAYER, the TOML file that says who pays, for the bank's files;
            None: these are not made.
        oidc_issuer: KOMEK_OIDC_ISSUER, the OpenID provider that the portal lets sign
            in; None: accounts of its own alone.
        oidc_client: KOMEK_OIDC_CLIENT, the portal's name there.
        oidc_secret: KOMEK_OIDC_SECRET, its secret there.
        oidc_claim: KOMEK_OIDC_CLAIM, the claim that has the role; None: `komek_role`.
    """

    home: str | None
    drop: str | None
    sources: str | None
    key: str | None = field(repr=False)
    signing_key: str | None = field(repr=False)
    verify_key: str | None
    memory_limit: str | None
    asks_approval: bool
    collector: str | None
    payer: str | None
    oidc_issuer: str | None
    oidc_client: str | None
    oidc_secret: str | None = field(repr=False)
    oidc_claim: str | None


def settings() -> Settings:
    """Return what the environment sets now."""
    return Settings(
        home=_given("KOMEK_HOME"),
        drop=_given("KOMEK_DROP"),
        sources=_given("KOMEK_SOURCES"),
        key=_given(KEY),
        signing_key=_given(SIGNING_KEY),
        verify_key=_given(VERIFY_KEY),
        memory_limit=_given(MEMORY_LIMIT),
        asks_approval=_given("KOMEK_APPROVAL") == "1",
        collector=_given("OPENLINEAGE_URL"),
        payer=_given(PAYER),
        oidc_issuer=_given("KOMEK_OIDC_ISSUER"),
        oidc_client=_given("KOMEK_OIDC_CLIENT"),
        oidc_secret=_given("KOMEK_OIDC_SECRET"),
        oidc_claim=_given("KOMEK_OIDC_CLAIM"),
    )


@dataclass(frozen=True)
class Scheduling:
    """What the environment sets for a scheduler; an empty variable sets nothing.

    Attributes:
        approvers: KOMEK_APPROVERS, who may, by the names they sign in with, separated
            by commas; none: whoever may see the page.
        approval_hours: KOMEK_APPROVAL_HOURS, how long a question waits for its answer
            until the run is filed; 20 unless given.
        day: KOMEK_DAY, the day that stands in for today's, for a demo; None: today.
        deadline: KOMEK_DEADLINE, when the pulls of a day should have ended, HH:MM in
            Almaty; 09:00 unless given.
        goes_on: KOMEK_PAST_DEADLINE, `go_on` where a day is decided on the last
            snapshots of registries that are late, as far as their tolerances allow.
        retry_seconds: KOMEK_RETRY_SECONDS, how long a failed task waits until it is
            tried again; 300 unless given.
        alert_webhook: KOMEK_ALERT_WEBHOOK, a URL that is told of failures.
        alert_emails: KOMEK_ALERT_EMAILS, who is written to of failures.
        smtp: KOMEK_SMTP, by which server, `smtp://user:password@host:587`.
        alert_sender: KOMEK_ALERT_SENDER, in whose name.
    """

    approvers: tuple[str, ...]
    approval_hours: float
    day: date | None
    deadline: time
    goes_on: bool
    retry_seconds: float
    alert_webhook: str | None = field(repr=False)
    alert_emails: tuple[str, ...]
    smtp: str | None = field(repr=False)
    alert_sender: str


def scheduling() -> Scheduling:
    """Return what the environment sets for a scheduler now.

    Raises:
        UsageError: a variable has a value of another kind.
    """
    return Scheduling(
        approvers=_several("KOMEK_APPROVERS"),
        approval_hours=_read("KOMEK_APPROVAL_HOURS", float, "20"),
        day=_read("KOMEK_DAY", date.fromisoformat, None),
        deadline=_read("KOMEK_DEADLINE", time.fromisoformat, "09:00"),
        goes_on=_read("KOMEK_PAST_DEADLINE", _goes_on, "wait"),
        retry_seconds=_read("KOMEK_RETRY_SECONDS", float, "300"),
        alert_webhook=_given("KOMEK_ALERT_WEBHOOK"),
        alert_emails=_several("KOMEK_ALERT_EMAILS"),
        smtp=_given("KOMEK_SMTP"),
        alert_sender=_given("KOMEK_ALERT_SENDER") or "komek@localhost",
    )


def connection_variable(name: str) -> str:
    """Return the variable that has the URL of a connection: KOMEK_CONN_<ID>."""
    return f"KOMEK_CONN_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def connection_url(name: str) -> str | None:
    """Return the URL of a connection, with its password; None where none is set."""
    return _given(connection_variable(name))


def has_java() -> bool:
    """Say whether there is a Java to start: JAVA_HOME, or `java` on the path."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a tool that is called inside; put back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _given(name: str) -> str | None:
    return os.environ.get(name) or None


def _several(name: str) -> tuple[str, ...]:
    given = (_given(name) or "").split(",")
    return tuple(part.strip() for part in given if part.strip())


@overload
def _read(name: str, kind: Callable[[str], T], default: str) -> T: ...
@overload
def _read(name: str, kind: Callable[[str], T], default: None) -> T | None: ...
def _read(name: str, kind: Callable[[str], T], default: str | None) -> T | None:
    """Return a variable as a value of a kind, None where it has none."""
    given = _given(name) or default
    try:
        return None if given is None else kind(given)
    except ValueError:
        raise UsageError(f"{name} cannot be {given!r}") from None


def _goes_on(word: str) -> bool:
    if word not in ("wait", "go_on"):
        raise ValueError(word)
    return word == "go_on"
