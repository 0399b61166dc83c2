"""`komek serve`: the portal on a port of this machine."""

import ipaddress
import json
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from komek.base.errors import KomekError, UsageError
from komek.base.places import Home
from komek.portal.accounts import Accounts
from komek.portal.app import make_app
from komek.portal.files import Files
from komek.portal.roles import AUDITOR, BODY
from komek.portal.site import Options
from komek.publishing.packs import month_folder
from komek.publishing.publication import Publication
from komek.publishing.role_files import BODIES, ENGINEER, MINISTRY, REGION


@dataclass(frozen=True)
class Address:
    """Where to listen, and how TLS comes in front of it.

    Attributes:
        host: a name or address.
        port: 0 for any that is free.
        certificate: a PEM file to speak TLS with; None: something in front does.
        key: the PEM file of its key.
        proxy: the addresses of what stands in front and says who asks, None: nothing.
        is_plain: no TLS at all, which only this machine's own addresses may go without.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    proxy: str | None = None
    is_plain: bool = False


def serve(
    home: Home,
    address: Address,
    a_minute: int,
    say: Callable[[str], None],
    *,
    demo: bool = False,
    as_json: bool = False,
) -> None:
    """Serve a home's portal until the process is told to end.

    Args:
        home: the home whose publications are shown.
        address: where.
        a_minute: how many requests of one token or session a minute has.
        say: takes the first lines: where it is, and the accounts of a demonstration.
        demo: make an account and a token per role, for as long as it is served.
        as_json: say them as one JSON object.

    Raises:
        UsageError: plain HTTP would leave this machine.
        KomekError: the port is taken, or nothing is published for a demonstration.
    """
    if not (_is_loopback(address.host) or address.certificate or address.proxy):
        raise UsageError(
            f"{address.host} is not this machine alone: give --certificate and"
            " --certificate-key, or --proxy where TLS ends in front of it"
        )
    if address.is_plain and not _is_loopback(address.host):
        raise UsageError("--insecure is for addresses of this machine alone")
    accounts = Accounts(home)
    accounts.delete_demo()
    app = make_app(home, Options(address.is_plain, a_minute))
    listening = _listening(address)
    port = listening.getsockname()[1]
    scheme = "https" if address.certificate else "http"
    told: dict[str, Any] = {"url": f"{scheme}://{address.host}:{port}"}
    if demo:
        told |= _demo(home, accounts)
    if as_json:
        say(json.dumps(told))
    else:
        for line in _lines(told):
            say(line)
    logging.getLogger("komek.portal").addHandler(logging.StreamHandler())
    config = uvicorn.Config(
        app,
        log_level="warning",
        # Addresses have what was asked for: who saw whom stands in the access log.
        access_log=False,
        server_header=False,
        proxy_headers=address.proxy is not None,
        forwarded_allow_ips=address.proxy,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        limit_concurrency=200,
        timeout_keep_alive=15,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(address: Address) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        found = socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise KomekError(
            f"cannot listen on {address.host}:{address.port}: {error.strerror}"
        ) from None
    return found


def demo_roles(publication: Publication) -> list[str]:
    """Return every role; of the regions, those that have a published list."""
    month = publication.run.list_month
    regions = set(publication.published)
    if month is not None:
        packs = month_folder(publication.packs, month)
        regions |= {folder.name for folder in packs.glob("*/")}
    return [
        *(f"{REGION}:{kato}" for kato in sorted(regions)),
        *(f"{BODY}:{body}" for body in BODIES),
        MINISTRY,
        AUDITOR,
        ENGINEER,
    ]


def _demo(home: Home, accounts: Accounts) -> dict[str, Any]:
    publication = Files(home).publication()
    if publication is None:
        raise KomekError(f"nothing is published in {home.root}")
    made: dict[str, Any] = {"accounts": [], "tokens": {}}
    for role in demo_roles(publication):
        user = f"demo-{role.replace(':', '-')}"
        password = accounts.add_user(user, role, demo=True)
        made["accounts"].append({"role": role, "user": user, "password": password})
        made["tokens"][role] = accounts.add_token(role, demo=True)[1]
    return made


def _lines(told: dict[str, Any]) -> list[str]:
    accounts = [
        f"  {one['role']:<24} user {one['user']:<30} password {one['password']}"
        for one in told.get("accounts", ())
    ]
    tokens = [f"  token {role}: {one}" for role, one in told.get("tokens", {}).items()]
    return [f"The portal is at {told['url']}", *accounts, *tokens]
