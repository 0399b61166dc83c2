"""However a command ends, it is told in one line, a status, and without a value."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click
import duckdb
import pytest

from komek.base import database, ending, interrupts
from komek.base.errors import KomekError, StoppedError, UsageError
from komek.cli import cli

IIN = "900101300123"
ARGUMENTS = {
    "nation": ["folder"],
    "run": ["--as-of", "2020-04-20"],
    "explain": [IIN],
    "diff": ["a", "b"],
    "verify": ["a"],
    "retire": ["--before", "2020-04-20"],
    "simulate": ["--as-of", "2020-04-20"],
    "backup": ["folder"],
    "restore": ["folder"],
}
WITHOUT_JSON = {"nation", "key"}


def filed(run_id: str) -> KomekError:
    error = StoppedError("stopped")
    error.run_id = run_id
    return error


def ended(
    monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, *more: str
) -> int:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.commands[name], "callback", fail)
    monkeypatch.setattr(sys, "argv", ["komek", name, *ARGUMENTS.get(name, []), *more])
    return ending.run(lambda: cli)


@pytest.mark.parametrize("name", cli.commands)
def test_no_command_shows_a_traceback_or_a_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert ended(monkeypatch, name, ValueError(f"born of {IIN}")) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("komek: a fault of komek itself: ValueError ")
    assert IIN not in err


@pytest.mark.parametrize("name", sorted({*cli.commands} - WITHOUT_JSON))
def test_an_error_is_one_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert ended(monkeypatch, name, StoppedError("a\nb"), "--json") == 3
    assert json.loads(capsys.readouterr().out) == {"message": "a b", "exit_status": 3}


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("wrong"), 2, "wrong"),
        (filed("r1"), 3, "stopped"),
        (click.UsageError("wrong"), 2, "wrong"),
        (KeyboardInterrupt(), 130, ending.INTERRUPTED),
        (click.Abort(), 130, ending.INTERRUPTED),
        (duckdb.InterruptException("Interrupted!"), 130, ending.INTERRUPTED),
        (duckdb.ConversionException(f"Conversion Error: {IIN}"), 1, "Conversion Error"),
        (FileNotFoundError(2, "No such file", "x"), 1, "No such file: x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    said: str,
) -> None:
    assert ended(monkeypatch, "status", error, "--json") == status
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told.pop("run_id", None) == getattr(error, "run_id", None)
    assert told["exit_status"] == status
    assert told["message"].startswith(said)
    # After ^C on a terminal click begins a new line.
    assert err.lstrip("\n") == f"komek: {told['message']}\n"
    assert IIN not in out + err


def test_wrong_usage_is_an_object_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["komek", "run", "--json"])
    assert ending.run(lambda: cli) == 2
    assert "--as-of" in json.loads(capsys.readouterr().out)["message"]


def test_what_ends_well_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli.commands["status"], "callback", lambda **_: None)
    monkeypatch.setattr(sys, "argv", ["komek", "status", "--json"])
    assert ending.run(lambda: cli) == 0
    assert capsys.readouterr() == ("", "")


# --- interrupts, whatever a library makes of them

# `begun` is asked once, before the pairs are gone through.
LONG = """
    select count(*) from range(1_000_000) a, range(1_000_000) b
    where hash(a, b) = (select begun(1))
