"""The environment variables: each read in one place, when it is asked for."""

import ast
import os
from collections.abc import Iterator
from dataclasses import fields

import pytest

from komek.base.places import DAGS, PACKAGE, PROJECT
from komek.base.settings import Settings, environment, settings

VARIABLES = {
    "home": "KOMEK_HOME",
    "drop": "KOMEK_DROP",
    "key": "KOMEK_KEY",
    "signing_key": "KOMEK_SIGNING_KEY",
    "verify_key": "KOMEK_VERIFY_KEY",
    "memory_limit": "KOMEK_MEMORY_LIMIT",
    "asks_approval": "KOMEK_APPROVAL",
    "collector": "OPENLINEAGE_URL",
    "oidc_issuer": "KOMEK_OIDC_ISSUER",
    "oidc_client": "KOMEK_OIDC_CLIENT",
    "oidc_secret": "KOMEK_OIDC_SECRET",
    "oidc_claim": "KOMEK_OIDC_CLAIM",
}


def test_every_setting_is_described() -> None:
    assert {field.name for field in fields(Settings)} == {*VARIABLES}
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for name, variable in VARIABLES.items():
        assert f"{name}: {variable}, " in (Settings.__doc__ or "")
        assert variable in readme


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
