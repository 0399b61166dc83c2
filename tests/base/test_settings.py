"""The environment variables: each read in one place, when it is asked for."""

import ast
import os
from collections.abc import Iterator
from dataclasses import fields

import pytest

from komek.base.errors import UsageError
from komek.base.places import DAGS, PACKAGE, PROJECT
from komek.base.settings import (
    Scheduling,
    Settings,
    environment,
    scheduling,
    settings,
)

VARIABLES = {
    "home": "KOMEK_HOME",
    "drop": "KOMEK_DROP",
    "sources": "KOMEK_SOURCES",
    "key": "KOMEK_KEY",
    "signing_key": "KOMEK_SIGNING_KEY",
    "verify_key": "KOMEK_VERIFY_KEY",
    "memory_limit": "KOMEK_MEMORY_LIMIT",
    "asks_approval": "KOMEK_APPROVAL",
    "collector": "OPENLINEAGE_URL",
    "payer": "KOMEK_PAYER",
    "oidc_issuer": "KOMEK_OIDC_ISSUER",
    "oidc_client": "KOMEK_OIDC_CLIENT",
    "oidc_secret": "KOMEK_OIDC_SECRET",
    "oidc_claim": "KOMEK_OIDC_CLAIM",
}


OF_A_SCHEDULER = {
    "approvers": "KOMEK_APPROVERS",
    "approval_hours": "KOMEK_APPROVAL_HOURS",
    "day": "KOMEK_DAY",
    "deadline": "KOMEK_DEADLINE",
    "goes_on": "KOMEK_PAST_DEADLINE",
    "retry_seconds": "KOMEK_RETRY_SECONDS",
    "alert_webhook": "KOMEK_ALERT_WEBHOOK",
    "alert_emails": "KOMEK_ALERT_EMAILS",
    "smtp": "KOMEK_SMTP",
    "alert_sender": "KOMEK_ALERT_SENDER",
}


def test_every_setting_of_a_scheduler_is_described() -> None:
    assert {field.name for field in fields(Scheduling)} == {*OF_A_SCHEDULER}
    deployed = (PROJECT / "deploy" / "komek.env").read_text(encoding="utf-8")
    for name, variable in OF_A_SCHEDULER.items():
        assert f"{name}: {variable}, " in (Scheduling.__doc__ or "")
        assert f"{variable}=" in deployed


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KOMEK_DAY", "20 April"),
        ("KOMEK_DEADLINE", "nine"),
        ("KOMEK_PAST_DEADLINE", "maybe"),
        ("KOMEK_APPROVAL_HOURS", "long"),
    ],
)
def test_a_setting_of_another_kind_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UsageError, match=f"{variable} cannot be '{value}'"):
        scheduling()


def test_no_secret_of_a_scheduler_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("KOMEK_SMTP", "KOMEK_ALERT_WEBHOOK"):
        monkeypatch.setenv(variable, "https://user:passphrase@host")

    assert "passphrase" not in repr(scheduling())


def test_every_setting_is_described() -> None:
    assert {field.name for field in fields(Settings)} == {*VARIABLES}
    pages = [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")]
    told = "".join(page.read_text(encoding="utf-8") for page in pages)
    for name, variable in VARIABLES.items():
        assert f"{name}: {variable}, " in (Settings.__doc__ or "")
        assert variable in told


@pytest.mark.parametrize(("name", "variable"), VARIABLES.items())
def test_a_setting_is_what_its_variable_is_now(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    set_to_one = getattr(settings(), name)
    monkeypatch.setenv(variable, "")
    empty = getattr(settings(), name)
    monkeypatch.delenv(variable)

    assert set_to_one in ("1", True)
    assert empty == getattr(settings(), name)
    assert not empty


def test_a_passphrase_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOMEK_KEY", "a passphrase of ours")

    assert "passphrase" not in repr(settings())


def test_variables_are_set_for_what_is_called_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KOMEK_HOME", "before")
    monkeypatch.delenv("KOMEK_DROP", raising=False)
    with environment({"KOMEK_HOME": "inside", "KOMEK_DROP": "inside"}):
        assert (settings().home, settings().drop) == ("inside", "inside")

    assert (settings().home, settings().drop) == ("before", None)
    assert "KOMEK_DROP" not in os.environ


def of_the_environment() -> Iterator[str]:
    """Yield what names the environment in the package and the DAGs, by file."""
    for folder in (PACKAGE, DAGS):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = getattr(node, "attr", getattr(node, "name", None))
                if named in ("environ", "environb", "getenv", "getenvb"):
                    yield path.relative_to(PROJECT).as_posix()


def test_nothing_else_reads_the_environment() -> None:
    assert set(of_the_environment()) == {"komek/base/settings.py"}
