"""A run that is interrupted, or told to end, says so and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from filed_run import GOLDEN
from komek.base.ending import INTERRUPTED
from komek.base.places import Home
from warm import komek

KOMEK = Path(sys.executable).with_name("komek")


def started(home: Path) -> subprocess.Popen[str]:
    run = ["run", "--as-of", "2020-04-20", "--drop", str(GOLDEN), "--home", str(home)]
    return subprocess.Popen(
        [KOMEK, *run],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize(
    ("step", "sent", "status"),
    [
        ("read and sort the registries", signal.SIGINT, 130),
        ("check the registries", signal.SIGTERM, 143),
        ("apply the law", signal.SIGTERM, 143),
        ("check the result", signal.SIGINT, 130),
    ],
)
def test_it_says_so_and_its_scratch_is_gone(
    tmp_path: Path, step: str, sent: signal.Signals, status: int
) -> None:
    with started(tmp_path) as process:
        for line in process.stdout:
            if line.startswith(step):
                process.send_signal(sent)
                break
        _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    assert errors.lstrip("\n") == f"komek: {INTERRUPTED}\n"
    home = Home(tmp_path)
    assert [path.name for path in home.scratch.iterdir() if path.is_dir()] == []
    assert list(home.run_ids()) == []


def test_what_has_landed_is_one_line(published_golden: Home, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(published_golden.root, home, symlinks=True)
    again = komek(
        *("run", "--as-of", "2020-04-20", "--drop", str(GOLDEN), "--home", str(home))
    )
    assert again.returncode == 0, again.stderr
    assert len(re.findall(r"\d+ snapshots unchanged", again.stdout)) == 1
    assert "revision" not in again.stdout
