"""Faults, for real: runs that are killed, kept waiting, or find their inputs damaged.

Each happens to a process of its own. After it what is published is what it was, whole,
and a rerun finishes. How a publication dies at any moment is in
publishing/test_publish_faults.py.
"""

import csv
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import faulty_steps
from called import Called
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.landing.snapshots import newest_snapshots
from komek.publishing.packs import is_whole
from komek.publishing.publication import current_publication
from komek.trust.chain import broken_links
from warm import komek

STEPS = str(Path(faulty_steps.__file__))
BUILDING = (
    "read and sort the registries",
    "find the facts",
    "apply the law",
    "write the tables",
)
# A limit on file sizes fails writes for real, DuckDB's own too, as a full disk does.
FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
"""
# Root is let past permissions by its capabilities: without them it is bound by them.
UNPRIVILEGED = """
import ctypes
version_3_of_this_process = (ctypes.c_uint32 * 2)(0x20080522, 0)
assert ctypes.CDLL(None).capset(version_3_of_this_process, (ctypes.c_uint32 * 6)()) == 0
"""
# komek reads the clock of the year 2001, and so does all that asks for time.time().
# (What is compiled, and dbt's cache, do not bear another class of datetime.)
CLOCK_SET_BACK = """
import datetime, sys, time
from komek import cli, pipeline
from komek.trust import events
real, clock = datetime.datetime, time.time
back = real(2001, 9, 9, tzinfo=datetime.UTC).timestamp() - clock()
class Datetime(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=back)
time.time = lambda: clock() + back
for name, module in list(sys.modules.items()):
    if name.startswith("komek.") and getattr(module, "datetime", None) is real:
        module.datetime = Datetime
"""
# Says what it reads after the first thousand bytes, and waits for a word.
READS_SLOWLY = """
import sys
from komek import cli
from komek.landing import drop, land
drop._CHUNK = 1_000
def wait(doing, done, size):
    what, name = doing.split()
    if what == "receive" and done == 1_000:
        print(f"reading {name}", flush=True)
        sys.stdin.readline()
land.no_progress = wait
cli.main()
"""
HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from komek.base.lock import writer_lock
from komek.base.places import Home
with writer_lock(Home(Path(sys.argv[1])), "komek run"):
    print("held", flush=True)
    time.sleep(600)
"""


def run(home: Home, drop: Path, as_of: str = "2020-04-20") -> list[str]:
    return ["run", "--as-of", as_of, *at(home, drop)]


def at(home: Home, drop: Path) -> list[str]:
    return ["--drop", str(drop), "--home", str(home.root)]


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    paths = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path])


def state(home: Home) -> tuple[str, tuple[str, ...]]:
    """What is published: the run, and the packs, each of which must be whole."""
    publication = current_publication(home)
    assert publication is not None
    found = sorted(path.parent for path in publication.packs.rglob("manifest.json"))
    assert found
    assert all(is_whole(pack) for pack in found)
    return publication.run.run_id, tuple(pack.name for pack in found)


@pytest.fixture
def home(published_nation: Called, tmp_path: Path) -> Home:
    copy = Home(tmp_path / "home")
    shutil.copytree(published_nation.home.root, copy.root, symlinks=True)
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
        # First at the first file that it opens under the lock.
        assert list(killed(steps, number, first=3, growth=8)), at
        assert state(home) == before

    # On a full disk DuckDB closes its file in silence: what the check has written is in
    # the log beside it.
    assert steps.attempt(publishing - 1, "full disk", 10_000_000) == (0, "")
    assert list(home.scratch.glob("*/run.duckdb.wal"))

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
    with duckdb.connect(home.published_warehouse, read_only=True) as warehouse:
        assert warehouse.execute("select finished_at from marts.run").fetchone()[0]

    # Begun once more, it is left behind; the rerun finds its every table the same.
    assert steps.attempt(1)[0] == 0
    assert steps.attempt(2, "killed at a file", 3)[0] == -signal.SIGKILL
    again = komek(*run(home, small_nation, "2020-04-27"))
    assert (again.returncode, again.stderr) == (0, "")
    assert "left behind" in again.stdout
    assert state(home) == new
    assert not list(home.scratch.iterdir())
    assert broken_links(home) == []


def killed(steps: Steps, number: int, first: int, growth: int) -> Iterator[int]:
    """Kill a step ever later until it ends by itself; yield when it was killed.

    What a death leaves behind is what the next attempt starts from.
    """
    at = first
    while (ended := steps.attempt(number, "killed at a file", at)[0]) != 0:
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
    snapshots = newest_snapshots(home, "disability_terms")
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


@pytest.mark.parametrize("command", ["pull", "run"])
def test_a_full_disk_ends_a_command_in_one_line(
    home: Home, small_nation: Path, command: str
) -> None:
    before = state(home)
    call = run(home, small_nation, "2020-04-27")
    # A run finds what it needs landed, and no room for what dbt writes.
    size = 1_000_000
    if command == "pull":
        call, size = ["pull", *call[3:]], 4_096

    ended = komek(*call, first=FULL_DISK.format(size=size))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"komek: cannot write {home.root}")
    assert ended.stderr.endswith(": File too large\n")
    assert len(ended.stderr.splitlines()) == 1
    assert state(home) == before
    assert not list(home.scratch.iterdir())
    again = komek("pull", *call[-4:])
    assert (again.returncode, again.stderr) == (0, "")


