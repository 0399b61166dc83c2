"""The portal from the command line: accounts, tokens, who looked, and serving it."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from komek.base.errors import UsageError
from komek.base.places import Home
from komek.cli import cli
from komek.portal.accounts import Accounts
from visiting import Portal


def said(home: Home, *arguments: str, given: str = "") -> Any:
    """Return what a command prints as JSON."""
    full = [*arguments, "--home", str(home.root), "--json"]
    result = CliRunner().invoke(cli, full, input=given, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def run(home: Home, *arguments: str) -> None:
    CliRunner().invoke(
        cli,
        [*arguments, "--home", str(home.root)],
        catch_exceptions=False,
        standalone_mode=False,
    )


def test_accounts_are_added_listed_disabled_and_changed(portal: Portal) -> None:
    home, accounts = portal.home, Accounts(portal.home)
    made = said(home, "user", "add", "anna", "--role", "region:110000000")
    assert str(accounts.signed_in("anna", made["password"])) == "region:110000000"
    given = "a password of her own"
    changed = said(home, "user", "passwd", "anna", "--password-stdin", given=given)
    assert changed == {"user": "anna"}
    assert accounts.signed_in("anna", given)
    assert "totp" in said(home, "user", "add", "bek", "--role", "body:mse", "--totp")
    run(home, "user", "disable", "anna")
    assert accounts.signed_in("anna", given) is None
    assert [
        (one["name"], one["disabled"]) for one in said(home, "user", "list")["users"]
    ] == [
        ("anna", True),
        ("bek", False),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add", "anna", "--role", "king"),
        ("user", "add", "anna", "--role", "region:11"),
        ("user", "add", " anna", "--role", "auditor"),
        ("user", "disable", "nobody"),
        ("token", "add", "--role", "body:bank"),
        ("token", "revoke", "nothing"),
        ("access", "123"),
    ],
)
def test_wrong_usage_is_one_line(portal: Portal, arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run(portal.home, *arguments)


def test_tokens_are_added_listed_and_revoked(portal: Portal) -> None:
    home = portal.home
    made = said(home, "token", "add", "--role", "auditor", "--expires", "2999-12-31")
    header = {"Authorization": f"Bearer {made['token']}"}
    assert portal.client().get("/api/v1/regions", headers=header).status_code == 200
    (listed,) = said(home, "token", "list")["tokens"]
    assert (listed["id"], listed["expires_on"]) == (made["id"], "2999-12-31")
    run(home, "token", "revoke", made["id"])
    assert portal.client().get("/api/v1/regions", headers=header).status_code == 401


def test_access_says_who_looked_at_a_person(portal: Portal) -> None:
    region = portal.regions[0]
    (person, *_) = sorted(portal.people_of(region))
    portal.get(f"region:{region}", f"/api/v1/people/{person}", **{"X-Reason": "a call"})

    told = said(portal.home, "access", person)

    assert told["wrong"] == []
    assert [(one["role"], one["reason"]) for one in told["entries"]] == [
        (f"region:{region}", "a call")
    ]
    assert said(portal.home, "access", "900101300017")["entries"] == []


def test_plain_http_stays_on_this_machine(portal: Portal) -> None:
    for options in (["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--insecure"]):
        with pytest.raises(UsageError):
            run(portal.home, "serve", *options)


def test_a_demonstration_has_an_account_and_a_token_for_every_role(
    portal: Portal,
) -> None:
    home = str(portal.home.root)
    command = [sys.executable, "-m", "komek", "serve", "--home", home]
    with subprocess.Popen(
        [*command, "--port", "0", "--demo", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        try:
            told = json.loads(process.stdout.readline())
            roles = {account["role"] for account in told["accounts"]}
            assert roles == set(told["tokens"]) == set(portal.roles)
            for role in ("auditor", f"region:{portal.regions[0]}"):
                answer = httpx2.get(
                    f"{told['url']}/api/v1/regions",
                    headers={"Authorization": f"Bearer {told['tokens'][role]}"},
                )
                assert answer.status_code == 200
            assert httpx2.get(f"{told['url']}/sign-in").status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
        assert "Traceback" not in process.stderr.read()
    Accounts(portal.home).delete_demo()
    assert said(portal.home, "user", "list")["users"] == []
