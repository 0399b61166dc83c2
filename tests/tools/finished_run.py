"""A finished run's file by hand: a few recipients, the tables publication reads."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

import role_schema
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
    kato: str | None = "111000000"
    primary_ground: str = "p25_2"
    grounds: str = "p25_2"
    mode: str | None = "in_kind"
    allocation: str = "allocated"
    contract_id: str | None = "C-1"
    iban: str | None = None
    account_iin: str | None = None
    amount: Decimal | None = Decimal("5302.00")
    list_no: int | None = 1
    listed_on: date | None = date(2020, 4, 20)
    standing: str = "entitled"
    ended_on: date | None = None
    ended_reason: str | None = None
    delivery_status: str = "outstanding"
    paragraph: str = "p26"


PEOPLE = (
    Recipient("000000000101", district_kato="111200000", kato="111230100"),
    Recipient("000000000202"),
    Recipient("000000000303", AKTOBE, "151000000", kato="151000000"),
)
# Code, Russian and Kazakh name.
TERRITORIES = (
    (AKMOLA, "Акмолинская область", "Ақмола облысы"),
    ("111000000", "город Кокшетау", "Көкшетау қаласы"),
    ("111200000", "район № 1, Акмолинская область", "№ 1 аудан, Ақмола облысы"),
    ("111230000", "сельский округ № 1", "№ 1 ауылдық округ"),
    ("111230100", "село № 2", "№ 2 ауыл"),
    ("112000000", "город Степногорск", "Степногорск"),
    (AKTOBE, "Актюбинская область", "Ақтөбе облысы"),
    ("151000000", "город Актобе", "Ақтөбе қаласы"),
)

SCHEMA = """
create schema marts;
create schema facts;
create table marts.run (
    run_id varchar, as_of date, known_at date, list_drawn boolean
);
create table marts.region_status (
    region_kato varchar, recipients bigint, amount_total decimal(18, 2),
    publication varchar, blocked_by varchar, norm_cost decimal(18, 2)
);
create table marts.food_set_lists (
    list_month date, iin varchar, list_no integer, listed_on date,
    region_kato varchar, district_kato varchar, primary_ground varchar,
    grounds varchar, standing varchar, ended_on date, ended_reason varchar,
    delivery_status varchar, paragraph varchar
);
create table marts.delivery_plan (
    list_month date, iin varchar, primary_ground varchar, region_kato varchar,
    mode varchar, contract_id varchar, allocation varchar, iban varchar,
    account_iin varchar, amount decimal(18, 2), delivery_status varchar,
    list_no integer, standing varchar, paragraph varchar
);
create table marts.contract_findings (
    contract_id varchar, region_kato varchar, finding varchar, paragraph varchar
);
create view marts.list_reconciliation as
select
    lists.list_month,
    lists.region_kato,
    count(distinct iin) as listed,
    count(distinct iin) filter (where lists.standing = 'ended') as ended,
    count(*) as sets,
    count(*) filter (where plan.delivery_status = 'delivered') as delivered,
    count(*) filter (where plan.delivery_status = 'failed') as failed,
    count(*) filter (where plan.delivery_status = 'returned') as returned,
    count(*) filter (where plan.delivery_status = 'outstanding') as outstanding,
    count(*) filter (where plan.allocation = 'withdrawn') as withdrawn,
    coalesce(sum(plan.amount) filter (where plan.delivery_status = 'delivered'), 0)
        as amount_delivered
from marts.food_set_lists as lists
inner join marts.delivery_plan as plan using (list_month, iin)
where lists.list_no is not null
group by lists.list_month, lists.region_kato;
create table facts.people_of_record (
    iin varchar, last_name varchar, first_name varchar, middle_name varchar,
    address varchar, kato varchar
);
create table facts.territories (
    kato varchar, region_kato varchar, district_kato varchar, name_ru varchar,
    name_kk varchar
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
        run.execute(role_schema.SCHEMA)
        run.execute(
            "insert into marts.run values (?, ?, ?, ?)",
            [run_id, as_of, as_of, list_drawn],
        )
        for person in people if list_drawn else ():
            _add(run, month, person)
        run.executemany(
            "insert into facts.territories select $1, left($1, 2) || '0000000',"
            " left($1, 4) || '00000', $2, $3",
            [*TERRITORIES],
        )
        run.execute(
            """
            insert into marts.region_status
            select
                region_kato, count(*), coalesce(sum(amount), 0), 'published', null,
                coalesce(max(amount), 0)
            from marts.delivery_plan
            group by region_kato
            """
        )
        for region, code in blocked.items():
            run.execute(
                "delete from marts.region_status where region_kato = ?", [region]
            )
            run.execute(
                "insert into marts.region_status values (?, 0, 0, 'blocked', ?, null)",
                [region, code],
            )
    return path


def _add(run: duckdb.DuckDBPyConnection, month: date, person: Recipient) -> None:
    """Add a row of the plan, and of its person once to the lists and the register."""
    values = vars(person) | {"list_month": month}
    _insert(run, "marts.delivery_plan", values)
    for table in ("marts.food_set_lists", "facts.people_of_record"):
        there = f"select 1 from {table} where iin = ?"
        if not run.execute(there, [person.iin]).fetchall():
            _insert(run, table, values)


def _insert(
    run: duckdb.DuckDBPyConnection, table: str, values: dict[str, object]
) -> None:
    names = [name for name, *_ in run.execute(f"describe {table}").fetchall()]
    marks = ", ".join(f"${name}" for name in names)
    run.execute(
        f"insert into {table} values ({marks})", {name: values[name] for name in names}
    )


def with_amount(people: tuple[Recipient, ...], amount: str) -> tuple[Recipient, ...]:
    return tuple(replace(person, amount=Decimal(amount)) for person in people)
