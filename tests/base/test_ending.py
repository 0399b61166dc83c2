"""However a command ends, it is told in one line, a status, and without a value."""

import json
import sys

import click
import duckdb
import pytest

from komek.base import ending
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
    return ending.run(cli)


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
        (ending.Terminated(), 143, ending.INTERRUPTED),
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
    assert ending.run(cli) == 2
    assert "--as-of" in json.loads(capsys.readouterr().out)["message"]


def test_what_ends_well_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli.commands["status"], "callback", lambda **_: None)
    monkeypatch.setattr(sys, "argv", ["komek", "status", "--json"])
    assert ending.run(cli) == 0
    assert capsys.readouterr() == ("", "")
