"""Publications that fail or are killed: what was published before still stands."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys

import click
import duckdb
import pytest

from finished_run import (
    AKMOLA,
    AKTOBE,
    Recipient,
    finish_run,
)
from komek.base import ending
from komek.base.errors import KomekError, StoppedError
from komek.base.places import Home
from komek.publishing import publish as publishing
from komek.publishing.publication import current_publication
from komek.publishing.publish import publish
from published_runs import (
    APRIL,
    publications,
    publish_run,
    quiet,
    state_of,
)


def test_damaged_current_link_is_named(home: Home) -> None:
    publish_run(home, "r1")
    shutil.rmtree(current_publication(home).folder)
    with pytest.raises(KomekError, match="leads to no publication"):
        current_publication(home)


@pytest.mark.parametrize("state", ["", "{", "[]", "{}", '{"run_id": 1}', "null"])
def test_what_is_no_state_is_named(home: Home, state: str) -> None:
    publish_run(home, "r1")
    (current_publication(home).folder / "publication.json").write_text(state)
    with pytest.raises(KomekError, match="leads to no publication"):
        current_publication(home)


def test_empty_folder_in_place_of_the_link_gives_way(home: Home) -> None:
    home.published.mkdir(parents=True)
    publish_run(home, "r1")
    assert home.published.is_symlink()


def test_foreign_files_in_place_of_the_link_are_kept(home: Home) -> None:
    home.published.mkdir(parents=True)
    (home.published / "notes.txt").write_text("mine")
    finish_run(home, "r1")
    with pytest.raises(KomekError, match=f"cannot publish run r1.*{home.published}"):
        publish(home, "r1", True, quiet)
    assert (home.published / "notes.txt").read_text() == "mine"
    assert current_publication(home) is None


def test_run_that_does_not_add_up_leaves_what_was_published(home: Home) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    with duckdb.connect(str(finish_run(home, "r2"))) as run:
        run.execute("update marts.region_status set norm_cost = norm_cost + 1")
    with pytest.raises(StoppedError, match=r"marts\.list_reconciliation"):
        publish(home, "r2", True, quiet)
    assert state_of(home) == before
    assert publications(home) == ["000001-r1"]


@pytest.mark.parametrize(
    ("during", "holds", "said"),
    [
        ("_link_fixed", "r1", ending.INTERRUPTED),
        ("sync", "r2", "interrupted; run r2 is published"),
        ("_sweep", "r2", "interrupted; run r2 is published"),
    ],
)
def test_who_interrupts_is_told_what_holds(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    during: str,
    holds: str,
    said: str,
) -> None:
    publish_run(home, "r1")
    finish_run(home, "r2")
    act = getattr(publishing, during)
    # They are called earlier too.
    early = {home.publications, current_publication(home)}

    def interrupted(*given: object) -> None:
        if early.isdisjoint(given):
            os.kill(os.getpid(), signal.SIGTERM)
        act(*given)

    monkeypatch.setattr(publishing, during, interrupted)
    monkeypatch.setattr(sys, "argv", ["komek"])

    @click.command
    def command() -> None:
        publish(home, "r2", True, quiet)

    assert ending.run(lambda: command) == 143
    # After ^C on a terminal click begins a new line.
    assert capsys.readouterr().err.lstrip("\n") == f"komek: {said}\n"
    assert state_of(home)[0] == holds


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("os.replace", errno.EROFS),
        ("os.rename", errno.EROFS),
        ("os.symlink", errno.EROFS),
        ("os.mkdir", errno.EROFS),
        ("os.fsync", errno.EIO),
    ],
)
def test_home_that_cannot_be_written_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    finish_run(home, "r2")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code), str(home.warehouse))

    with monkeypatch.context() as patched:
        patched.setattr(call, refuse)
        with pytest.raises(KomekError) as refused:
            publish(home, "r2", True, quiet)
    assert refused.value.exit_code == 1
    assert os.strerror(code) in str(refused.value)
    assert str(home.root) in str(refused.value)
    assert state_of(home) == before
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# Root is let past permissions by its capabilities: without them it is bound by them.
READ_ONLY = """
import ctypes, sys
from pathlib import Path
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publish import publish

