"""Faults, for real: runs that are killed, kept waiting, or find their inputs damaged.

Each happens to a process of its own. After it what is published is what it was, whole,
and a rerun finishes. How a publication dies at any moment is in komek/test_publish.py.
"""

import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from komek import landing, packs, publish, receipts
from komek.lock import writer_lock
from komek.places import Home

KOMEK = str(Path(sys.executable).with_name("komek"))
STEPS = str(Path(__file__).with_name("faulty_steps.py"))
BUILDING = (
    "read and sort the registries",
    "find the facts",
    "apply the law",
    "write the tables",
)
HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from komek.lock import writer_lock
from komek.places import Home
with writer_lock(Home(Path(sys.argv[1])), "komek run"):
    print("held", flush=True)
    time.sleep(600)
"""


def run(home: Home, drop: Path, as_of: str = "2020-04-20") -> list[str]:
    return ["run", "--as-of", as_of, "--drop", str(drop), "--home", str(home.root)]


def komek(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KOMEK, *arguments], capture_output=True, text=True, check=False, timeout=300
    )


def state(home: Home) -> tuple[str, tuple[str, ...]]:
    """What is published: the run, and the packs, each of which must be whole."""
    publication = publish.current(home)
    assert publication is not None
    found = sorted(path.parent for path in publication.packs.rglob("manifest.json"))
    assert found
    assert all(packs.is_whole(pack) for pack in found)
    return publication.run.run_id, tuple(pack.name for pack in found)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, small_nation: Path) -> Home:
    home = Home(tmp_path_factory.mktemp("published"))
    ended = komek(*run(home, small_nation))
    assert (ended.returncode, ended.stderr) == (0, "")
    return home


@pytest.fixture
def home(published: Home, tmp_path: Path) -> Home:
    copy = Home(tmp_path / "home")
    shutil.copytree(published.root, copy.root, symlinks=True)
    return copy


class Steps:
    """A run, step by step in processes that meet faults; see faulty_steps.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.labels = json.loads(self._line())

    def attempt(self, number: int, fault: str = "none", at: int = 0) -> tuple[int, str]:
        """Do a step; return how it ended and what it said."""
        self._process.stdin.write(json.dumps([number, fault, at]) + "\n")
        self._process.stdin.flush()
        ended, said = json.loads(self._line())
        return ended, said

    def _line(self) -> str:
        return self._process.stdout.readline()


@pytest.fixture
def steps(home: Home, small_nation: Path) -> Iterator[Steps]:
    with subprocess.Popen(
        [sys.executable, STEPS, str(home.root), str(small_nation), "2020-04-27"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Steps(process)
        process.stdin.close()


def test_every_step_may_be_killed_and_find_the_disk_full(
    home: Home, small_nation: Path, steps: Steps
) -> None:
    before = state(home)
    *_, publishing = range(len(steps.labels))
    builds = [i for i, label in enumerate(steps.labels) if label in BUILDING]
    assert len(builds) == len(BUILDING)

    for number in range(publishing):
        at = steps.labels[number]
        ended, said = steps.attempt(number, "full disk", 4_096)
        assert (at, ended) == (at, 1)
        assert said.startswith(f"cannot write {home.root}")
        assert said.endswith(": File too large")
        if number in builds:
            ended, said = steps.attempt(number, "full disk for DuckDB")
            assert (at, ended) == (at, 1)
            assert said.startswith(f"cannot write {home.scratch}")
            assert said.endswith("/run.duckdb.wal: No space left on device")
            # In the midst of DuckDB's own file: those of dbt are smaller.
            ended, _ = steps.attempt(number, "killed in a write", 3_000_000)
            assert (at, ended) == (at, -signal.SIGXFSZ)
        deaths = list(killed(steps, number, "killed at a file", growth=16))
        # At its first file and on its way.
        assert len(deaths) >= 2, at
        assert state(home) == before

    states = []
    for part in itertools.count(1):
        ended, _ = steps.attempt(publishing, "killed at a call", part)
        states.append(state(home))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        ended, said = steps.attempt(publishing, "full disk at a call", part)
        states.append(state(home))
        if ended == 0:
            break
        assert (part, ended) == (part, 1)
        assert said.startswith("cannot ")
        assert str(home.root) in said
        assert "File too large" in said
    new = states[-1]
    assert new[0].startswith("20200427-")
    assert set(states) == {before, new}
    assert states == sorted(states, key=[before, new].index)
    assert len(states) > 10
    assert not list(home.scratch.iterdir())

    # Begun once more, it is left behind; the rerun finds its every table the same.
    assert steps.attempt(1)[0] == 0
    assert steps.attempt(2, "killed at a file", 1)[0] == -signal.SIGKILL
    again = komek(*run(home, small_nation, "2020-04-27"))
    assert (again.returncode, again.stderr) == (0, "")
    assert "left behind" in again.stdout
    assert state(home) == new
    assert not list(home.scratch.iterdir())
    assert receipts.broken_links(home) == []


def killed(steps: Steps, number: int, fault: str, growth: int) -> Iterator[int]:
    """Kill a step ever later until it ends by itself; yield when it was killed.

    What a death leaves behind is what the next attempt starts from.
    """
    at = 1
    while (ended := steps.attempt(number, fault, at)[0]) != 0:
        assert ended == -signal.SIGKILL
        yield at
        at *= growth


def test_a_second_run_is_told_who_writes(home: Home, small_nation: Path) -> None:
    before = state(home)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, str(home.root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        second = komek(*run(home, small_nation))
    finally:
        holder.kill()
        holder.wait()

    assert second.returncode == 1
    assert f"pid {holder.pid}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert state(home) == before
    said: list[str] = []
    with writer_lock(home, "test", said.append):
        assert "left behind" in " ".join(said)


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_landed_file_stops_the_run(
    home: Home, small_nation: Path, damage: str
) -> None:
    before = state(home)
    snapshots = landing.snapshots(home, "disability_terms")
    used = [one for one in snapshots if f"{one.snapshot_date}" <= "2020-04-20"][-1]
    file = used.paths[0]
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        middle = len(whole) // 2
        changed = bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        file.write_bytes(whole[:middle] + (changed if damage == "flipped" else b""))

    ended = komek(*run(home, small_nation))

    assert ended.returncode == 3
    assert "disability_terms" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert state(home) == before


def test_the_clock_is_no_part_of_the_result(home: Home, small_nation: Path) -> None:
    before = state(home)
    receipt = home.report(before[0]) / "receipt.json"
    written = receipt.read_bytes()
    assert time.time() > receipt.stat().st_mtime

    again = komek(*run(home, small_nation))

    assert (again.returncode, again.stderr) == (0, "")
    assert state(home) == before
    assert receipt.read_bytes() == written
