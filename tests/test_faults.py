"""Faults, for real: runs that are killed, kept waiting, or find their inputs damaged.

Each happens to a process of its own. After it what is published is what it was, whole,
and a rerun finishes. How a publication dies at any moment is in komek/test_publish.py.
"""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from komek import landing, packs, publish
from komek.lock import writer_lock
from komek.places import Home

KOMEK = str(Path(sys.executable).with_name("komek"))
# Runs komek with one function replaced by a death no handler sees.
DIES = """
import importlib, os, signal, sys
from komek import cli
module, name, layer = sys.argv[1:4]
target = importlib.import_module(module)
alive = getattr(target, name)
def dying(*given, **named):
    if layer in ("", *map(str, given)):
        os.kill(os.getpid(), signal.SIGKILL)
    return alive(*given, **named)
setattr(target, name, dying)
sys.argv[1:] = sys.argv[4:]
cli.main()
"""
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


def died(at: tuple[str, str, str], *arguments: str) -> bool:
    ended = subprocess.run(
        [sys.executable, "-c", DIES, *at, *arguments],
        capture_output=True,
        check=False,
        timeout=300,
    )
    return ended.returncode == -signal.SIGKILL


def state(home: Home) -> tuple[str, list[str]]:
    """What is published: the run, and the packs, each of which must be whole."""
    publication = publish.current(home)
    assert publication is not None
    found = sorted(path.parent for path in publication.packs.rglob("manifest.json"))
    assert found
    assert all(packs.is_whole(pack) for pack in found)
    return publication.run.run_id, [pack.name for pack in found]


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


def test_a_run_killed_on_its_way_leaves_what_is_published(
    home: Home, small_nation: Path
) -> None:
    before = state(home)
    later = run(home, small_nation, "2020-04-27")

    for at in (
        ("komek.landing", "verify_snapshot", ""),
        ("komek.transform", "_invoke", "staging"),
        ("komek.transform", "_invoke", "law"),
        ("komek.receipts", "write", ""),
    ):
        assert died(at, *later), at
        assert state(home) == before
    again = komek(*later)

    assert (again.returncode, again.stderr) == (0, "")
    assert "left behind" in again.stdout
    assert state(home)[0].startswith("20200427-")
    assert not any(home.scratch.glob("20200427-*"))


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
