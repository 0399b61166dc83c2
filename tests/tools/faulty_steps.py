"""A run step by step, each in a process of its own that may meet a fault.

    python faulty_steps.py HOME DROP AS_OF

says the labels of the steps, then reads a line of JSON for each attempt: the number of
the step, the fault and how far it lets the step come (`at`). It answers with how the
process ended and the line that its error made. The steps are those of a run, whichever
they are; as a scheduler's tasks, they share nothing but the home. Imports are paid
once: every attempt is a fork, in which DuckDB runs for the first time.
"""

import json
import os
import resource
import signal
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import warmed  # noqa: F401
from komek import pipeline
from komek.base import lock, places
from komek.base.errors import KomekError
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.runs import run
from komek.runs.run import Request

Act = Callable[[Home, str], object]


def quiet(_line: str) -> None:
    """Say nothing."""


def steps(drop: str, day: date) -> list[tuple[str, Act]]:
    """Return the steps of a run, with their labels."""
    request = Request(day, day, {})
    return [
        ("pull", lambda home, _: pipeline.pull(home, drop, until=day, say=quiet)),
        ("prepare", lambda home, _: pipeline.prepare(home, request, quiet)),
        *(
            (step.label, lambda home, run_id, act=step.act: act(home, run_id, quiet))
            for step in pipeline.STEPS
        ),
        ("publish", lambda home, run_id: pipeline.publish(home, run_id, quiet)),
    ]


def being_built(home: Home) -> str:
    """Return the id of the one run that is being built."""
    return "".join(path.name for path in home.scratch.glob("*"))


def die() -> None:
    """End as no handler sees."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_event(home: Home, number: int, then: Callable[[], None]) -> None:
    """Do something at the n-th file that is opened, moved or deleted in the home."""
    left = number

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        is_ours = event in ("os.remove", "os.rmdir") or (
            event.startswith(("open", "os."))
            and event not in ("os.listdir", "os.scandir")
            and any(str(given).startswith(str(home.root)) for given in arguments)
        )
        left -= is_ours
        if is_ours and left == 0:
            then()

    sys.addaudithook(hook)


def at_call(number: int, then: Callable[[], None]) -> None:
    """Do something at the n-th part of `publish`: a function of komek that it calls."""
    left = number
    parts = {str(path) for path in places.PACKAGE.glob("**/*.py")}
    parts -= {module.__file__ for module in (lock, places, run)}

    def watch(frame: types.FrameType, event: str, _: object) -> None:
        nonlocal left
        if (
            event == "call"
            and frame.f_back is not None
            and frame.f_back.f_code is pipeline.publish.__code__
            and frame.f_code.co_filename in parts
        ):
            left -= 1
            if left == 0:
                then()

    sys.setprofile(watch)


def fill_disk(size: int) -> None:
    """Let no file be written past a size: the kernel says so, DuckDB's writes too."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def duckdb_log(home: Home) -> Path:
    """Return where DuckDB notes what it commits to the file of the run being built."""
    return home.scratch / being_built(home) / "run.duckdb.wal"


def meet(home: Home, fault: str, at: int) -> None:
    """Arrange for a fault."""
    if fault == "killed at a file":
        at_event(home, at, die)
    elif fault == "killed at a call":
        at_call(at, die)
    elif fault == "killed in a write":
        # Past the size the kernel ends the process, also in the midst of DuckDB.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        fill_disk(at)
    elif fault == "full disk":
        fill_disk(at)
    elif fault == "full disk at a call":
        at_call(at, lambda: fill_disk(4_096))
    elif fault == "full disk for DuckDB":
        duckdb_log(home).unlink(missing_ok=True)
        duckdb_log(home).symlink_to("/dev/full")


@contextmanager
def told(answer: int) -> Iterator[None]:
    """Write what a step's error says into a pipe."""
    try:
        yield
    except KomekError as error:
        os.write(answer, str(error).encode())
        os._exit(error.exit_code)
    except BaseException as error:
        os.write(answer, f"not a KomekError: {error!r}".encode())
        os._exit(100)


def attempt(home: Home, act: Act, fault: str, at: int) -> tuple[int, str]:
    """Do a step in a fork; return how that ended and what its error says."""
    answer, end = os.pipe()
    child = os.fork()
    if child == 0:
        with told(end):
            meet(home, fault, at)
            with writer_lock(home, "a step", quiet):
                act(home, being_built(home))
        os._exit(0)
    os.close(end)
    with os.fdopen(answer) as said:
        text = said.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if fault == "full disk for DuckDB":
        duckdb_log(home).unlink(missing_ok=True)
    return ended, text


def main() -> None:
    """Answer every line of standard input with a line."""
    home, drop, day = Home(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
    acts = steps(drop, date.fromisoformat(day))
    print(json.dumps([label for label, _ in acts]), flush=True)
    for line in sys.stdin:
        number, fault, at = json.loads(line)
        print(json.dumps(attempt(home, acts[number][1], fault, at)), flush=True)


if __name__ == "__main__":
    main()
