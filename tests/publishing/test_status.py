import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finished_run import AKMOLA, AKTOBE, Recipient, finish_run
from komek.base import registries
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing import report
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
        "lists": [
            {
                "list_month": "2020-04-01",
                "region_kato": region,
                "list_no": 1,
                "listed_on": "2020-04-20",
                "listed": listed,
                "ended": 0,
                "delivered": 0,
                "failed": 0,
                "returned": 0,
                "outstanding": listed,
            }
            for region, listed in ((AKMOLA, 2), (AKTOBE, 1))
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


def test_lists_by_number_and_region(home: Home) -> None:
    ended = {"standing": "ended", "ended_on": date(2020, 4, 20)}
    first = {"listed_on": date(2020, 4, 2)}
    people = (
        Recipient("000000000101", **first),
        Recipient("000000000202", **first, **ended, ended_reason="deceased"),
        Recipient("000000000303", **first, delivery_status="delivered"),
        Recipient("000000000404", list_no=2, delivery_status="failed"),
        Recipient("000000000505", list_no=2, delivery_status="returned"),
        Recipient("000000000606", AKTOBE, "151000000", list_no=2),
        Recipient("000000000707", "390000000", "391000000", list_no=None),
    )
    finish_run(home, "r1", people, blocked={"390000000": "no_norm"})
    publish(home, "r1", True, quiet)

    counted = ("listed", "ended", "delivered", "failed", "returned", "outstanding")
    lists = status(home)["published"]["lists"]
    assert [
        (
            one["region_kato"],
            one["list_no"],
            one["listed_on"],
            *(one[name] for name in counted),
        )
        for one in lists
    ] == [
        (AKMOLA, 1, "2020-04-02", 3, 1, 1, 0, 0, 2),
        (AKMOLA, 2, "2020-04-20", 2, 0, 0, 1, 1, 0),
        (AKTOBE, 2, "2020-04-20", 1, 0, 0, 0, 0, 1),
    ]
    lines = render(status(home)).splitlines()
    start = next(n for n, line in enumerate(lines) if "lists by region" in line)
    assert [line.split() for line in lines[start : start + 3]] == [
        ["lists", "by", "region", "listed", "on", *counted],
        ["2020-04", AKMOLA, "list", "1", "2020-04-02", *"311002"],
        ["2020-04", AKMOLA, "list", "2", "2020-04-20", *"200110"],
    ]


def test_lists_stay_in_sight_where_a_later_run_draws_none(home: Home) -> None:
    file = finish_run(home, "r1", as_of=date(2020, 5, 11), list_drawn=False)
    add_list_row(file)
    publish(home, "r1", True, quiet)

    lists = status(home)["published"]["lists"]
    assert [(one["list_month"], one["listed"]) for one in lists] == [("2020-04-01", 1)]
    text = render(status(home))
    assert "no list is drawn on that date" in text
    assert f"2020-04 {AKMOLA} list 1" in text


def test_a_publication_of_a_version_without_lists_shows_none(home: Home) -> None:
    file = finish_run(home, "r1")
    publish(home, "r1", True, quiet)
    with duckdb.connect(str(file)) as run:
        run.execute("drop view marts.list_reconciliation")
        run.execute("drop table marts.food_set_lists")

    assert status(home)["published"]["lists"] == []
    assert "lists by region" not in render(status(home))


def add_list_row(file: Path) -> None:
    with duckdb.connect(str(file)) as run:
        run.execute(
            "insert into marts.food_set_lists values ('2020-04-01', '000000000101', 1,"
            " '2020-04-20', ?, null, 'p25_2', 'p25_2', 'entitled', null, null,"
            " 'outstanding', 'p26')",
            [AKMOLA],
        )


# The last lines of a run


def test_a_run_ends_with_a_line_per_list(home: Home) -> None:
    people = (
        Recipient("000000000101"),
        Recipient("000000000202", AKTOBE, "151000000"),
        Recipient("000000000303", standing="ended"),
        Recipient("000000000404", list_no=2),
    )
    add_what_is_told(finish_run(home, "r1", people))
    publish(home, "r1", True, quiet)

    outcome = report.of_run(home, "r1")
    json.dumps(outcome)
    assert outcome["lists"] == [
        {
            "list_month": "2020-04-01",
            "list_no": number,
            "listed_on": "2020-04-20",
            "listed": listed,
            "ended": ended,
        }
        for number, listed, ended in ((1, 3, 1), (2, 1, 0))
    ]
    assert report.run_lines(outcome)[-3:] == [
        "list 1 of 2020-04, 2020-04-20: 3 newcomers, 1 of them ended",
        "list 2 of 2020-04, 2020-04-20: 1 newcomers, 0 of them ended",
        f"run r1 of 2020-04-20: published in {home.published}",
    ]


def test_a_run_that_is_only_filed_says_so(home: Home) -> None:
    add_what_is_told(finish_run(home, "r1"))

    *_, last = report.run_lines(report.of_run(home, "r1"))
    assert last == (
        f"run r1 of 2020-04-20: filed, not published; left in {home.run_file('r1')}"
    )


def add_what_is_told(file: Path) -> None:
    with duckdb.connect(str(file)) as run:
        run.execute("alter table marts.run add column note varchar default ''")


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
