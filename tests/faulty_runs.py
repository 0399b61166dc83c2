"""Runs things go wrong for, each a process of its own: `python faulty_runs.py`.

Takes a job per line of JSON and answers with how it ended. What takes seconds to import
is imported once; each job is a fork. A job's keys:

- `home`; `out`: the file that gets its stdout and stderr, named .out and .err;
- `argv`: arguments of `komek`; or `steps`: steps done one by one under the writer lock,
  as Airflow's tasks do them;
- `fault`: where it strikes (`module:name`, its `call`-th call, from 1, `after` it or
  before) and what it is: `kill`, `stop`, or a number: no file may grow past so many
  bytes, so that writing fails for real, DuckDB's own too, as on a full disk;
- `powerless`: it is bound by the permissions of files, root too;
- `years_back`: how far the clock is set back.
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dbt.adapters.duckdb.connections
import dbt.cli.main  # noqa: F401

import komek.gx  # noqa: F401
from komek import cli, events, lock, pipeline, runs
from komek.lock import writer_lock
from komek.places import Home
from komek.runs import Request


def strike(fault: dict[str, Any]) -> None:
    """Let a fault happen where it says."""
    module, _, name = fault["at"].partition(":")
    owner: Any = importlib.import_module(module)
    *path, name = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real: Callable[..., object] = getattr(owner, name)
    calls = 0

    def faulty(*arguments: Any, **options: Any) -> object:
        nonlocal calls
        calls += 1
        strikes = calls == fault.get("call", 1)
        if strikes and not fault.get("after"):
            happen(fault["what"])
        result = real(*arguments, **options)
        if strikes and fault.get("after"):
            happen(fault["what"])
        return result

    setattr(owner, name, faulty)


def happen(what: str | int) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(what),) * 2)


def give_up_power() -> None:
    """Drop every capability: root may then write only where permissions let it."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def set_clock_back(years: int) -> None:
    back = timedelta(days=365 * years)
    real = time.time

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - back

    time.time = lambda: real() - back.total_seconds()
    for module in (events, lock, pipeline, runs):
        if hasattr(module, "datetime"):
            module.datetime = Earlier
    assert runs.datetime.now(UTC).year < datetime.now(UTC).year


def do_steps(job: dict[str, Any]) -> None:
    home, steps = Home(Path(job["home"])), job["steps"]
    acts = dict(zip(STEPS, (step.act for step in pipeline.STEPS), strict=True))
    with writer_lock(home, "komek run"):
        for number, (name, *arguments) in enumerate(steps, 1):
            if number == len(steps) and "fault" in job:
                # It strikes in the last step; those before it are done whole.
                strike(job["fault"])
            if name == "pull":
                drop, until = arguments
                pipeline.pull(home, drop, until=date.fromisoformat(until))
            elif name == "prepare":
                day = date.fromisoformat(arguments[0])
                print("prepared", pipeline.prepare(home, Request(day, day, {})))
            elif name == "publish":
                pipeline.publish(home, arguments[0])
            else:
                acts[name](home, arguments[0], print)


STEPS = ("stage", "check_door", "facts", "law", "marts", "check_result")


def work(job: dict[str, Any]) -> int:
    for descriptor, kind in ((1, "out"), (2, "err")):
        os.dup2(
            os.open(f"{job['out']}.{kind}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor
        )
    if job.get("powerless"):
        give_up_power()
    if "years_back" in job:
        set_clock_back(job["years_back"])
    if "fault" in job and "steps" not in job:
        strike(job["fault"])
    if "steps" in job:
        # Errors end steps as they end a command.
        cli.cli.main = lambda **_: do_steps(job)
    sys.argv = ["komek", *job.get("argv", ())]
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    return 70


def attend(child: int) -> dict[str, int]:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"pid": child}
    return {"pid": child, "ended": os.waitstatus_to_exitcode(status)}


def serve() -> None:
    # One for all: a fork's own would outlive its death, and complain into its output.
    resource_tracker.ensure_running()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = work(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            # No clean-up of threads that a fork does not have.
            os._exit(status)
        print(json.dumps(attend(child)), flush=True)


if __name__ == "__main__":
    serve()
