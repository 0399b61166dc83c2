"""The lists of a month, as a region lives with them (p26): run after run, in one home.

A few made-up people: whose right goes on, ends and comes back, who moves, who dies
between list and delivery, who is new, and whose region is blocked at first. The days
are run through the command line, and the story is told by the tables and packs.
"""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from komek.base import registries
from komek.base.places import Home
from komek.cli import cli
from komek.landing.snapshots import landed_revisions
from komek.runs.inputs import LISTS
from komek.trust.receipts import read_receipt

FIRST, SECOND, THIRD = "2020-04-02", "2020-04-14", "2020-04-28"
MAY, AFTER = "2020-05-02", "2020-05-11"
APRIL = "2020-04-01"
AKMOLA, AKTOBE = "110000000", "150000000"
TOWN, DISTRICT, VILLAGE = "111000000", "113200000", "113230100"


def iin(number: int) -> str:
    """Return an IIN of somebody born on 1 May 1990; its check digit is right."""
    start = f"900501{300_000 + number:06}"[:11]
    for weights in (range(1, 12), (*range(3, 12), 1, 2)):
        check = sum(w * int(d) for w, d in zip(weights, start, strict=True)) % 11
        if check < 10:
            return f"{start}{check}"
    raise AssertionError(start)


STAYS, RETURNS, MOVES, LEAVES, DIES, NEW, BLOCKED = (
    iin(10 * number) for number in range(1, 8)
)

# Of each registry, the rows there are from a day on.
ROWS: Mapping[str, Mapping[str, list[dict[str, str]]]] = {
    "kato": {
        FIRST: [
            {"kato": kato, "name_ru": name, "valid_from": "2000-01-01"}
            for kato, name in (
                (AKMOLA, "Акмолинская область"),
                (TOWN, "город Кокшетау"),
                (DISTRICT, "район № 1"),
                (VILLAGE, "село № 1"),
                (AKTOBE, "Актюбинская область"),
                ("151000000", "город Актобе"),
            )
        ]
    },
    "food_set_norms": {
        FIRST: [
            {
                "norm_id": "N-11",
                "kato": AKMOLA,
                "mode": "in_kind",
                "set_cost": "6000.00",
                "valid_from": "2020-03-20",
                "decided_on": "2020-03-20",
                "act_ref": "Акимат, решение",
            }
        ],
        THIRD: [
            {
                "norm_id": f"N-{kato[:2]}",
                "kato": kato,
                "mode": "in_kind",
                "set_cost": "6000.00",
                "valid_from": "2020-03-20",
                "decided_on": decided,
                "act_ref": "Акимат, решение",
            }
            for kato, decided in ((AKMOLA, "2020-03-20"), (AKTOBE, "2020-04-20"))
        ],
    },
    "supply_contracts": {
        FIRST: [
            {
                "contract_id": f"C-{kato[:2]}",
                "kato": kato,
                "supplier_bin": "200340012345",
                "signed_on": "2020-03-20",
                "valid_from": "2020-03-20",
                "valid_to": "2020-12-31",
                "set_cost": "6000.00",
                "sets_total": "50",
            }
            for kato in (AKMOLA, AKTOBE)
        ]
    },
}


def person(iin_: str, kato: str, death_date: str = "") -> dict[str, str]:
    return {
        "iin": iin_,
        "last_name": "Сейтов",
        "first_name": "Асан",
        "birth_date": "1990-05-01",
        "sex": "M",
        "death_date": death_date,
        "kato": kato,
        "address": "улица Абая, 1",
    }


def people(day: str) -> list[dict[str, str]]:
    moved = day >= SECOND
    return [
        person(STAYS, VILLAGE),
        person(RETURNS, TOWN),
        person(MOVES, VILLAGE if moved else TOWN),
        person(LEAVES, AKTOBE if moved else TOWN),
        person(DIES, TOWN, "2020-04-05" if day >= SECOND else ""),
        person(NEW, TOWN),
        person(BLOCKED, "151000000"),
    ]


