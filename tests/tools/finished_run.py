"""A finished run's file by hand: a few recipients, the tables publication reads."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from komek.base import database
from komek.base.places import Home

AKMOLA = "110000000"
AKTOBE = "150000000"
APRIL = date(2020, 4, 1)


@dataclass(frozen=True)
class Recipient:
    iin: str
    region_kato: str = AKMOLA
    district_kato: str | None = "111000000"
    last_name: str | None = "Ахметов"
    first_name: str | None = "Ержан"
    middle_name: str | None = None
    address: str | None = "улица Абая, 1"
    primary_ground: str = "p25_2"
    grounds: str = "p25_2"
    mode: str | None = "in_kind"
    allocation: str = "allocated"
    contract_id: str | None = "C-1"
    iban: str | None = None
    amount: Decimal | None = Decimal("5302.00")


PEOPLE = (
    Recipient("000000000101", district_kato="111200000"),
    Recipient("000000000202"),
    Recipient("000000000303", AKTOBE, "151000000"),
)

SCHEMA = """
create schema marts;
create schema facts;
create table marts.run (
    run_id varchar, as_of date, known_at date, list_drawn boolean
);
create table marts.region_status (
    region_kato varchar, recipients bigint, amount_total decimal(18, 2),
    publication varchar, blocked_by varchar
);
create table marts.food_set_recipients (
    list_month date, iin varchar, region_kato varchar, district_kato varchar,
    primary_ground varchar, grounds varchar, mode varchar, set_cost decimal(18, 2)
);
create table marts.delivery_plan (
    list_month date, iin varchar, primary_ground varchar, region_kato varchar,
    mode varchar, contract_id varchar, allocation varchar, iban varchar,
    amount decimal(18, 2)
);
create table facts.people_of_record (
    iin varchar, last_name varchar, first_name varchar, middle_name varchar,
    address varchar
);
-- A view: what it names must be found when the file is attached under another name.
create view marts.recipient_people as select * from facts.people_of_record;
"""


def finish_run(
    home: Home,
    run_id: str,
    people: tuple[Recipient, ...] = PEOPLE,
    *,
    blocked: dict[str, str] | None = None,
    as_of: date = date(2020, 4, 20),
    list_drawn: bool = True,
) -> Path:
    """Write the file of a run; `blocked` maps region to code."""
    blocked = blocked or {}
    home.runs.mkdir(parents=True, exist_ok=True)
    path = home.run_file(run_id)
    path.unlink(missing_ok=True)
    month = as_of.replace(day=1)
    with database.connect(path) as run:
        run.execute(SCHEMA)
        run.execute(
            "insert into marts.run values (?, ?, ?, ?)",
            [run_id, as_of, as_of, list_drawn],
        )
        for person in people if list_drawn else ():
            _add(run, month, person)
        run.execute(
            """
            insert into marts.region_status
            select region_kato, count(*), coalesce(sum(amount), 0), 'published', null
            from marts.delivery_plan
            group by region_kato
            """
        )
        for region, code in blocked.items():
            run.execute(
                "delete from marts.region_status where region_kato = ?", [region]
            )
            run.execute(
                "insert into marts.region_status values (?, 0, 0, 'blocked', ?)",
                [region, code],
            )
    return path


def _add(run: duckdb.DuckDBPyConnection, month: date, person: Recipient) -> None:
    run.execute(
        "insert into marts.food_set_recipients values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            month,
            person.iin,
            person.region_kato,
            person.district_kato,
            person.primary_ground,
            person.grounds,
            person.mode,
            person.amount,
        ],
    )
    run.execute(
        "insert into marts.delivery_plan values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            month,
            person.iin,
            person.primary_ground,
            person.region_kato,
            person.mode,
            person.contract_id,
            person.allocation,
            person.iban,
            person.amount,
        ],
    )
    run.execute(
        """
        insert into facts.people_of_record
        select $iin, $last, $first, $middle, $address
        where $iin not in (select iin from facts.people_of_record)
        """,
        {
            "iin": person.iin,
            "last": person.last_name,
            "first": person.first_name,
            "middle": person.middle_name,
            "address": person.address,
        },
    )


def with_amount(people: tuple[Recipient, ...], amount: str) -> tuple[Recipient, ...]:
    return tuple(replace(person, amount=Decimal(amount)) for person in people)
