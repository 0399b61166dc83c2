"""`komek serve`, `user`, `token` and `access`: what they ask and print."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from komek.base.errors import UsageError, printable
from komek.explain.person import is_iin
from komek.portal.access import AccessLog
from komek.portal.accounts import Accounts
from komek.terminal.options import Day, home_at, home_option, json_option

_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@home_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8118,
    show_default=True,
    help="0: any that is free.",
)
@click.option("--demo", is_flag=True, help="An account and a token per role, printed.")
@click.option("--insecure", is_flag=True, help="No TLS, on this machine alone.")
@click.option("--certificate", type=_file, help="PEM file to speak TLS with.")
@click.option("--certificate-key", type=_file, help="PEM file of its key.")
@click.option("--proxy", help="Addresses of what ends TLS in front of it.")
@click.option(
    "--rate",
    type=click.IntRange(min=1),
    default=1200,
    show_default=True,
    help="Requests a minute of one token or session.",
)
@json_option
def serve(
    home: Path | None,
    host: str,
    port: int,
    demo: bool,
    insecure: bool,
    certificate: Path | None,
    certificate_key: Path | None,
    proxy: str | None,
    rate: int,
    as_json: bool,
) -> None:
    """Serve the portal: lists, people, papers, figures, to each role its own."""
    # What it serves with takes a second to import.
    from komek.portal import serve as serving  # noqa: PLC0415

    if (certificate is None) != (certificate_key is None):
        raise click.UsageError("--certificate and --certificate-key go together")
    # A demonstration is for a browser beside it.
    is_plain = insecure or (demo and certificate is None and proxy is None)
    address = serving.Address(host, port, certificate, certificate_key, proxy, is_plain)
    serving.serve(home_at(home), address, rate, _say, demo=demo, as_json=as_json)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


# Accounts


@click.group()
def user() -> None:
    """Manage who may sign in to the portal."""


@user.command("add")
@click.argument("name")
@click.option("--role", required=True, help="Such as region:110000000, or auditor.")
@click.option("--totp", is_flag=True, help="Ask for a code of an app, too.")
@_stdin
@home_option
@json_option
def add_user(
    name: str,
    role: str,
    totp: bool,
    password_stdin: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Add the account NAME; without a given password it gets one, printed once."""
    accounts = Accounts(home_at(home))
    given = _given_password(password_stdin)
    password = accounts.add_user(name, role, given)
    told = {"user": name, "role": role}
    if given is None:
        told["password"] = password
    if totp:
        told["totp"] = accounts.set_totp(name)
    _tell(told, as_json)


@user.command("list")
@home_option
@json_option
def list_users(home: Path | None, as_json: bool) -> None:
    """List the accounts."""
    _tell_all(Accounts(home_at(home)).users(), "users", as_json)


@user.command("disable")
@click.argument("name")
@home_option
def disable_user(name: str, home: Path | None) -> None:
    """Disable the account NAME and end its sessions."""
    Accounts(home_at(home)).disable(name)


@user.command("passwd")
@click.argument("name")
@_stdin
@home_option
@json_option
def change_password(
    name: str, password_stdin: bool, home: Path | None, as_json: bool
) -> None:
    """Give the account NAME a new password; its sessions end."""
    given = _given_password(password_stdin)
    password = Accounts(home_at(home)).set_password(name, given)
    _tell({"user": name} | ({} if given else {"password": password}), as_json)


def _given_password(from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        given = click.prompt(
            "Password (empty: a new one is made)",
            hide_input=True,
            default="",
            show_default=False,
            confirmation_prompt=True,
        )
        return str(given) or None
    return None


# Tokens


@click.group()
def token() -> None:
    """Manage the tokens of /api/v1."""


@token.command("add")
@click.option("--role", required=True, help="Such as region:110000000, or auditor.")
@click.option("--expires", type=Day(), help="The last day it serves.")
@home_option
@json_option
def add_token(
    role: str, expires: date | None, home: Path | None, as_json: bool
) -> None:
    """Add a token; it is printed once."""
    token_id, made = Accounts(home_at(home)).add_token(role, expires)
    told = {
        "id": token_id,
        "role": role,
        "expires_on": expires and expires.isoformat(),
        "token": made,
    }
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(made)


@token.command("list")
@home_option
@json_option
def list_tokens(home: Path | None, as_json: bool) -> None:
    """List the tokens, by id."""
    _tell_all(Accounts(home_at(home)).tokens(), "tokens", as_json)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@home_option
def revoke_token(token_id: str, home: Path | None) -> None:
    """Revoke the token ID."""
    Accounts(home_at(home)).revoke(token_id)


# The access log


@click.command()
@click.argument("iin")
@home_option
@json_option
def access(iin: str, home: Path | None, as_json: bool) -> None:
    """Show who looked at a person: when, what, from where, and why."""
    if not is_iin(iin):
        raise UsageError("not an IIN: it takes 12 digits, of which the last checks")
    log = AccessLog(home_at(home))
    entries, wrong = log.about(iin), log.ledger.wrong()
    if as_json:
        click.echo(json.dumps({"entries": entries, "wrong": wrong}, ensure_ascii=False))
        return
    for entry in entries:
        reason = f", because: {entry['reason']}" if entry["reason"] else ""
        click.echo(
            printable(
                f"{entry['at']}  {entry['who']} ({entry['role']}), {entry['what']}"
                f" {entry['of']}, {entry['people']} people, from {entry['from']}"
                f"{reason}",
                keep="",
            )
        )
    if not entries:
        click.echo("nobody looked")
    for line in wrong:
        click.echo(f"note: {line}")


def _tell(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for name, value in told.items():
            click.echo(printable(f"{name}: {value}", keep=""))


def _tell_all(found: Iterable[Any], name: str, as_json: bool) -> None:
    plain = [asdict(one) for one in found]
    if as_json:
        click.echo(json.dumps({name: plain}, ensure_ascii=False))
    else:
        for one in plain:
            click.echo(
                printable("  ".join(f"{k}: {v}" for k, v in one.items()), keep="")
            )
