"""What killed processes leave in the scratch folders is swept, and nothing else is."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.base.scratch import RUN, being_built, hold, left_behind

# Work that takes until somebody writes a line.
COMPARES = """
from komek.runs.rerun import scratch_home
with scratch_home(home, "verify-r1") as scratch:
    (scratch.root / "people").touch()
    wait()
"""
LANDS = """
from komek.landing import land
folder = home.entity("persons")
with land.only_one(folder), land.scratch_of(folder) as scratch:
    (scratch / "received-00000").touch()
    wait()
"""
RUNS_ALONE = """
from komek import pipeline
from komek.base import scratch
folder = home.scratch / "r1"
folder.mkdir(parents=True)
scratch.hold(folder)
(folder / scratch.RUN).touch()
with pipeline.abandoned_on_failure(home, "r1"):
    wait()
"""
SCRIPT = """
import sys
from pathlib import Path
from komek.base.places import Home
home = Home(Path(sys.argv[1]))
def wait():
    print("at work", flush=True)
    sys.stdin.readline()
"""
At = Callable[[str], AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    day = home.entity("persons") / "2020-04-01" / "r0001"
    day.mkdir(parents=True)
    (day / "00000.parquet").touch()
    return home


@contextmanager
def at_work(home: Home, work: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT + work, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "at work\n"
        yield process
        process.kill()


def names(home: Home) -> list[str]:
    return [path.name for path in left_behind(home)]


def swept(home: Home) -> list[str]:
    """Return what the next command that writes says."""
    said: list[str] = []
    with writer_lock(home, "komek pull", said.append):
        pass
    return said


@pytest.mark.parametrize(
    ("work", "left"),
    [(COMPARES, "verify-r1-{}"), (LANDS, ".landing"), (RUNS_ALONE, "r1")],
    ids=["verify", "pull", "run"],
)
def test_what_a_killed_process_leaves_is_swept_by_the_next_that_writes(
    home: Home, work: str, left: str
) -> None:
    with at_work(home, work) as process:
        assert names(home) == []
        assert swept(home) == []
    name = left.format(process.pid)
    (folder,) = left_behind(home)
    assert folder.name == name
    assert any(path.is_file() for path in folder.iterdir())

    (said,) = swept(home)

    assert said.startswith("deleted what a killed process left behind: ")
    assert said.endswith(f"/{name}")
    assert not folder.exists()
    # A verify's landing is a link to the home's.
    assert list(home.landing.rglob("*.parquet"))
    assert swept(home) == []


def test_what_ends_by_itself_leaves_nothing(home: Home) -> None:
    with at_work(home, COMPARES) as process:
        process.communicate("\n")
        assert process.returncode == 0
        assert list(home.scratch.iterdir()) == []


def test_a_run_between_two_tasks_waits(home: Home) -> None:
    folder = home.scratch / "20200420-r1"
    folder.mkdir(parents=True)
    (folder / RUN).touch()

    assert swept(home) == []
    assert folder.is_dir()
    assert (being_built(home), names(home)) == (["20200420-r1"], [])


def test_what_cannot_go_on_is_swept(home: Home) -> None:
    """A run killed before it was begun, a scratch from before there was a lock."""
    for name in ("20200420-r1", "verify-r1-7", "diff-r1-r2-7"):
        (home.scratch / name).mkdir(parents=True)
    alone = home.scratch / "20200420-r2"
    alone.mkdir()
    hold(alone)
    (alone / RUN).touch()
    assert being_built(home) == []

    assert len(swept(home)) == 4
    assert list(home.scratch.iterdir()) == []


def test_a_lock_that_is_held_keeps_a_folder_even_from_its_own_process(
    home: Home,
) -> None:
    folder = home.entity("persons")
    (folder / ".landing").mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert swept(home) == []
    assert names(home) == [".landing"]
