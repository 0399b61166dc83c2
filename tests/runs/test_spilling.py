"""What does not fit in memory is spilled, and nothing of a run is another for it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from filed_run import APRIL_20, compute
from komek.base.places import Home
from komek.base.settings import MEMORY_LIMIT
from komek.landing.land import land
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request
from komek.trust.contents import Content, readable_contents, tables_of

REQUEST = Request(APRIL_20, APRIL_20, {})
LITTLE, LESS = "60MB", "40MB"
SPILLING = Path(__file__).parents[1] / "tools" / "spilling.py"


def spills(home: Home, run_id: str, layers: Sequence[str], memory: str) -> bool:
    """Build layers in one process and little memory; say if any went on after a spill.

    There is one thread, so that how much memory is needed depends on no machine.
    """
    ended = subprocess.run(
        [sys.executable, str(SPILLING), str(home.root), run_id, *layers],
        env={**os.environ, MEMORY_LIMIT: memory},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    said = dict(line.split() for line in ended.stdout.splitlines())
    assert [*said] == [*layers]
    return any(int(models) > 0 for models in said.values())


def contents(file: Path) -> dict[str, Content]:
    tables = tables_of(file, ("staging", "facts", "law", "marts"))
    return {
        f"{schema}.{table}": content
        for (schema, table), content in readable_contents(file, tables)
        if content is not None
    }


def test_a_run_that_spills_gives_the_same(
    tmp_path: Path, small_nation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one process, as `komek run`, and in one for a layer, as in Airflow."""
    home = Home(tmp_path / "home")
    monkeypatch.delenv(MEMORY_LIMIT, raising=False)
    land(home, small_nation, until=APRIL_20)
    whole = contents(compute(home, REQUEST).file)

    run = begin(home, REQUEST)
    assert spills(home, run.run_id, build.LAYERS, LITTLE)
    assert contents(run.file) == whole
    assert spills(home, run.run_id, ["law"], LESS)
    assert contents(run.file) == whole
