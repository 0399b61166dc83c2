"""`komek sources` and `komek pull --date`, as the command line has them."""

import json
import signal
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from komek.base import interrupts
from komek.base.errors import StoppedError
from komek.cli import cli
from komek.landing.snapshots import newest_snapshots
from komek.sources.pull import pull, today
from landed_drop import HEADER, put
from pulled import MEMBERS, Pulls
from servers import PASSWORD, Postgres, Web, answered

TABLE = {"kind": "postgres", "connection": "social", "table": "members"}


def called(pulls: Pulls, *arguments: str) -> Result:
    at = [] if arguments[0] == "sources" else ["--home", str(pulls.home.root)]
    return CliRunner().invoke(cli, [*arguments, *at])


def line_of(result: Result, entity: str) -> list[str]:
    (line,) = [one for one in result.output.splitlines() if one.startswith(entity)]
    return line.split("  ")


@pytest.fixture
def written(postgres: Postgres, web: Web, pulls: Pulls, tmp_path: Path) -> Pulls:
    postgres.execute(
        "drop table if exists members",
        "create table members (award_id text, iin text)",
        "insert into members values ('a', '1')",
    )
    pulls.connect("social", postgres.url())
    web.answers["/kato"] = answered(b"[]", 403)
    put(tmp_path, "in/N_2020-04-18.csv", "norm_id,kato\n")
    put(tmp_path, f"drop/jobseekers/{date(2020, 4, 18)}.csv", "x\n")
    pulls.write(
        asp_members=TABLE,
        kato={
            "kind": "http",
            "where": f"http://u:{PASSWORD}@127.0.0.1:{web.port}/kato",
        },
        food_set_norms={"where": str(tmp_path / "in"), "pattern": "N_{date}.csv"},
    )
    return pulls


def test_sources_are_listed(written: Pulls, tmp_path: Path) -> None:
    result = called(written, "sources")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 16
    assert PASSWORD not in result.output
    assert [one.strip() for one in line_of(result, MEMBERS) if one] == [
        *(MEMBERS, "postgres", "social", "members"),
    ]
    told = json.loads(called(written, "sources", "--json").stdout)
    kato = next(one for one in told["sources"] if one["entity"] == "kato")
    assert kato["kind"] == "http"
    assert kato["connection"] is None
    assert str(tmp_path / "in") in called(written, "sources").output


def test_sources_are_tried_and_nothing_lands(written: Pulls) -> None:
    result = called(written, "sources", "--check", "--json")
    found = {one["entity"]: one for one in json.loads(result.stdout)["sources"]}
    assert found[MEMBERS] | {"where": ""} == {
        "entity": MEMBERS,
        "kind": "postgres",
        "connection": "social",
        "where": "",
        "ok": True,
        "newest": f"{today()}",
        "says": "ok",
    }
    assert "refuses the credentials (status 403)" in found["kato"]["says"]
    assert "lacks the columns mode" in found["food_set_norms"]["says"]
    assert "lacks the columns case_id" in found["jobseekers"]["says"]
    assert found["persons"]["says"] == "nothing delivered"
    assert isinstance(result.exception, StoppedError)
    assert "sources that cannot be pulled: persons, family_links" in str(
        result.exception
    )
    assert not written.home.landing.exists()
    assert PASSWORD not in result.output


def test_a_source_without_dates_is_pulled_for_a_day(written: Pulls) -> None:
    one = ["pull", "--entity", MEMBERS]
    assert called(written, *one, "--date", "2020-04-18").exit_code == 0
    assert called(written, *one).exit_code == 0
    days = [str(s.snapshot_date) for s in newest_snapshots(written.home, MEMBERS)]
    assert days == ["2020-04-18", str(today())]


def test_a_drop_takes_the_place_of_sources(written: Pulls, tmp_path: Path) -> None:
    put(tmp_path, f"other/{MEMBERS}/2020-04-17.csv", HEADER)
    called(written, "pull", "--drop", str(tmp_path / "other"))
    (snapshot,) = newest_snapshots(written.home, MEMBERS)
    assert str(snapshot.snapshot_date) == "2020-04-17"


def test_what_has_landed_for_a_day_that_is_over_stays(
    written: Pulls, postgres: Postgres
) -> None:
    """A run for it reads what was there then, not what is now."""
    written.write(asp_members=TABLE)
    run = ["run", "--as-of", "2020-04-18"]
    assert called(written, *run).exit_code == 1  # the others are missing
    postgres.execute("insert into members values ('b', '2')")
    called(written, *run)
    (snapshot,) = newest_snapshots(written.home, MEMBERS)
    assert (snapshot.revision, snapshot.rows) == (1, 1)
    called(written, "pull", "--entity", MEMBERS, "--date", "2020-04-18")
    (snapshot,) = newest_snapshots(written.home, MEMBERS)
    assert (snapshot.revision, snapshot.rows) == (2, 2)


def test_without_a_drop_folder_the_sources_are_pulled(
    written: Pulls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KOMEK_DROP")
    monkeypatch.setattr("komek.base.places.DEFAULT_HOME", tmp_path / "none")
    written.write(asp_members=TABLE)
    result = called(written, "pull", "--date", "2020-04-18")
    assert result.exit_code == 0
    assert "persons: there is no drop folder" in result.output
    assert len(newest_snapshots(written.home, MEMBERS)) == 1


def test_a_misspelt_file_is_wrong_usage(written: Pulls, tmp_path: Path) -> None:
    file = tmp_path / "sources.yml"
    file.write_text(yaml.safe_dump({"kato": {"kin": "drop"}}))
    result = called(written, "sources")
    assert getattr(result.exception, "exit_code", None) == 2
    assert "kato: unknown key kin" in str(result.exception)


def test_whoever_interrupts_is_heard_while_something_comes(
    written: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.write(asp_members=TABLE)
    monkeypatch.setattr(interrupts, "ends_it", lambda: signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        pull(written.home, [MEMBERS], day=date(2020, 4, 18))
    assert newest_snapshots(written.home, MEMBERS) == []
    assert not (written.home.entity(MEMBERS) / ".landing").exists()
