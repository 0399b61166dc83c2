"""Credentials, by the id of a connection: from whoever calls, else the environment.

They are in no file of the project, and no message shows more than the id.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from komek.base.errors import UsageError
from komek.base.settings import connection_url, connection_variable

# Gives the URL of a connection by its id, None where there is none: Airflow's, say.
Connections = Callable[[str], str | None]


@dataclass(frozen=True)
class Connection:
    """The parts of a connection's URL.

    Attributes:
        id: by which it is known.
        url: the URL itself, with the password.
        scheme: what it begins with.
        host: None where there is none.
        port: None where there is none.
        user: None where there is none.
        password: None where there is none.
        path: behind host and port.
        extra: what else is said of it, by name.
    """

    id: str
    url: str = field(repr=False)
    scheme: str
    host: str | None
    port: int | None
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    path: str
    extra: Mapping[str, str] = field(repr=False)


def no_connections(_id: str) -> str | None:
    """Know none."""
    return None


def connection(name: str, connections: Connections = no_connections) -> Connection:
    """Return a connection by its id.

    Args:
        name: the id.
        connections: is asked first; the environment knows the others.

    Raises:
        UsageError: nobody knows it, or it is no URL.
    """
    url = connections(name) or connection_url(name)
    if url is None:
        raise UsageError(
            f"connection {name}: it is no connection of Airflow's, and"
            f" {connection_variable(name)} is not set"
        )
    try:
        parts = urlsplit(url)
        return Connection(
            id=name,
            url=url,
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            path=parts.path,
            extra=_extra(parts.query),
        )
    except ValueError:
        raise UsageError(f"connection {name}: it is no URL") from None


def _extra(query: str) -> dict[str, str]:
    """Return the parameters of a URL; Airflow nests those that are not flat."""
    extra = dict(parse_qsl(query, keep_blank_values=True))
    nested = json.loads(extra.pop("__extra__", "{}"))
    return extra | {key: f"{value}" for key, value in nested.items()}
