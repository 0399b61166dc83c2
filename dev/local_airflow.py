"""Airflow on this machine alone: run the DAGs without a server, or serve them.

    python dev/local_airflow.py run --as-of 2020-04-20
    python dev/local_airflow.py serve

Its database is SQLite, below AIRFLOW_HOME (default: .airflow in the project). Airflow
reads its settings as it is imported, so they are set here, before.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from komek.base import registries
from komek.base.places import DAGS, PROJECT, default_home
from komek.publishing import report
from komek.publishing.publication import current_publication

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

PORT = os.environ.get("AIRFLOW__API__PORT", "8080")
PAGE = f"http://127.0.0.1:{PORT}"
AIRFLOW = Path(sys.executable).with_name("airflow")
STOPS_WITHIN = 20.0  # seconds
PARTS = (
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
    ("api-server",),
)
SETTINGS = {
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__PARALLELISM": "4",
    # The page shows what has run at once; the demo's clock stands still.
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "KOMEK_DAY": "2020-04-20",
    "KOMEK_RETRY_SECONDS": "10",
    # Only this machine is listened to; the page asks for the password Airflow made up.
    "AIRFLOW__API__HOST": "127.0.0.1",
    "AIRFLOW__API__BASE_URL": PAGE,
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def main() -> int:
    """Run a command; return its exit status."""
    parser = argparse.ArgumentParser(description="Airflow on this machine alone.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run every DAG once, without a server")
    run.add_argument("--as-of", type=date.fromisoformat, required=True)
    commands.add_parser("serve", help="serve Airflow's web page")
    arguments = parser.parse_args()
    home = settle()
    return serve(home) if arguments.command == "serve" else run_all(home, arguments)


def settle() -> Path:
    """Set what Airflow reads at import; return its home."""
    home = Path(os.environ.setdefault("AIRFLOW_HOME", str(PROJECT / ".airflow")))
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    # Airflow starts its parts by name.
    os.environ["PATH"] = f"{AIRFLOW.parent}{os.pathsep}{os.environ['PATH']}"
    # The password, too, is the owner's alone.
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    return home


def serve(home: Path) -> int:
    """Serve the web page until interrupted.

    Airflow's `standalone` starts the same parts, and with them servers of logs that
    listen to the whole network.
    """
    passwords = home / "simple_auth_manager_passwords.json.generated"
    subprocess.run([AIRFLOW, "db", "migrate"], check=True, stdout=subprocess.DEVNULL)
    print(f"Airflow, for development only: {PAGE}")
    print(f"The user is admin, the password is in {passwords}")
    print(
        f"Its day is {os.environ['KOMEK_DAY']}; its log: {home / 'serve.log'}",
        flush=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (home / "serve.log").open("a") as log:
        # Each in a session of its own: an interrupt that reaches all of its processes
        # at once leaves some of them behind.
        parts = [
            subprocess.Popen(
                [AIRFLOW, *part], start_new_session=True, stdout=log, stderr=log
            )
            for part in PARTS
        ]
        try:
            while all(part.poll() is None for part in parts):
                time.sleep(1)
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(parts)


def _stop(parts: "list[subprocess.Popen[bytes]]") -> None:
    """Have every part end, and whatever it leaves behind."""
    for part in parts:
        part.send_signal(signal.SIGINT)
    ends = time.monotonic() + STOPS_WITHIN
    for part in parts:
        with suppress(subprocess.TimeoutExpired):
            part.wait(max(0.0, ends - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGKILL)


def run_all(home: Path, arguments: argparse.Namespace) -> int:
    """Pull every registry, decide, publish; print what came of it."""
    log = home / "run.log"
    with _console_aside(log) as console:
        print("Airflow, without a server. Its log:", log, file=console, flush=True)
        subprocess.run([AIRFLOW, "db", "migrate"], check=True)
        dags = _dags()
        _tell_tasks(console)
        day = {"date": str(arguments.as_of)}
        for entity in registries.entities():
            if not _succeeds(dags[f"pull_{entity.name}"], day):
                return 1
        if not _succeeds(dags["eligibility"], {"as_of": str(arguments.as_of)}):
            return 1
    published = current_publication(default_home())
    if published is None:
        return 1
    for line in report.run_lines(report.of_run(default_home(), published.run.run_id)):
        print(line)
    return 0


def _dags() -> "dict[str, DAG]":
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    if bag.import_errors:
        raise SystemExit("\n".join(bag.import_errors.values()))
    return bag.dags


def _succeeds(dag: "DAG", conf: dict[str, str]) -> bool:
    return dag.test(run_conf=conf).state == "success"


def _tell_tasks(console: TextIO) -> None:
    """Have Airflow report each task to the console as it ends."""
    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager

    class Listener:
        """Airflow calls these by name."""

        started = 0.0

        def tell(self, task: "RuntimeTaskInstanceProtocol", what: str) -> None:
            took = time.monotonic() - self.started
            name = f"{task.dag_id}: {task.task_id}"
            print(f"  {name:40} {took:5.1f} s  {what}", file=console, flush=True)

        @hookimpl
        def on_task_instance_running(self) -> None:
            self.started = time.monotonic()

        @hookimpl
        def on_task_instance_success(
            self, task_instance: "RuntimeTaskInstanceProtocol"
        ) -> None:
            self.tell(task_instance, "done")

        @hookimpl
        def on_task_instance_failed(
            self, task_instance: "RuntimeTaskInstanceProtocol", error: object
        ) -> None:
            self.tell(task_instance, f"failed: {error}")

    get_listener_manager().add_listener(Listener())


@contextmanager
def _console_aside(log: Path) -> Iterator[TextIO]:
    """Send what this process and its children print to a log; yield the console."""
    sys.stdout.flush()
    console, errors = os.dup(1), os.dup(2)
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        with os.fdopen(os.dup(console), "w") as text:
            yield text
    finally:
        sys.stdout.flush()
        os.dup2(console, 1)
        os.dup2(errors, 2)
        os.close(console)
        os.close(errors)


if __name__ == "__main__":
    sys.exit(main())
