"""One publication of the golden nation and its papers, which all tests of papers read.

The run is of 20 April; what was listed on 5 April lands beforehand, as the golden rows
have it. Some of its people have names that somebody wrote in bad faith.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from built_once import built_once
from filed_run import GOLDEN, compute
from komek import pipeline
from komek.base import registries
from komek.base.places import Home
from komek.landing.land import land
from komek.landing.own import land_own
from komek.papers import Request, make_papers
from komek.runs.run import Request as RunRequest
from made_papers import Papers
from paper_files import HOSTILE, PAYER

APRIL_5, APRIL_20 = date(2020, 4, 5), date(2020, 4, 20)


@pytest.fixture(autouse=True)
def payer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """KOMEK_PAYER leads to a whole file."""
    path = tmp_path_factory.getbasetemp() / "payer.toml"
    path.write_text(PAYER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOMEK_PAYER", str(path))
        yield path


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = built_once(tmp_path_factory, "papers", _make)
    notes = json.loads((folder / "notes.json").read_text(encoding="utf-8"))
    return Papers(Home(folder / "home"), folder / "papers", notes)


def _make(folder: Path) -> None:
    """Publish a run into a folder, and make all its papers in Russian."""
    home = Home(folder / "home")
    land(home, _with_hostile_names(folder / "drop"))
    _land_early_lists(home)
    run = compute(home, RunRequest(APRIL_20, APRIL_20, {}))
    assert pipeline.publish(home, run.run_id, lambda _: None) is not None
    payer = folder / "payer.toml"
    payer.write_text(PAYER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOMEK_PAYER", str(payer))
        made = make_papers(home, Request(), folder / "papers")
    notes = {one.kind: one.note for one in made}
    (folder / "notes.json").write_text(json.dumps(notes), encoding="utf-8")


def _with_hostile_names(drop: Path) -> Path:
    """Copy the golden drop; give some of those who are listed other names."""
    shutil.copytree(GOLDEN, drop)
    (file,) = (drop / "persons").iterdir()
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        iin, *fields = line.split(",")
        if iin in HOSTILE:
            quoted = HOSTILE[iin].replace('"', '""')
            lines[number] = ",".join([iin, f'"{quoted}"', *fields[1:]])
    file.write_text("".join(lines), encoding="utf-8")
    return drop


def _land_early_lists(home: Home) -> None:
    entity = registries.entity("lists")
    listed = GOLDEN.parent / "early" / "food_set_lists.csv"

    def write(target: Path) -> None:
        columns = ", ".join(
            f"nullif({name}, '') as {name}" for name in entity.column_names
        )
        duckdb.sql(
            f"copy (select {columns} from read_csv('{listed}', all_varchar = true)"
            " where nullif(list_no, '') is not null"
            f" order by list_month, iin) to '{target}' (format parquet)"
        )

    land_own(home, entity, APRIL_5, "golden", write)
