"""After a fault, what is published is the old or the new, whole, and a rerun ends well.

The faults are real: processes that die by SIGKILL, writes that fail. Publishing dies at
every change it makes in tests/komek/test_publish.py, and a source that changes while it
is read is in tests/komek/test_landing.py.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from komek import receipts, verify
from komek.packs import digest, is_whole
from komek.places import Home
from komek.publish import current

OLD, NEW = "2020-04-20", "2020-04-27"
QUERY = "dbt.adapters.sql.connections:SQLConnectionManager.add_query"
FULL = 4_096


@dataclass(frozen=True)
class Ended:
    """How a job ended: None if it is stopped, not ended."""

    pid: int
    status: int | None
    out: str
    err: str


@dataclass
class Runner:
    """Starts jobs, see faulty_runs.py."""

    process: subprocess.Popen[str]
    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    def job(self, home: Home, **job: Any) -> Ended:
        out = self.folder / str(next(self.numbers))
        said = json.dumps({"home": str(home.root), "out": str(out), **job})
        self.process.stdin.write(f"{said}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return Ended(
            answer["pid"],
            answer.get("ended"),
            out.with_suffix(".out").read_text(),
            out.with_suffix(".err").read_text(),
        )

    def run(self, home: Home, drop: Path, as_of: str, *more: str, **job: Any) -> Ended:
        argv = ["run", "--as-of", as_of, "--drop", str(drop)]
        return self.job(home, argv=[*argv, "--home", str(home.root), *more], **job)


@dataclass(frozen=True)
class Published:
    """A home that published a run of OLD once, and the drop folder it read."""

    home: Home
    drop: Path

    def copy(self, folder: Path) -> Home:
        return copied(self.home, folder / "home")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    script = Path(__file__).with_name("faulty_runs.py")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield Runner(process, tmp_path_factory.mktemp("said"))
        process.stdin.close()


@pytest.fixture(scope="module")
def published(
    runner: Runner, small_nation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    home = Home(tmp_path_factory.mktemp("published") / "home")
    ended = runner.run(home, small_nation, OLD)
    assert (ended.status, ended.err) == (0, "")
    return Published(home, small_nation)


def copied(home: Home, to: Path) -> Home:
    subprocess.run(["cp", "-a", str(home.root), str(to)], check=True)
    return Home(to)


def state_of(home: Home) -> dict[str, str]:
    """Return every published file and its hash, reached as people reach it."""
    publication = current(home)
    files = [home.published_warehouse, *home.published.rglob("*")]
    return {"publication": publication.name} | {
        str(file.relative_to(home.root)): digest(file)
        for file in files
        if file.is_file()
    }


def is_published(home: Home, run_id: str) -> bool:
    """Say whether a run is published, whole: every byte as its manifests say."""
    publication = current(home)
    packs = list(home.published.glob(f"{publication.run.list_month}/*"))
    with duckdb.connect(str(home.published_warehouse), read_only=True) as warehouse:
        run = warehouse.execute("select run_id from marts.run").fetchall()
    return (
        run == [(run_id,)]
        and publication.run.run_id == run_id
        and len(packs) == len(publication.published) > 0
        and all(is_whole(pack) for pack in home.published.glob("*/*"))
    )


def refused(ended: Ended, status: int, *said: str) -> None:
    """Assert that a command ended with one line that says these things."""
    assert "Traceback" not in ended.out + ended.err
    assert re.fullmatch(r"komek: [^\n]+\n", ended.err), ended.err
    for text in said:
        assert text in ended.err
    assert ended.status == status, ended.err


def prepare(runner: Runner, home: Home, day: str) -> str:
    ended = runner.job(home, steps=[["prepare", day]])
    assert (ended.status, ended.err) == (0, "")
    return ended.out.split()[-1]


# A run that dies in every step


@dataclass(frozen=True)
class Deaths:
    """A home where a run of NEW died again and again, just before it was published."""

    home: Home
    run_id: str


@pytest.fixture(scope="module")
def deaths(
    runner: Runner, published: Published, tmp_path_factory: pytest.TempPathFactory
) -> Deaths:
    """Let every step of a run die in its midst, before the next attempt at it.

    Asserts after each death that the old publication holds, whole.
    """
    home = published.copy(tmp_path_factory.mktemp("deaths"))
    before = state_of(home)
    pull = ["pull", str(published.drop), NEW]

    def die(steps: list[list[str]], at: str, call: int = 1) -> Ended:
        fault = {"at": at, "call": call, "what": "kill"}
        ended = runner.job(home, steps=steps, fault=fault)
        assert (ended.status, ended.err) == (-signal.SIGKILL, ""), (steps, at)
        assert state_of(home) == before, (steps, at)
        return ended

    die([pull], "komek.landing:_move_into", 2)
    ended = die([pull, ["prepare", NEW]], "komek.runs:_lay_out_snapshot", 5)
    assert re.search(
        r"lock of komek run \(pid \d+, since [^)]+\) was left behind", ended.out
    )
    run_id = prepare(runner, home, NEW)
    done: list[list[str]] = []
    for step, at, call in (
        ("stage", QUERY, 20),
        ("check_door", "komek.gx:validate", 5),
        ("facts", QUERY, 40),
        ("law", QUERY, 20),
        ("marts", QUERY, 20),
        ("check_result", "komek.validation:_write", 1),
        ("publish", "komek.transform:artifacts", 1),
    ):
        # What died is done anew, whole, and the step after it dies.
        die([*done, [step, run_id]], at, call)
        done = [[step, run_id]]
    for at in (
        "komek.receipts:write",
        "komek.receipts:_add_link",
        "komek.events:emit",
        "komek.publish:_point",
    ):
        die(done, at)
    return Deaths(home, run_id)


def test_killed_in_any_step_of_a_run_a_rerun_publishes(
    runner: Runner, published: Published, deaths: Deaths, tmp_path: Path
) -> None:
    tried_again = copied(deaths.home, tmp_path / "tried_again")
    rerun = copied(deaths.home, tmp_path / "rerun")

    # Published, it dies before the chain says so, and once more after it does.
    publish = [["publish", deaths.run_id]]
    for at, after in (("seal", False), ("seal_if_missing", True)):
        fault = {"at": f"komek.receipts:{at}", "after": after, "what": "kill"}
        ended = runner.job(tried_again, steps=publish, fault=fault)
        assert (ended.status, ended.err) == (-signal.SIGKILL, "")
        assert is_published(tried_again, deaths.run_id)
    ended = runner.job(tried_again, steps=publish)
    assert (ended.status, ended.err) == (0, "")
    assert "was left behind" in ended.out
    assert is_published(tried_again, deaths.run_id)
    assert verify.check(tried_again, deaths.run_id).findings == []

    # A whole rerun, while the clock is years before all that it finds.
    for path in (rerun.root, *rerun.root.rglob("*")):
        os.utime(path, (2**31 - 1,) * 2, follow_symlinks=False)
    ended = runner.run(rerun, published.drop, NEW, years_back=20)
    assert (ended.status, ended.err) == (0, "")
    assert "was left behind: that run did not end; going on" in ended.out
    assert is_published(rerun, deaths.run_id)
    assert verify.check(rerun, deaths.run_id).findings == []
    assert not list(rerun.scratch.iterdir())
    started = "select year(started_at) from marts.run"
    years = set()
    for home in (tried_again, rerun):
        with duckdb.connect(str(home.published_warehouse), read_only=True) as run:
            years |= set(run.execute(started).fetchall())
    assert len(years) == 2
    # By whatever clock, after whatever deaths: the same tables from the same bytes.
    texts = {
        receipts.receipt_path(home, deaths.run_id).read_bytes()
        for home in (tried_again, rerun)
    }
    assert len(texts) == 1


# A full disk


@pytest.mark.parametrize(
    ("at", "size"),
    [
        ("komek.runs:_save", 1_024),
        ("komek.runs:_lay_out", FULL),
        ("komek.transform:_invoke", FULL),
        (QUERY, 400_000),
    ],
)
def test_full_disk_ends_a_run(
    runner: Runner, published: Published, tmp_path: Path, at: str, size: int
) -> None:
    home = published.copy(tmp_path)
    before = state_of(home)
    fault = {"at": at, "what": size}
    # Known a day before, it is another run of what has landed.
    known = ("--known-at", "2020-04-19")
    refused(runner.run(home, published.drop, OLD, *known, fault=fault), 1)
    assert state_of(home) == before
    assert not list(home.scratch.iterdir())
    prepare(runner, home, OLD)


def test_full_disk_lands_nothing_and_names_it(
    runner: Runner, published: Published, tmp_path: Path
) -> None:
    home = published.copy(tmp_path)
    before = state_of(home), sorted(home.landing.rglob("*.json"))
    fault = {"at": "komek.landing:land", "what": FULL}
    ended = runner.run(home, published.drop, NEW, fault=fault)
    refused(ended, 3, "could not be landed: File too large", "2020-04-26")
    assert (state_of(home), sorted(home.landing.rglob("*.json"))) == before
    ended = runner.job(home, steps=[["pull", str(published.drop), NEW]])
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("step", "at"),
    [
        ("check_result", "komek.validation:check_result"),
        ("publish", "komek.receipts:write"),
        ("publish", "komek.events:emit"),
        ("publish", "komek.publish:_build"),
    ],
)
def test_full_disk_at_the_end_of_a_run(
    runner: Runner, deaths: Deaths, tmp_path: Path, step: str, at: str
) -> None:
    home = copied(deaths.home, tmp_path / "home")
    if step != "publish":
        # Filed, but not published: back to where it is built.
        shutil.move(home.run_file(deaths.run_id), run_folder(home, deaths))
    # The disk holds what there is, and not a receipt more.
    receipts.receipt_path(home, deaths.run_id).unlink(missing_ok=True)
    before = state_of(home)
    steps = [[step, deaths.run_id]]
    ended = runner.job(home, steps=steps, fault={"at": at, "what": 1_024})
    refused(ended, 1)
    assert state_of(home) == before
    ended = runner.job(home, steps=steps)
    assert (ended.status, ended.err) == (0, "")


def run_folder(home: Home, deaths: Deaths) -> Path:
    return home.scratch / deaths.run_id / "run.duckdb"


# A home that cannot be written


def make_read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o500 if path.is_dir() else 0o400)


@pytest.mark.parametrize(
    ("folder", "status"),
    [(".", 1), ("landing", 3), ("warehouse/scratch", 1), ("warehouse", 1)],
)
def test_read_only_home_is_named(
    runner: Runner, published: Published, tmp_path: Path, folder: str, status: int
) -> None:
    home = published.copy(tmp_path)
    before = state_of(home)
    make_read_only(home.root / folder)
    as_of = NEW if folder == "landing" else OLD
    ended = runner.run(home, published.drop, as_of, powerless=True)
    refused(ended, status, "Permission denied")
    assert state_of(home) == before


@pytest.mark.parametrize("folder", ["reports", "warehouse/runs"])
def test_read_only_folder_at_the_end_of_a_run_is_named(
    runner: Runner, deaths: Deaths, tmp_path: Path, folder: str
) -> None:
    home = copied(deaths.home, tmp_path / "home")
    before = state_of(home)
    if folder == "warehouse/runs":
        shutil.move(home.run_file(deaths.run_id), run_folder(home, deaths))
    make_read_only(home.root / folder)
    steps = [["publish", deaths.run_id]]
    refused(runner.job(home, steps=steps, powerless=True), 1, "Permission denied")
    assert state_of(home) == before
    for path in (home.root / folder).rglob("*"):
        path.chmod(0o700)
    (home.root / folder).chmod(0o700)
    ended = runner.job(home, steps=steps, powerless=True)
    assert (ended.status, ended.err) == (0, "")
    assert is_published(home, deaths.run_id)


# Two at once


def test_second_run_at_once_is_refused(
    runner: Runner, published: Published, tmp_path: Path
) -> None:
    home = published.copy(tmp_path)
    before = state_of(home)
    fault = {"at": "komek.runs:_lay_out", "what": "stop"}
    first = runner.run(home, published.drop, OLD, fault=fault)
    assert first.status is None
    try:
        second = runner.run(home, published.drop, NEW)
        refused(second, 1, str(home.root), f"komek run (pid {first.pid}, since 20")
        assert state_of(home) == before
    finally:
        os.kill(first.pid, signal.SIGKILL)
    ended = runner.job(home, steps=[["prepare", OLD]])
    assert ended.status == 0
    assert f"(pid {first.pid}, since" in ended.out
    assert "was left behind" in ended.out


# What landed is no more what it was


@pytest.mark.parametrize("damage", ["a byte is another", "it is cut off", "it is gone"])
def test_damaged_landed_file_stops_the_run(
    runner: Runner, published: Published, tmp_path: Path, damage: str
) -> None:
    home = published.copy(tmp_path)
    before = state_of(home)
    landed = sorted(home.entity("persons").glob("2020-*/r0001/00000.parquet"))[-1]
    whole = landed.read_bytes()
    middle = len(whole) // 2
    if damage == "a byte is another":
        other = bytes([whole[middle] ^ 1])
        landed.write_bytes(whole[:middle] + other + whole[middle + 1 :])
    elif damage == "it is cut off":
        landed.write_bytes(whole[:middle])
    else:
        landed.unlink()
    ended = runner.run(home, published.drop, OLD)
    refused(ended, 3, str(landed))
    assert state_of(home) == before
    landed.write_bytes(whole)
    prepare(runner, home, OLD)
