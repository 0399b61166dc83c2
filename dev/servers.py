"""Servers on loopback, for tests and demonstrations: whoever starts one stops it.

PostgreSQL and OpenSSH are Debian's, the S3 server is moto's.
"""

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import boto3
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"
# Of nothing but what is started here.
PASSWORD = "s3cr3t-of-a-test"  # noqa: S105
_TRIES = 100


class MissingError(Exception):
    """A program is not on this machine; the message says what to install."""


def program(name: str, package: str, *folders: str) -> str:
    """Return where a program is.

    Raises:
        MissingError: nowhere.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *folders]))
    if found is None:
        raise MissingError(f"{name} is missing: apt-get install {package}")
    return found


def free_port() -> int:
    """Return a port that nobody listens at."""
    with closing(socket.socket()) as asked:
        asked.bind((HOST, 0))
        return asked.getsockname()[1]


@contextmanager
def private_folder(owner: str | None = None) -> Iterator[Path]:
    """Yield a folder that an owner may use, wherever pytest keeps its own."""
    folder = Path(tempfile.mkdtemp(prefix="komek-test-"))
    if owner:
        shutil.chown(folder, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server listens.

    Raises:
        RuntimeError: it does not.
    """
    for _ in range(_TRIES):
        with suppress(OSError), closing(socket.create_connection((HOST, port), 1)):
            return
        if process.poll() is not None:
            raise RuntimeError(f"a server ended with {process.returncode}")
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens at {port}")


@contextmanager
def running(command: list[str], port: int, **options: Any) -> Iterator[None]:  # noqa: ANN401
    """Run a server as long as it is needed."""
    process = subprocess.Popen(command, **options)
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True)
class Postgres:
    """A database server, of which the owner may do all."""

    port: int

    def url(self, password: str = PASSWORD, **parts: str) -> str:
        """Return the URL of a database in it."""
        user, base = parts.get("user", "owner"), parts.get("database", "postgres")
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{base}"

    def execute(self, *statements: str) -> None:
        """Execute statements, each by itself."""
        with adbc.connect(self.url(), autocommit=True) as opened:
            for statement in statements:
                with opened.cursor() as cursor:
                    cursor.execute(statement)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a cluster of its own, as somebody who is not root."""
    folders = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    initdb = program("initdb", "postgresql", *folders)
    server = program("postgres", "postgresql", *folders)
    names = {entry.pw_name for entry in pwd.getpwall()}
    owner = None
    if os.getuid() == 0:
        owner = "postgres" if "postgres" in names else "nobody"
    as_owner = {"user": owner} if owner else {}
    port = free_port()
    with private_folder(owner) as folder:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        common = {"cwd": folder, "stdout": subprocess.DEVNULL, **as_owner}
        subprocess.run(
            [
                *(initdb, "-D", folder / "data", "-U", "owner", "-A", "scram-sha-256"),
                *("-E", "UTF8", "--locale", "C.UTF-8", "-N", f"--pwfile={secret}"),
            ],
            check=True,
            **common,
        )
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "lc_messages": "C",
        }
        given = [f"--{name}={value}" for name, value in settings.items()]
        command = [server, "-D", str(folder / "data"), "-p", str(port), *given]
        log = (folder / "log").open("w")
        with log, running(command, port, stderr=log, **common):
            yield Postgres(port)


@dataclass(frozen=True)
class Sftp:
    """An SFTP server: where its files are, and what opens it."""

    port: int
    root: Path
    key: Path
    host_key: str

    @property
    def url(self) -> str:
        """Its URL, without a path."""
        user = pwd.getpwuid(os.getuid()).pw_name
        return f"sftp://{user}@{HOST}:{self.port}"


@contextmanager
def sftp() -> Iterator[Sftp]:
    """Start an OpenSSH server that knows one key and only gives files."""
    server = program("sshd", "openssh-server", "/usr/sbin")
    keygen = program("ssh-keygen", "openssh-client")
    port = free_port()
    with private_folder() as folder:
        for name in ("host", "user"):
            subprocess.run(
                [keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name],
                check=True,
            )
        shutil.copy(folder / "user.pub", folder / "authorized")
        (folder / "config").write_text(
            f"Port {port}\nListenAddress {HOST}\nHostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/authorized\nPidFile none\n"
            "PasswordAuthentication no\nUsePAM no\nStrictModes no\n"
            "PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
            "ForceCommand internal-sftp\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [server, "-D", "-e", "-f", str(folder / "config")]
        files = folder / "outgoing"
        files.mkdir()
        host_key = (folder / "host.pub").read_text().split()[1]
        with (
            (folder / "log").open("w") as log,
            running(command, port, stderr=log),
        ):
            yield Sftp(port, files, folder / "user", host_key)


@dataclass(frozen=True)
class S3:
    """An object store."""

    port: int

    @property
    def connection(self) -> str:
        """The URL of a connection to it."""
        endpoint = f"http%3A%2F%2F{HOST}%3A{self.port}"
        return f"aws://id:{PASSWORD}@/?endpoint_url={endpoint}&region_name=us-east-1"

    def put(self, bucket: str, files: dict[str, bytes]) -> None:
        """Put files into a bucket, which is made if needed."""
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{HOST}:{self.port}",
            aws_access_key_id="id",
            aws_secret_access_key=PASSWORD,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=bucket)
        for name, content in files.items():
            client.put_object(Bucket=bucket, Key=name, Body=content)


@contextmanager
def s3() -> Iterator[S3]:
    """Start an object store in memory."""
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    try:
        yield S3(server.get_host_and_port()[1])
    finally:
        server.stop()


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """A web service whose answers are given, and what was asked of it."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, scheme: str = "http") -> str:
        """Return the URL of a path."""
        return f"{scheme}://{HOST}:{self.port}{path}"


def answered(
    body: bytes,
    status: int = 200,
    length: int | None = None,
    **headers: str,
) -> Answer:
    """Return what gives an answer, of another length than it says if need be."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header(
            "Content-Length", str(len(body) if length is None else length)
        )
        request.end_headers()
        request.wfile.write(body)
        if length is not None:
            request.close_connection = True

    return answer


@contextmanager
def web(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    """Start a web service; with a context for TLS, behind that."""
    service = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            service.asked.append((self.path, dict(self.headers)))
            answer = service.answers.get(self.path) or service.answers.get(
                self.path.partition("?")[0], answered(b"no", 404)
            )
            answer(self)

        def handle(self) -> None:
            # Who was refused may go away without a word.
            with suppress(ConnectionError):
                super().handle()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
