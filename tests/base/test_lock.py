import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from komek.base.errors import KomekError, StoppedError
from komek.base.files import private_files
from komek.base.lock import writer_lock
from komek.base.places import Home

HOLD = """
import sys
from pathlib import Path
from komek.base.lock import writer_lock
from komek.base.places import Home

with writer_lock(Home(Path(sys.argv[1])), "komek run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def holder(home: Home):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_second_run_is_told_who_holds_the_lock(home: Home, holder) -> None:
    with (
        pytest.raises(KomekError, match=rf"komek run \(pid {holder.pid}, since 20"),
        writer_lock(home),
    ):
        pass
    # Refused, it left the holder's name in the file.
    assert json.loads(home.lock.read_text())["pid"] == holder.pid


def test_lock_of_a_killed_run_is_recognised_and_said(home: Home, holder) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    said = []
    with writer_lock(home, "komek run", said.append):
        assert json.loads(home.lock.read_text())["pid"] == os.getpid()
    assert len(said) == 1
    assert f"komek run (pid {holder.pid}, since " in said[0]


def test_lock_is_free_after_a_run_that_ended_well_or_not(home: Home) -> None:
    said = []
    with writer_lock(home, say=said.append):
        pass
    with pytest.raises(StoppedError), writer_lock(home, say=said.append):
        raise StoppedError("a check")
    with writer_lock(home, say=said.append):
        pass
    assert said == []


def test_half_written_lock_is_no_obstacle(home: Home) -> None:
    home.lock.parent.mkdir(parents=True)
    home.lock.write_text('{"pid": 1')
    said = []
    with writer_lock(home, say=said.append):
        pass
    assert "an unnamed process" in said[0]


def test_home_that_cannot_be_written_is_named(home: Home) -> None:
    home.root.write_text("a file where the folder belongs")
    with pytest.raises(KomekError, match=r"cannot write .*home"), writer_lock(home):
        pass


def test_what_is_written_inside_is_the_owners_alone(home: Home) -> None:
    with writer_lock(home):
        (home.root / "folder").mkdir()
        (home.root / "file").write_text("")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in home.root.rglob("*")
    }
    assert modes == {
        "warehouse": 0o700,
        "writer.lock": 0o600,
        "folder": 0o700,
        "file": 0o600,
    }
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


def test_mask_is_put_back(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with private_files():
            pass
        (tmp_path / "after").mkdir()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "after").stat().st_mode) == 0o755