"""


@contextmanager
def signalled(
    number: signal.Signals, connection: duckdb.DuckDBPyConnection
) -> Iterator[None]:
    """Send us a signal once the connection runs the long query."""
    begun = threading.Event()

    def begin(value: int) -> int:
        begun.set()
        return value

    def send() -> None:
        begun.wait()
        os.kill(os.getpid(), number)

    connection.create_function("begun", begin, ["bigint"], "bigint")
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join()


def unharmed(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(LONG)


def wrapped(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute(LONG)
    except RuntimeError as error:
        raise KomekError("cannot do that") from error


def cleaning_up(connection: duckdb.DuckDBPyConnection) -> None:
    """As `diff` detaches what it has attached."""
    try:
        connection.execute(LONG)
    finally:
        connection.execute("create table cleaned as select 1")


def swallowed(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(RuntimeError):
        connection.execute(LONG)
    raise StoppedError("could not be checked")


def in_a_thread(connection: duckdb.DuckDBPyConnection) -> None:
    """As dbt builds models and we write packs; the main thread waits."""
    failed: list[Exception] = []

    def query() -> None:
        try:
            connection.execute(LONG)
        except duckdb.Error as error:
            failed.append(error)

    thread = threading.Thread(target=query)
    thread.start()
    with suppress(KeyboardInterrupt):
        thread.join()
    thread.join()
    raise failed[0]


@pytest.mark.parametrize(
    "work", [unharmed, wrapped, cleaning_up, swallowed, in_a_thread]
)
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupt_is_one_whatever_becomes_of_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    work: Callable[[duckdb.DuckDBPyConnection], None],
    number: signal.Signals,
    status: int,
) -> None:
    def act(**_: object) -> None:
        with database.connect() as connection, signalled(number, connection):
            work(connection)

    # A shell's background jobs ignore SIGINT: nothing would ever be heard.
    before = signal.default_int_handler
    monkeypatch.setattr(cli.commands["status"], "callback", act)
    monkeypatch.setattr(sys, "argv", ["komek", "status"])
    around = signal.signal(number, before)
    try:
        assert ending.run(lambda: cli) == status
        assert signal.getsignal(number) == before
    finally:
        signal.signal(number, around)
    assert capsys.readouterr().err.lstrip("\n") == f"komek: {ending.INTERRUPTED}\n"


def test_what_cannot_be_undone_is_finished_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished: list[str] = []

    def act(**_: object) -> None:
        interrupts.finish_first("run r1 is published")
        os.kill(os.getpid(), signal.SIGTERM)
        interrupts.end_if_heard()
        finished.append("r1")

    monkeypatch.setattr(cli.commands["status"], "callback", act)
    monkeypatch.setattr(sys, "argv", ["komek", "status", "--json"])
    assert ending.run(lambda: cli) == 143
    assert finished == ["r1"]
    out, err = capsys.readouterr()
    assert err == "komek: interrupted; run r1 is published\n"
    assert json.loads(out)["message"] == "interrupted; run r1 is published"


def test_what_fails_after_that_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(**_: object) -> None:
        interrupts.finish_first("run r1 is published")
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError

    monkeypatch.setattr(cli.commands["status"], "callback", act)
    monkeypatch.setattr(sys, "argv", ["komek", "status"])
    assert ending.run(lambda: cli) == 1
    assert capsys.readouterr().err.endswith("; run r1 is published\n")
    # It is of that command alone.
    assert ended(monkeypatch, "status", ValueError()) == 1
    assert capsys.readouterr().err.endswith(f"; {interrupts.BEFORE}\n")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_it_is_heard_while_komek_is_imported(more: list[str]) -> None:
    script = """
import os, signal, sys
from komek import __main__
class Finder:
    def find_spec(self, name, *_):
        if name == "komek.cli":
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder())
__main__.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, "status", *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 143
    assert ended.stderr == f"komek: {ending.INTERRUPTED}\n"
    if more:
        assert json.loads(ended.stdout)["exit_status"] == 143


def test_one_that_is_ignored_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `nohup` and `&` have it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        monkeypatch.setattr(
            cli.commands["status"],
            "callback",
            lambda **_: os.kill(os.getpid(), signal.SIGINT),
        )
        monkeypatch.setattr(sys, "argv", ["komek", "status"])
        assert ending.run(lambda: cli) == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_nobody_to_tell_is_no_traceback(stream: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run(
            [sys.executable, "-m", "komek", "run", "--json"],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: full},
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert "Traceback" not in f"{ended.stdout}{ended.stderr}"
    assert "rror:" not in f"{ended.stdout}{ended.stderr}"
