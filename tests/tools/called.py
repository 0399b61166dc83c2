"""A call of the command as anybody makes it, with all that it leaves."""

import os
from dataclasses import dataclass
from pathlib import Path

import warm
from komek.base.places import Home


@dataclass(frozen=True)
class Called:
    """One call of the command: its home, and a folder of all it left elsewhere."""

    home: Home
    left: Path
    status: int
    stderr: str


def call(folder: Path, drop: Path, *arguments: str) -> Called:
    """Call komek as anybody would, under a careless umask."""
    home, left = folder / "home", folder / "left"
    (left / "tmp").mkdir(parents=True)
    result = warm.komek(
        *arguments,
        *("--drop", str(drop), "--home", str(home)),
        cwd=left,
        env=os.environ | {"TMPDIR": str(left / "tmp")},
        umask=0o022,
    )
    (left / "stdout").write_text(result.stdout, encoding="utf-8")
    (left / "stderr").write_text(result.stderr, encoding="utf-8")
    return Called(Home(home), left, result.returncode, result.stderr)