def case(
    number: int, iin_: str, decided: str, deregistered: str = ""
) -> dict[str, str]:
    return {
        "case_id": f"J-{number}",
        "iin": iin_,
        "centre_id": "CENTRE",
        "kato": TOWN,
        "registered_on": decided,
        "unemployed_decided_on": decided,
        "deregistered_on": deregistered,
    }


def cases(day: str) -> list[dict[str, str]]:
    found = [
        case(number, who, "2020-03-20")
        for number, who in enumerate((STAYS, MOVES, LEAVES, DIES, BLOCKED))
    ]
    ended = "2020-04-10" if day >= SECOND else ""
    found.append(case(10, RETURNS, "2020-03-20", ended))
    if day >= SECOND:
        found.append(case(11, NEW, "2020-04-10"))
    if day >= THIRD:
        found.append(case(12, RETURNS, "2020-04-25"))
    return found


def deliveries(day: str) -> list[dict[str, str]]:
    handed_over = [
        ("D-1", DIES, "2020-04-08"),
        ("D-2", LEAVES, "2020-04-27"),
        ("D-3", STAYS, "2020-05-02"),
    ]
    return [
        {
            "delivery_id": delivery,
            "iin": who,
            "list_month": APRIL,
            "mode": "in_kind",
            "contract_id": "C-11",
            "status": "delivered",
            "delivered_on": on,
            "amount": "6000.00",
        }
        for delivery, who, on in handed_over
        if on <= day
    ]


def write_drop(drop: Path, day: str) -> None:
    """Write what every registry delivers on a day."""
    made = {"persons": people, "jobseekers": cases, "deliveries": deliveries}
    for entity in registries.entities():
        rows: list[dict[str, str]] = []
        if entity.name in made:
            rows = made[entity.name](day)
        for since, given in ROWS.get(entity.name, {}).items():
            rows = given if since <= day else rows
        file = drop / entity.name / f"{day}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, entity.column_names, restval="")
            writer.writeheader()
            writer.writerows(rows)