def test_a_read_only_home_is_told_and_still_answers(
    home: Home, small_nation: Path
) -> None:
    before = state(home)
    with next(home.published.rglob("recipients.csv")).open(
        encoding="utf-8-sig"
    ) as file:
        iin = next(csv.DictReader(file))["iin"]
    there = {path: path.lstat().st_mtime_ns for path in home.root.rglob("*")}
    there_it_is, (run_id, _) = ["--home", str(home.root)], before
    with read_only(home.root):
        refused = {
            command[0]: komek(*command, *there_it_is, first=UNPRIVILEGED)
            for command in (
                run(home, small_nation, "2020-04-27")[:-2],
                ["pull", "--drop", str(small_nation)],
                ["diff", run_id, run_id],
                ["verify", run_id],
                ["retire", "--before", "2020-04-01"],
            )
        }
        status = komek("status", *there_it_is, first=UNPRIVILEGED)
        explained = komek("explain", iin, *there_it_is, first=UNPRIVILEGED)

    # A comparison waits for nobody who writes: it takes no lock.
    lock, scratch = str(home.lock), f"{home.lock.parent}/.diff-{run_id}-{run_id}-"
    for name, ended in refused.items():
        place = scratch if name == "diff" else lock
        assert ended.returncode == 1, name
        assert ended.stderr.startswith(f"komek: cannot write {place}"), name
        assert ended.stderr.endswith(": Permission denied\n"), name
    assert {path: path.lstat().st_mtime_ns for path in home.root.rglob("*")} == there
    assert (status.returncode, status.stderr) == (0, "")
    assert f"Published: run {run_id}" in status.stdout
    assert (explained.returncode, explained.stderr) == (0, "")
    assert "paragraph 25" in explained.stdout


def test_a_landing_that_is_read_only_is_no_refusal_of_what_is_delivered(
    home: Home, small_nation: Path
) -> None:
    before = state(home)
    pull = ["pull", "--drop", str(small_nation), "--home", str(home.root)]
    with read_only(home.landing):
        ended = komek(*pull, first=UNPRIVILEGED)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"komek: cannot write {home.landing}")
    assert ended.stderr.endswith(": Permission denied\n")
    assert len(ended.stderr.splitlines()) == 1
    assert state(home) == before
    assert komek(*pull).returncode == 0


def test_a_source_that_changes_while_it_is_read_is_refused(
    home: Home, small_nation: Path, tmp_path: Path
) -> None:
    before = state(home)
    name = "2020-05-24.parquet"
    changes: dict[str, Callable[[Path], object]] = {
        "asp_awards": lambda path: path.write_bytes(path.read_bytes() + b"more"),
        "asp_members": lambda path: os.truncate(path, path.stat().st_size - 1),
        "benefit_awards": lambda path: path.write_bytes(path.read_bytes()[::-1]),
        "benefit_payments": lambda path: Path(shutil.copy(path, tmp_path)).replace(
            path
        ),
        "disability_terms": Path.unlink,
        "persons": lambda path: path.read_bytes(),
    }
    drop = tmp_path / "drop"
    for entity in changes:
        (drop / entity).mkdir(parents=True)
        shutil.copy(small_nation / entity / name, drop / entity)

    # Between the first and the second thousand bytes of each file, it changes.
    with subprocess.Popen(
        [sys.executable, "-c", READS_SLOWLY, "pull", *at(home, drop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as pull:
        for line in pull.stdout:
            if line.startswith("reading "):
                file = drop / line.split()[1]
                changes[file.parent.name](file)
                pull.stdin.write("\n")
                pull.stdin.flush()
        said = pull.stderr.read()

    assert pull.returncode == 3
    assert len(said.splitlines()) == 1
    refused = sorted(set(changes) - {"persons"})
    for entity in refused:
        reason = "cannot be read: No such file or directory"
        if (drop / entity / name).exists():
            reason = "changed while it was read"
        assert f"{entity}/{name}: {reason}" in said
    landed = {
        entity: f"{newest_snapshots(home, entity)[-1].snapshot_date}.parquet"
        for entity in changes
    }
    assert [entity for entity in changes if landed[entity] == name] == ["persons"]
    assert state(home) == before
    for entity in refused:
        shutil.copy(small_nation / entity / name, drop / entity)
    again = komek("pull", *at(home, drop))
    assert (again.returncode, again.stderr) == (0, "")
    assert f"{len(refused)} new snapshots" in again.stdout


def test_the_clock_is_no_part_of_the_result(home: Home, small_nation: Path) -> None:
    before = state(home)
    later = run(home, small_nation, "2020-04-27")

    early = komek(*later, first=CLOCK_SET_BACK)

    assert (early.returncode, early.stderr) == (0, "")
    published = state(home)
    assert published[0].startswith("20200427-")
    publication = current_publication(home)
    assert publication.name == f"000002-{published[0]}"
    assert publication.previous == f"000001-{before[0]}"
    with duckdb.connect(home.published_warehouse, read_only=True) as warehouse:
        times = warehouse.execute("select started_at, finished_at from marts.run")
        assert {moment.year for moment in times.fetchone()} == {2001}
    assert broken_links(home) == []
    status = komek("status", "--home", str(home.root), first=CLOCK_SET_BACK)
    assert (status.returncode, status.stderr) == (0, "")
    assert f"Published: run {published[0]}" in status.stdout
    receipt = home.report(published[0]) / "receipt.json"
    written = receipt.read_bytes()

    again = komek(*later)

    # A run that gave other rows than its receipt says would have failed.
    assert (again.returncode, again.stderr) == (0, "")
    assert f"run {published[0]} is published already" in again.stdout
    assert state(home) == published
    assert receipt.read_bytes() == written
    assert broken_links(home) == []