version_3_of_this_process = (ctypes.c_uint32 * 2)(0x20080522, 0)
assert ctypes.CDLL(None).capset(version_3_of_this_process, (ctypes.c_uint32 * 6)()) == 0
try:
    publish(Home(Path(sys.argv[1])), "r2", True, print)
except KomekError as error:
    sys.exit(f"{error.exit_code}: {error}")
"""


@pytest.mark.parametrize("folder", ["publications", "warehouse"])
def test_read_only_folder_is_named(home: Home, folder: str) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    finish_run(home, "r2")
    place = getattr(home, folder)
    place.chmod(0o500)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(home.root)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        place.chmod(0o700)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"1: cannot publish run r2 in {home.root}: ")
    assert "Permission denied" in ended.stderr
    assert f"{place}/" in ended.stderr
    assert state_of(home) == before
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# A limit on file sizes fails writes for real, DuckDB's own too, as a full disk does.
SMALL_DISK = """
import resource, sys
from pathlib import Path
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publish import publish

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    publish(Home(Path(sys.argv[1])), sys.argv[2], True, print)
except KomekError as error:
    sys.exit(f"{error.exit_code}: {error}")
"""


@pytest.mark.parametrize("size", [4_096, 400_000])
def test_full_disk_leaves_what_was_published(home: Home, size: int) -> None:
    publish_run(home, "r1")
    before = state_of(home)
    letters = random.Random(118)
    people = tuple(
        Recipient(f"{number:012}", address=letters.randbytes(2_000).hex())
        for number in range(200)
    )
    finish_run(home, "r2", people)
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, str(home.root), "r2", str(size)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.startswith(f"1: cannot publish run r2 in {home.root}: ")
    assert "what was published before still stands" in ended.stderr
    assert ended.returncode == 1
    assert state_of(home) == before
    assert publications(home) == ["000001-r1"]
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"


# Dies by SIGKILL at its n-th change in the home (or read of a file there): the imports
# are paid once, and each death is a fork that runs DuckDB for the first time.
KILLED = """
import os, signal, sys
from pathlib import Path
import komek.publishing.publish
from komek.base.places import Home

home = Home(Path(sys.argv[1]))
LOOKS = ("os.listdir", "os.scandir")

def die_at(moment):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event.startswith(("open", "os.")) and event not in LOOKS and any(
            str(argument).startswith(str(home.root)) for argument in arguments
        ):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        die_at(int(line))
        komek.publishing.publish.publish(home, "r2", True, print)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_killed_at_any_moment_the_old_or_the_new_state_is_whole(home: Home) -> None:
    publish_run(home, "r0")
    publish_run(home, "r1")
    finish_run(home, "r2", blocked={AKTOBE: "no_norm"})
    old = ("r1", {f"{APRIL}/{AKMOLA}": "r1", f"{APRIL}/{AKTOBE}": "r1"})
    new = ("r2", {f"{APRIL}/{AKMOLA}": "r2", f"{APRIL}/{AKTOBE}": "r1"})
    seen = []
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        # What a death leaves behind is what the next attempt starts from.
        for moment in range(1, 1_000):
            process.stdin.write(f"{moment}\n")
            process.stdin.flush()
            ended = int(process.stdout.readline())
            seen.append(state_of(home))
            assert seen[-1] in (old, new)
            if seen[-1] == new or ended == 0:
                break
            assert ended == -signal.SIGKILL
        process.stdin.close()
    assert len(seen) > 10
    assert seen[-1] == new
    publish(home, "r2", True, quiet)
    assert state_of(home) == new
    assert set(publications(home)) >= {"000002-r1", current_publication(home).name}


def test_killed_before_the_first_publication_nothing_is_published(home: Home) -> None:
    finish_run(home, "r2")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.root)],
        input="".join(f"{moment}\n" for moment in range(1, 30, 3)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ended.stdout.split()) == {str(-signal.SIGKILL)}
    assert current_publication(home) is None
    assert not home.published_warehouse.exists()
    publish(home, "r2", True, quiet)
    assert state_of(home)[0] == "r2"
