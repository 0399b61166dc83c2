"""What of old runs may go: the chain says so, and a publication keeps its own."""

from datetime import date
from pathlib import Path

import pytest

from hand_filed import hand_made, publish_filed
from komek.base.places import Home
from komek.runs.days import run_begins
from komek.trust.audit import audit
from komek.trust.receipts import write_receipt
from komek.trust.retired_runs import retire_runs
from komek.trust.verify import check

LATER = date(2020, 5, 1)


def quiet(_line: str) -> None:
    pass


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three publications, the first of them gone, and a filed run."""
    home = Home(tmp_path / "home")
    for run_id in ("r1", "r2", "r3"):
        publish_filed(home, hand_made(home, run_id))
    filed = hand_made(home, "r4")
    write_receipt(home, filed, {"overridden_checks": ""})
    (home.report("r4") / "data_docs").mkdir()
    (home.report("r4") / "data_docs" / "page.html").touch()
    return home


def test_old_run_files_go_and_publications_stay(home: Home) -> None:
    retired = retire_runs(home, LATER, quiet, dry_run=False)

    assert retired == [
        "warehouse/runs/r1.duckdb",
        "warehouse/runs/r4.duckdb",
        "reports/r4/data_docs",
    ]
    assert {*home.run_ids()} == {"r2", "r3"}
    assert home.published_warehouse.is_file()
    assert (home.report("r4") / "receipt.json").is_file()


def test_the_chain_says_that_they_went(home: Home) -> None:
    retire_runs(home, LATER, quiet, dry_run=False)

    assert audit(home, {}).findings == []
    checked = check(home, "r4")
    assert checked.findings == []
    assert any("its file was retired" in note for note in checked.notes)


def test_a_file_that_went_otherwise_is_missed(home: Home) -> None:
    retire_runs(home, LATER, quiet, dry_run=False)
    home.run_file("r3").unlink()

    assert audit(home, {}).findings == ["warehouse/runs/r3.duckdb is missing"]


def test_a_retired_run_that_is_filed_again_is_there_again(home: Home) -> None:
    retire_runs(home, LATER, quiet, dry_run=False)

    write_receipt(home, hand_made(home, "r4"), {"overridden_checks": ""})

    assert audit(home, {}).findings == []
    home.run_file("r4").write_bytes(b"another")
    assert len(audit(home, {}).findings) == 1


def test_what_is_not_older_stays(home: Home) -> None:
    assert retire_runs(home, date(2020, 4, 20), quiet, dry_run=False) == []


def test_a_dry_run_removes_nothing(home: Home) -> None:
    would = retire_runs(home, LATER, quiet, dry_run=True)

    assert would == retire_runs(home, LATER, quiet, dry_run=False)
    assert len(would) == 3


def test_reports_of_stopped_runs_and_notes_of_days_go(home: Home) -> None:
    stopped = home.report("20200401-0123456789ab")
    (stopped / "validation").mkdir(parents=True)
    (home.report("notes of ours")).mkdir()
    run_begins(home, date(2020, 4, 1))
    run_begins(home, LATER)

    retired = retire_runs(home, LATER, quiet, dry_run=False)

    assert "reports/20200401-0123456789ab" in retired
    assert "days/2020-04-01.json" in retired
    assert not stopped.exists()
    assert home.report("notes of ours").exists()
    assert [path.name for path in home.days.glob("*.json")] == ["2020-05-01.json"]
