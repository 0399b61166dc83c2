import json
from datetime import date

import pytest

from finished_run import AKMOLA, AKTOBE, finish_run
from komek.base import registries
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publication import current_publication
from komek.publishing.publish import publish
from komek.publishing.status import render, status


def quiet(_line: str) -> None:
    """Say nothing."""


def land(home: Home, entity: str, day: str, revision: int, rows: int) -> None:
    folder = home.entity(entity) / day / f"r{revision:04}"
    folder.mkdir(parents=True)
    manifest = {
        "entity": entity,
        "snapshot_date": day,
        "revision": revision,
        "source": "drop",
        "sha256": "0",
        "bytes": 1,
        "rows": rows,
        "malformed_rows": 0,
        "files": [
            {
                "file": f"{entity}/{day}.csv",
                "landed": "00000.parquet",
                "sha256": "0",
                "landed_sha256": "0",
                "bytes": 1,
                "rows": rows,
                "malformed_rows": 0,
                "format": "csv",
                "columns": [],
            }
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def registry(home: Home, entity: str) -> dict[str, object]:
    by_name = {entry["entity"]: entry for entry in status(home)["registries"]}
    return by_name[entity]


def test_empty_home(home: Home) -> None:
    state = status(home)
    assert state["published"] is None
    assert state["runs"] == []
    assert [entry["entity"] for entry in state["registries"]] == [
        entity.name for entity in registries.entities()
    ]
    assert {entry["snapshot_date"] for entry in state["registries"]} == {None}
    text = render(state)
    assert text.startswith("Published: nothing yet\n\nRuns: none\n\nRegistries:\n")
    assert "persons             nothing landed" in text


def test_published_regions_and_why_one_is_blocked(home: Home) -> None:
    finish_run(home, "r1")
    publish(home, "r1", True, quiet)
    finish_run(home, "r2", blocked={AKTOBE: "below_floor"})
    publish(home, "r2", True, quiet)
    state = status(home)
    assert state["published"] == {
        "publication": "000002-r2",
        "run_id": "r2",
        "official": True,
        "as_of": "2020-04-20",
        "known_at": "2020-04-20",
        "list_month": "2020-04-01",
        "regions": [
            {
                "region_kato": AKMOLA,
                "recipients": 2,
                "amount_total": "10604.00",
                "publication": "published",
                "blocked_by": None,
                "kept_run": None,
            },
            {
                "region_kato": AKTOBE,
                "recipients": 0,
                "amount_total": "0.00",
                "publication": "blocked",
                "blocked_by": "below_floor",
                "kept_run": "r1",
            },
        ],
    }
    head, month, akmola, aktobe, *_ = render(state).splitlines()
    assert head == (
        "Published: run r2 (official), as of 2020-04-20, known at 2020-04-20"
    )
    assert month == "  list of 2020-04"
    assert akmola.split() == (
        [AKMOLA, "2", "recipients", "10604.00", "tenge", "published"]
    )
    assert aktobe.endswith("blocked by below_floor; the pack of run r1 stands")


def test_runs_in_order_of_their_dates(home: Home) -> None:
    finish_run(home, "b", as_of=date(2020, 4, 20))
    finish_run(home, "a", as_of=date(2021, 7, 1), list_drawn=False)
    home.run_file("broken").write_text("no database")
    publish(home, "b", False, quiet)
    state = status(home)
    json.dumps(state)
    assert state["runs"] == [
        {
            "run_id": "b",
            "readable": True,
            "as_of": "2020-04-20",
            "known_at": "2020-04-20",
            "list_drawn": True,
            "published": True,
        },
        {
            "run_id": "a",
            "readable": True,
            "as_of": "2021-07-01",
            "known_at": "2021-07-01",
            "list_drawn": False,
            "published": False,
        },
        {
            "run_id": "broken",
            "readable": False,
            "as_of": None,
            "known_at": None,
            "list_drawn": None,
            "published": False,
        },
    ]
    text = render(state)
    assert "Published: run b (not official)" in text
    assert (
        "  b  as of 2020-04-20, known at 2020-04-20, list drawn, published\n"
        "  a  as of 2021-07-01, known at 2021-07-01, no list\n"
        "  broken  cannot be read\n"
    ) in text


def test_publication_without_a_list(home: Home) -> None:
    finish_run(home, "r1", list_drawn=False)
    publish(home, "r1", True, quiet)
    state = status(home)
    assert state["published"]["list_month"] is None
    assert state["published"]["regions"] == []
    assert "no list is drawn on that date" in render(state)


def test_registry_is_aged_on_the_newest_known_at(home: Home) -> None:
    finish_run(home, "r1", as_of=date(2020, 4, 10))
    finish_run(home, "r2", as_of=date(2020, 4, 20))
    land(home, "persons", "2020-04-11", revision=1, rows=5)
    land(home, "persons", "2020-04-18", revision=1, rows=6)
    land(home, "persons", "2020-04-18", revision=2, rows=1_234_567)
    limit = registries.entity("persons").tolerance.max_age_days
    assert registry(home, "persons") == {
        "entity": "persons",
        "snapshot_date": "2020-04-18",
        "revision": 2,
        "rows": 1_234_567,
        "age_days": 2,
        "max_age_days": limit,
        "stale": False,
    }
    text = render(status(home))
    assert "Registries (age on 2020-04-20):" in text
    assert "2020-04-18  revision 2    1,234,567 rows  2 days\n" in text


@pytest.mark.parametrize(("late", "stale"), [(0, False), (1, True)])
def test_registry_is_stale_past_its_tolerance(
    home: Home, late: int, stale: bool
) -> None:
    limit = registries.entity("kato").tolerance.max_age_days
    finish_run(home, "r1", as_of=date.fromordinal(737_500 + limit + late))
    land(home, "kato", date.fromordinal(737_500).isoformat(), revision=1, rows=9)
    assert registry(home, "kato")["stale"] is stale
    assert (f", older than {limit}" in render(status(home))) is stale


def test_registry_newer_than_any_run_or_without_one(home: Home) -> None:
    land(home, "kato", "2020-04-21", revision=1, rows=9)
    assert registry(home, "kato")["age_days"] is None
    finish_run(home, "r1", as_of=date(2020, 4, 20))
    assert registry(home, "kato")["age_days"] == -1
    assert "9 rows  newer than any run" in render(status(home))


def test_published_file_that_cannot_be_read_is_named(home: Home) -> None:
    finish_run(home, "r1")
    publish(home, "r1", True, quiet)
    (current_publication(home).folder / "komek.duckdb").unlink()
    with pytest.raises(KomekError, match=r"cannot read .*komek\.duckdb"):
        status(home)
