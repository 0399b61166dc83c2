"""`komek serve`, `user`, `token` and `access`: read arguments, print what came of it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from komek.base.errors import UsageError, printable
from komek.base.places import Home, default_home
from komek.explain.person import is_iin
from komek.portal.access import AccessLog
from komek.portal.accounts import Accounts

_home = click.option(
    "--home",
    "home_path",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is written (default: data/ in the project).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def _home_at(path: Path | None) -> Home:
    return Home(path.resolve()) if path else default_home()


@click.command()
@_home
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8118, show_default=True,
    help="0: any that is free.",
)
@click.option("--demo", is_flag=True, help="An account and a token per role, printed.")
@click.option("--insecure", is_flag=True, help="No TLS, on this machine alone.")
@click.option("--certificate", type=_file, help="PEM file to speak TLS with.")
@click.option("--certificate-key", type=_file, help="PEM file of its key.")
@click.option("--proxy", help="Addresses of what ends TLS in front of it.")
@click.option(
    "--rate", type=click.IntRange(min=1), default=1200, show_default=True,
    help="Requests a minute of one token or session.",
)
@_json
def serve(
    home_path: Path | None,
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
    from komek.portal.serve import Address, serve as served  # noqa: PLC0415

    if (certificate is None) != (certificate_key is None):
        raise click.UsageError("--certificate and --certificate-key go together")
    # A demonstration is for a browser beside it.
    is_plain = insecure or (demo and certificate is None and proxy is None)
    address = Address(host, port, certificate, certificate_key, proxy, is_plain)
    served(
        _home_at(home_path), address, rate, _say, demo=demo, as_json=as_json
    )


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
@_home
@_json
def add_user(
    name: str,
    role: str,
    totp: bool,
    password_stdin: bool,
    home_path: Path | None,
    as_json: bool,
) -> None:
    """Add the account NAME; without a given password it gets one, printed once."""
    accounts = Accounts(_home_at(home_path))
    given = _given_password(password_stdin)
    password = accounts.add_user(name, role, given)
    told = {"user": name, "role": role}
    if given is None:
        told["password"] = password
    if totp:
        told["totp"] = accounts.set_totp(name)
    _tell(told, as_json)


@user.command("list")
@_home
@_json
def list_users(home_path: Path | None, as_json: bool) -> None:
    """List the accounts."""
    _tell_all(Accounts(_home_at(home_path)).users(), "users", as_json)


@user.command("disable")
@click.argument("name")
@_home
def disable_user(name: str, home_path: Path | None) -> None:
    """Disable the account NAME and end its sessions."""
    Accounts(_home_at(home_path)).disable(name)


@user.command("passwd")
@click.argument("name")
@_stdin
@_home
@_json
def change_password(
    name: str, password_stdin: bool, home_path: Path | None, as_json: bool
) -> None:
    """Give the account NAME a new password; its sessions end."""
    given = _given_password(password_stdin)
    password = Accounts(_home_at(home_path)).set_password(name, given)
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
@click.option("--expires", help="The last day it serves, YYYY-MM-DD.")
@_home
@_json
def add_token(
    role: str, expires: str | None, home_path: Path | None, as_json: bool
) -> None:
    """Add a token; it is printed once."""
    token_id, made = Accounts(_home_at(home_path)).add_token(role, _day(expires))
    told = {"id": token_id, "role": role, "expires_on": expires, "token": made}
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(made)


@token.command("list")
@_home
@_json
def list_tokens(home_path: Path | None, as_json: bool) -> None:
    """List the tokens, by id."""
    _tell_all(Accounts(_home_at(home_path)).tokens(), "tokens", as_json)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@_home
def revoke_token(token_id: str, home_path: Path | None) -> None:
    """Revoke the token ID."""
    Accounts(_home_at(home_path)).revoke(token_id)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  (a day)
    except ValueError:
        raise UsageError(f"{text!r} is not a date of the form YYYY-MM-DD") from None


# The access log


@click.command()
@click.argument("iin")
@_home
@_json
def access(iin: str, home_path: Path | None, as_json: bool) -> None:
    """Show who looked at a person: when, what, from where, and why."""
    if not is_iin(iin):
        raise UsageError("not an IIN: it takes 12 digits, of which the last checks")
    log = AccessLog(_home_at(home_path))
    entries, wrong = log.about(iin), log.ledger.wrong()
    if as_json:
        click.echo(json.dumps({"entries": entries, "wrong": wrong}, ensure_ascii=False))
        return
    for entry in entries:
        reason = f", because: {entry['reason']}" if entry["reason"] else ""
        click.echo(
            printable(
                f"{entry['at']}  {entry['who']} ({entry['role']}), {entry['what']}"
                f" {entry['of']}, {entry['people']} people, from {entry['from']}{reason}",
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
            click.echo(printable("  ".join(f"{k}: {v}" for k, v in one.items()), keep=""))