@dataclass(frozen=True)
class Month:
    """A home in which the days were run in order, and what each run said."""

    home: Home
    drop: Path
    said: Mapping[str, dict[str, Any]]

    def rows(self, day: str, sql: str) -> list[tuple[Any, ...]]:
        """Ask the file of a day's run."""
        file = self.home.run_file(self.said[day]["run_id"])
        with duckdb.connect(str(file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def lists(self, day: str) -> dict[str, tuple[Any, ...]]:
        """Return number, day, standing and cause of each person's April row."""
        return {
            row[0]: row[1:]
            for row in self.rows(
                day,
                "select iin, list_no, cast(listed_on as varchar), standing,"
                f" ended_reason from marts.food_set_lists where list_month = '{APRIL}'",
            )
        }


def komek(*arguments: str, status: int = 0) -> dict[str, Any]:
    """Call the command line; return the object it prints."""
    ended = CliRunner().invoke(cli, [*arguments, "--json"])
    assert ended.exit_code == status, ended.output
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def run(home: Home, drop: Path | None, day: str, *more: str) -> dict[str, Any]:
    source = ("--drop", str(drop)) if drop else ()
    return komek("run", "--as-of", day, "--home", str(home.root), *source, *more)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    root = tmp_path_factory.mktemp("month")
    home, drop = Home(root / "home"), root / "drop"
    said = {}
    for day in (FIRST, SECOND, THIRD, MAY, AFTER):
        write_drop(drop, day)
        said[day] = run(home, drop, day)
    return Month(home, drop, said)


@pytest.fixture
def copied(month: Month, tmp_path: Path) -> Iterator[Month]:
    """The home as it is at the month's end, to be written in."""
    home = Home(tmp_path / "home")
    shutil.copytree(month.home.root, home.root, symlinks=True)
    yield Month(home, month.drop, month.said)


def landed(home: Home) -> list[tuple[str, int, int]]:
    """Return day, revision and rows of the landed lists."""
    return [
        (str(snapshot.snapshot_date), snapshot.revision, snapshot.rows)
        for snapshot in landed_revisions(home, LISTS)
    ]


def test_the_first_list_is_number_one(month: Month) -> None:
    listed = (1, FIRST, "entitled", None)
    assert month.lists(FIRST) == {
        STAYS: listed,
        RETURNS: listed,
        MOVES: listed,
        LEAVES: listed,
        DIES: listed,
        BLOCKED: (None, None, "held", None),
    }


def test_newcomers_are_a_numbered_supplement_and_ends_have_causes(
    month: Month,
) -> None:
    listed = (1, FIRST, "entitled", None)
    assert month.lists(SECOND) == {
        STAYS: listed,
        RETURNS: (1, FIRST, "ended", "deregistered"),
        MOVES: listed,
        LEAVES: listed,
        DIES: (1, FIRST, "ended", "deceased"),
        NEW: (2, SECOND, "entitled", None),
        BLOCKED: (None, None, "held", None),
    }


def test_who_comes_back_is_entitled_as_first_listed(month: Month) -> None:
    assert month.lists(THIRD)[RETURNS] == (1, FIRST, "entitled", None)


def test_a_blocked_region_gets_the_number_of_the_day_it_is_published(
    month: Month,
) -> None:
    assert month.lists(THIRD)[BLOCKED] == (3, THIRD, "entitled", None)
    packs = {pack.name for pack in (month.home.published / APRIL).iterdir()}
    assert packs == {AKMOLA, AKTOBE}


def pack_rows(month: Month, region: str = AKMOLA) -> dict[str, dict[str, str]]:
    file = month.home.published / APRIL / region / "recipients.csv"
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return {row["iin"]: row for row in csv.DictReader(opened)}


def test_who_moves_is_served_where_first_listed(month: Month) -> None:
    within, elsewhere = (pack_rows(month)[who] for who in (MOVES, LEAVES))

    assert (within["district_kato"], within["moved_to"]) == (TOWN, DISTRICT)
    assert (within["settlement_kato"], within["settlement_ru"]) == (VILLAGE, "село № 1")
    assert (elsewhere["region_kato"], elsewhere["moved_to"]) == (AKMOLA, AKTOBE)
    assert elsewhere["delivery_status"] == "delivered"
    assert LEAVES not in pack_rows(month, AKTOBE)
    ((counted,),) = month.rows(
        THIRD,
        f"select recipients from marts.region_status where region_kato = '{AKTOBE}'",
    )
    # Those who live there on the day.
    assert counted == 2


def test_who_died_between_list_and_delivery_is_told(month: Month) -> None:
    query = "select iin, finding from marts.delivery_findings"
    assert month.rows(SECOND, query) == [(DIES, "after_death")]
    row = pack_rows(month)[DIES]
    assert (row["standing"], row["ended_reason"]) == ("ended", "deceased")
    assert (row["delivery_status"], row["allocation"]) == ("delivered", "allocated")


def test_changes_since_the_list_before_have_names_and_causes(month: Month) -> None:
    file = month.home.published / APRIL / AKMOLA / "changes.csv"
    with file.open(encoding="utf-8", newline="") as opened:
        found = {row["iin"]: row for row in csv.DictReader(opened)}
    assert {who: row["change"] for who, row in found.items()} == {
        RETURNS: "resumed",
        LEAVES: "changed",
    }


def test_april_handed_over_in_may_is_delivered(month: Month) -> None:
    query = (
        "select listed, ended, sets, delivered, outstanding, withdrawn,"
        f" amount_delivered from marts.list_reconciliation where list_month = '{APRIL}'"
        f" and region_kato = '{AKMOLA}'"
    )
    assert month.rows(THIRD, query) == [(6, 1, 6, 2, 4, 0, 12_000)]
    assert month.rows(MAY, query) == [(6, 1, 6, 3, 3, 0, 18_000)]
    assert month.rows(AFTER, query) == [(6, 1, 6, 3, 3, 0, 18_000)]


def test_a_month_begins_with_list_one(month: Month) -> None:
    numbers = month.rows(
        MAY,
        "select list_month, list_no, count(*) from marts.food_set_lists"
        " group by all order by all",
    )
    assert numbers == [
        (date(2020, 4, 1), 1, 5),
        (date(2020, 4, 1), 2, 1),
        (date(2020, 4, 1), 3, 1),
        (date(2020, 5, 1), 1, 6),
    ]


def test_after_the_emergency_what_was_listed_stays_in_sight(month: Month) -> None:
    assert month.said[AFTER]["published"]
    assert month.lists(AFTER) == month.lists(THIRD)
    assert {folder.name for folder in month.home.published.iterdir()} == {
        APRIL,
        "2020-05-01",
    }
    state = komek("status", "--home", str(month.home.root))["published"]
    assert state["as_of"] == AFTER
    assert [
        (one["list_month"], one["region_kato"], one["list_no"], one["listed"])
        for one in state["lists"]
    ] == [
        (APRIL, AKMOLA, 1, 5),
        (APRIL, AKMOLA, 2, 1),
        (APRIL, AKTOBE, 3, 1),
        ("2020-05-01", AKMOLA, 1, 4),
        ("2020-05-01", AKTOBE, 1, 2),
    ]


def test_only_published_lists_land_without_those_held_back(month: Month) -> None:
    assert landed(month.home) == [
        (FIRST, 1, 5),
        (SECOND, 1, 6),
        (THIRD, 1, 7),
        (MAY, 1, 13),
    ]


def test_each_run_names_the_lists_it_read(month: Month) -> None:
    def read(day: str) -> list[str]:
        receipt = read_receipt(month.home, month.said[day]["run_id"])
        inputs = receipt["inputs"]
        return [one["snapshot_date"] for one in inputs if one["entity"] == LISTS]

    days = (FIRST, SECOND, THIRD, MAY, AFTER)
    assert [read(day) for day in days] == [[], [FIRST], [SECOND], [THIRD], [MAY]]


def test_the_last_lines_have_a_line_per_list(month: Month) -> None:
    from komek.publishing.report import run_lines  # noqa: PLC0415

    lines = run_lines(month.said[THIRD])
    assert [line for line in lines if line.startswith("list ")] == [
        f"list 1 of 2020-04, {FIRST}: 5 newcomers, 1 of them ended",
        f"list 2 of 2020-04, {SECOND}: 1 newcomers, 0 of them ended",
        f"list 3 of 2020-04, {THIRD}: 1 newcomers, 0 of them ended",
    ]


# Runs out of order


def test_an_earlier_day_is_filed_and_its_rows_are_what_they_were(
    copied: Month,
) -> None:
    before = copied.lists(SECOND)
    there = landed(copied.home)

    again = run(copied.home, None, SECOND)

    assert again["run_id"] == copied.said[SECOND]["run_id"]
    assert not again["published"]
    assert copied.lists(SECOND) == before
    assert landed(copied.home) == there
    state = komek("status", "--home", str(copied.home.root))["published"]
    assert state["as_of"] == AFTER

    # Asked to, it is published, and its receipt says so.
    asked = run(copied.home, None, SECOND, "--publish")
    assert asked["published"]
    assert read_receipt(copied.home, asked["run_id"])["publish_earlier"] is True
    assert copied.lists(SECOND) == before
    assert landed(copied.home) == there


def test_a_run_that_read_lists_is_computed_again_equal(copied: Month) -> None:
    run_id = copied.said[THIRD]["run_id"]
    verified = komek("verify", run_id, "--home", str(copied.home.root))
    assert verified["findings"] == []


def test_what_was_published_by_another_reading_is_withdrawn(
    month: Month, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    reading = ("--policy", "food_set.age_upper=through_age_18")
    unofficial = run(home, month.drop, FIRST, *reading)
    assert unofficial["published"]
    assert landed(home) == []

    official = run(home, None, FIRST)

    assert official["published"]
    assert official["run_id"] == month.said[FIRST]["run_id"]
    assert landed(home) == [(FIRST, 1, 5)]
    packs = [
        json.loads(p.read_text("utf-8")) for p in home.published.glob("*/*/*.json")
    ]
    assert [pack["run_id"] for pack in packs] == [official["run_id"]]

    # Nor does one of that reading land a list where it is only filed.
    assert not run(home, month.drop, SECOND, *reading)["published"]
    assert landed(home) == [(FIRST, 1, 5)]
