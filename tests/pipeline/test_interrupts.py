"""A run that is interrupted, or told to end, says so and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from filed_run import GOLDEN
from komek.base.ending import INTERRUPTED
from komek.base.places import Home

KOMEK = Path(sys.executable).with_name("komek")


def started(home: Path, *more: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [KOMEK, "run", "--as-of", "2020-04-20", "--home", str(home), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
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
    with started(tmp_path, "--drop", str(GOLDEN)) as process:
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


def test_it_runs_from_what_has_landed_where_there_is_no_drop(tmp_path: Path) -> None:
    with started(tmp_path, "--drop", str(GOLDEN)) as process:
        first, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    nowhere = {"KOMEK_DROP": ""}
    with started(tmp_path, "--drop", str(GOLDEN), **nowhere) as process:
        again, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "revision" in first
    assert " snapshots unchanged" in again
    assert "revision" not in again
