"""A folder, an object store or an SFTP server, opened with its connection."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from upath import UPath

from komek.base.errors import UsageError
from komek.base.places import default_drop
from komek.base.registries import Entity
from komek.base.say import Say
from komek.landing import drop
from komek.landing.drop import DropPath, reading
from komek.landing.land import Place
from komek.landing.received import Refused
from komek.landing.templates import NamePattern
from komek.sources.connections import Connection, Connections, connection
from komek.sources.entries import DropSource

_S3 = ("s3", "s3a")
_SFTP = ("sftp", "ssh")
# Not file by file, and never with a user's name.
_QUIET = ("paramiko", "botocore", "aiobotocore", "s3fs", "fsspec")


def where_of(source: DropSource) -> str:
    """Return the folder or URL of a source: its own, else what is configured."""
    return source.where or default_drop()


def place_of(
    source: DropSource, entity: Entity, connections: Connections, say: Say
) -> Place:
    """Open where an entity's files lie.

    Raises:
        Refused: it cannot be reached, or is not there.
        UsageError: there is no such folder, or no such connection.
    """
    where = where_of(source)
    pattern = NamePattern(source.pattern, entity.name) if source.pattern else None
    is_remote = "://" in where and not where.startswith(("file:", "local:"))
    folder = (
        _opened(where, source, connections, say) if is_remote else drop.open_drop(where)
    )
    return Place(
        folder=folder,
        shown=drop.shown_drop(where),
        dialect=source.dialect,
        complete=source.complete,
        pattern=pattern,
        remembers=is_remote,
    )


def _opened(
    where: str, source: DropSource, connections: Connections, say: Say
) -> DropPath:
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    known = connection(source.connection, connections) if source.connection else None
    scheme = urlsplit(where).scheme
    options: dict[str, Any] = {}
    if scheme in _S3:
        options = _s3_options(known, source.timeout)
    elif scheme in _SFTP:
        options = _sftp_options(where, known, source.timeout, say)
    elif known:
        options = {"username": known.user, "password": known.password, **known.extra}
    shown = drop.shown_drop(where)
    try:
        folder: UPath = UPath(where, **options)
        with reading(shown):
            # One that broke off is not used again.
            type(folder.fs).clear_instance_cache()
            _limit(folder, source.timeout)
            exists = folder.is_dir()
    except (ImportError, ValueError) as error:
        raise UsageError(f"drop folder {shown}: {type(error).__name__}") from None
    if not exists:
        # A bucket or prefix of nothing is there as soon as something is in it.
        if scheme in _S3 and folder.fs.exists(folder.path.split("/")[0]):
            return folder
        raise Refused("is not there", shown)
    return folder


def _limit(folder: UPath, timeout: float) -> None:
    """Let an SFTP server not keep us waiting."""
    channel: Callable[[], Any] | None = getattr(
        getattr(folder.fs, "ftp", None), "get_channel", None
    )
    if channel:
        channel().settimeout(timeout)


def _s3_options(known: Connection | None, timeout: float) -> dict[str, Any]:
    extra = dict(known.extra) if known else {}
    options: dict[str, Any] = {
        "use_listings_cache": False,
        "config_kwargs": {
            "connect_timeout": timeout,
            "read_timeout": timeout,
            # What may pass is tried again by us, and told.
            "retries": {"max_attempts": 1},
        },
    }
    client: dict[str, Any] = {}
    endpoint = extra.get("endpoint_url")
    if known and known.host and known.port and not endpoint:
        endpoint = f"http://{known.host}:{known.port}"
    if endpoint:
        client["endpoint_url"] = endpoint
    region = extra.get("region_name") or extra.get("region")
    if region:
        client["region_name"] = region
    if client:
        options["client_kwargs"] = client
    if known and known.user:
        options |= {"key": known.user, "secret": known.password}
    if "aws_session_token" in extra:
        options["token"] = extra["aws_session_token"]
    return options


def _sftp_options(
    where: str, known: Connection | None, timeout: float, say: Say
) -> dict[str, Any]:
    import paramiko  # noqa: PLC0415  (slow, and needed only here)

    url = urlsplit(where)
    extra = dict(known.extra) if known else {}
    host_key = extra.get("host_key")
    known_hosts = extra.get("known_hosts", "~/.ssh/known_hosts")

    class KnownHost(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
        """Trusts the key that the connection has, else one that is known here."""

        def missing_host_key(self, _client: object, name: str, key: Any) -> None:  # noqa: ANN401
            if host_key:
                if key.get_base64() not in host_key.split():
                    raise paramiko.BadHostKeyException(name, key, key)
                return
            keys = paramiko.HostKeys()
            file = Path(known_hosts).expanduser()
            if file.is_file():
                keys.load(str(file))
            if keys.lookup(name) is None:
                say(
                    f"warning: {url.hostname}: its host key is not known here:"
                    " give its connection host_key or known_hosts"
                )
            elif not keys.check(name, key):
                raise paramiko.BadHostKeyException(name, key, key)

    options: dict[str, Any] = {
        "host_key_policy": KnownHost(),
        "timeout": timeout,
        "banner_timeout": timeout,
        "auth_timeout": timeout,
        "look_for_keys": False,
        "allow_agent": False,
    }
    if known:
        user, port = url.username or known.user, url.port or known.port
        options |= {"username": user} if user else {}
        options |= {"port": port} if port else {}
        options |= {"password": known.password} if known.password else {}
    if key_file := extra.get("key_file") or extra.get("key_filename"):
        options["key_filename"] = key_file
    if key := extra.get("private_key"):
        options["pkey"] = _private_key(key)
    return options


def _private_key(text: str) -> object:
    import io  # noqa: PLC0415

    import paramiko  # noqa: PLC0415

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise UsageError("its private_key is of no kind that is read here")
