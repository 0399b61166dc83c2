"""Airflow as `deploy/` runs it, on loopback: PostgreSQL, LocalExecutor, its four parts.

The command lines are those of the units, the settings those of the environment file;
only places, ports and secrets are this test's own.
"""

import base64
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

from komek.base.places import DAGS, PROJECT, TIME_ZONE

DEPLOY = PROJECT / "deploy"
PARTS = ("scheduler", "dag-processor", "triggerer", "api-server")
BINARIES = Path(sys.executable).parent
_UNPRIVILEGED = "nobody"
_STARTS_WITHIN = 240


def missing() -> str | None:
    """Say what is to be installed, None where all is there."""
    if _postgres("postgres") is None:
        return "PostgreSQL is missing: apt-get install postgresql"
    return None


def _postgres(program: str) -> str | None:
    """Return where a program of PostgreSQL is, as Debian or a path has it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(found[-1]) if found else shutil.which(program)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def postgres(folder: Path) -> Iterator[int]:
    """Run a PostgreSQL of our own on loopback; yield its port."""
    data, port = folder / "postgres", free_port()
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        # It refuses to run as root.
        user = {"user": _UNPRIVILEGED, "group": "nogroup", "extra_groups": []}
    data.mkdir(parents=True)
    if user:
        shutil.chown(data, _UNPRIVILEGED, "nogroup")
        for parent in data.parents:
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    initdb = ["--auth=trust", "--username=komek", "--encoding=UTF8", "--no-sync"]
    subprocess.run(
        [_postgres("initdb") or "", *initdb, str(data)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        **user,
    )
    options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c fsync=off"
    server = subprocess.Popen(
        [_postgres("postgres") or "", "-D", str(data), *shlex.split(options)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **user,
    )
    try:
        # It listens before it answers.
        ready = [
            _postgres("pg_isready") or "",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            f"{port}",
        ]
        _wait(lambda: not subprocess.run(ready, check=False).returncode, "PostgreSQL")
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def command_line(part: str) -> list[str]:
    """Return the command line of a unit, with this environment's programs."""
    unit = DEPLOY / "systemd" / f"komek-{part}.service"
    (line,) = [
        line.partition("=")[2]
        for line in unit.read_text(encoding="utf-8").splitlines()
        if line.startswith("ExecStart=")
    ]
    program, *arguments = shlex.split(line)
    return [str(BINARIES / Path(program).name), *arguments]


def deployed_settings() -> dict[str, str]:
    """Return what the environment file sets."""
    lines = (DEPLOY / "komek.env").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and line[0] != "#"]
    return {name: value for name, _, value in pairs}


@dataclass
class RealAirflow:
    """A running Airflow, and what is asked of its API."""

    folder: Path
    variables: dict[str, str]
    url: str
    token: str = ""
    parts: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what the API answers."""
        request = Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        )
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def sign_in(self, name: str) -> str:
        """Return the token of a user, whose password Airflow made up."""
        passwords = json.loads((self.folder / "passwords.json").read_text())
        body = {"username": name, "password": passwords[name]}
        return str(self.ask("POST", "/auth/token", body)["access_token"])

    def trigger(self, dag_id: str, **body: Any) -> str:
        """Trigger a DAG; return the id of its run."""
        asked = {"logical_date": None} | body
        return str(
            self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", asked)["dag_run_id"]
        )

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, the first first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns?order_by=id&limit=100"
        return list(self.ask("GET", path)["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return the states of the tasks of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found = self.ask("GET", path)["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def log_of(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Return what the log files of a task say."""
        folder = self.folder / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        files = sorted((folder / f"task_id={task_id}").rglob("*.log"))
        return "\n".join(file.read_text(encoding="utf-8") for file in files)

    def wait(self, holds: Any, what: str, seconds: float = 900) -> Any:
        """Return what holds once it does."""
        return _wait(holds, what, seconds)

    def ended(self, dag_id: str, count: int) -> list[dict[str, Any]] | None:
        """Return the runs of a DAG if there are as many that have ended."""
        ended = [r for r in self.runs(dag_id) if r["state"] in ("success", "failed")]
        return ended if len(ended) >= count else None


@contextmanager
def real_airflow(
    folder: Path, home: Path, drop: Path, database: str, **settings: str
) -> Iterator[RealAirflow]:
    """Run Airflow as `deploy/` says; its DAGs are switched on.

    The clock starts none: it would be half a day from now. (Begun within a tenth of a
    schedule's interval after its time, Airflow makes up for that time at once.) Once
    something is published, or there is a file `light` in the home, its runs decide
    nothing (light_steps).
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    far = datetime.now(ZoneInfo(TIME_ZONE)) + timedelta(hours=12)
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "airflow_local_settings.py").write_text(
        "import light_steps\n\n"
        f"light_steps.schedule_pulls('{far:%M %H} * * *')\n"
        "light_steps.lighten()\n",
        encoding="utf-8",
    )
    variables = deployed_settings() | {
        "KOMEK_HOME": str(home),
        "KOMEK_DROP": str(drop),
        "KOMEK_RETRY_SECONDS": "1",
        "KOMEK_APPROVAL": "",
        "KOMEK_DEADLINE": f"{far:%H:%M}",
        "AIRFLOW_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(Path(__file__).parent)]),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(
            folder / "passwords.json"
        ),
        **settings,
    }
    environment = os.environ | variables
    subprocess.run(
        [BINARIES / "airflow", "db", "migrate"],
        env=environment,
        check=True,
        capture_output=True,
    )
    airflow = RealAirflow(folder, variables, url)
    with (folder / "parts.log").open("a") as log:
        try:
            for part in PARTS:
                airflow.parts.append(
                    subprocess.Popen(
                        command_line(part),
                        env=environment,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
            _wait(lambda: _answers(airflow), "Airflow's API")
            airflow.token = airflow.sign_in("admin")
            _wait(lambda: _knows_the_dags(airflow), "the DAGs")
            yield airflow
        finally:
            stop(airflow.parts)


def stop(parts: list["subprocess.Popen[bytes]"]) -> None:
    """End parts as systemd does, and what they leave."""
    for part in parts:
        part.send_signal(signal.SIGINT)
    for part in parts:
        with suppress(subprocess.TimeoutExpired):
            part.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGKILL)
        part.wait()


def listening(parts: list["subprocess.Popen[bytes]"]) -> list[str]:
    """Return the addresses that processes of these sessions listen to (TCP)."""
    sessions = {part.pid for part in parts}
    inodes = {
        str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
        for process in Path("/proc").glob("[0-9]*")
        if _session(process) in sessions
        for descriptor in _descriptors(process)
    }
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[i] for i in (1, 3, 9))
            if state == "0A" and inode in inodes:
                found.append(f"{table} {local}")
    return sorted(set(found))


def _session(process: Path) -> int | None:
    try:
        return os.getsid(int(process.name))
    except OSError:
        return None


def _descriptors(process: Path) -> Iterator[Path]:
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()).startswith("socket:["):
                    yield descriptor


def _answers(airflow: RealAirflow) -> bool:
    try:
        airflow.ask("GET", "/api/v2/version")
    except (URLError, HTTPError, ConnectionError, TimeoutError):
        return False
    return (airflow.folder / "passwords.json").exists()


def _knows_the_dags(airflow: RealAirflow) -> bool:
    return bool(airflow.ask("GET", "/api/v2/dags?limit=100")["total_entries"] >= 17)


def _wait(holds: Any, what: str, seconds: float = _STARTS_WITHIN) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            found = holds()
        except HTTPError as error:
            # Its API answers so now and then while the machine is busy.
            if error.code < 500:
                raise
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} s")
