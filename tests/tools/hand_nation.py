"""A few rows written by hand and what the floor decides on them, without files.

IINs are words, for staging has no part in it. What a row leaves out is null, or what
the entity's rows have by default here.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

import floor
from floor_law import Law
from komek.base.registries import Column, entities

AKMOLA, AKTOBE, ALMATY = "110000000", "150000000", "750000000"
Row = Mapping[str, object]

DEFAULTS: Mapping[str, Row] = {
    "persons": {"birth_date": "1980-01-01", "sex": "F", "kato": AKMOLA},
    "family_links": {"link_kind": "birth", "valid_from": "2000-01-01"},
    "asp_awards": {
        "family_id": "family",
        "applicant_iin": "applicant",
        "period_start": "2020-01-01",
        "period_end": "2020-12-31",
        "monthly_amount": 10,
        "status": "active",
    },
    "disability_terms": {
        "kind": "disability",
        "category": "group_1",
        "established_on": "2010-01-01",
        "decided_on": "2010-01-01",
        "decision_mode": "in_absentia",
    },
    "institution_stays": {"stay_kind": "permanent", "admitted_on": "2020-01-01"},
    "jobseekers": {"centre_id": "centre", "registered_on": "2020-04-06"},
    "benefit_awards": {
        "benefit": "disability_allowance",
        "monthly_amount": 100,
        "start_on": "2019-01-01",
    },
    "benefit_payments": {"amount": 100, "status": "paid", "paid_on": "2020-04-01"},
    "applications": {
        "iin": "applicant",
        "last_name": "x",
        "first_name": "x",
        "postal_address": "x",
        "phone": "7",
        "service_code": 1,
        "region_kato": AKMOLA,
        "addressee": "state_corporation",
        "content": "x",
        "attachment_count": 1,
        "signed": "true",
        "submitted_on": "2020-04-06",
    },
    "food_set_norms": {
        "kato": AKMOLA,
        "mode": "in_kind",
        "set_cost": 6000,
        "valid_from": "2020-01-01",
        "decided_on": "2020-01-01",
    },
    "supply_contracts": {
        "kato": AKMOLA,
        "supplier_bin": "123456789013",
        "signed_on": "2020-01-01",
        "valid_from": "2020-01-01",
        "valid_to": "2020-12-31",
        "set_cost": 6000,
        "sets_total": 100,
    },
    "deliveries": {
        "list_month": "2020-04-01",
        "mode": "in_kind",
        "status": "delivered",
        "amount": 6000,
    },
    "bank_accounts": {"confirmed_on": "2020-01-01"},
    "kato": {"valid_from": "2010-01-01"},
}
SQL_TYPES = {"date": "date", "amount": "decimal(18, 2)", "integer": "bigint"}


class Decided:
    """The tables of one decided day."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, table: str, columns: str, where: str = "true") -> list[Any]:
        """Return some columns of a table, in order; dates as text, one column bare."""
        found = self._connection.execute(
            f"select {columns} from floor.{table} where {where} order by all"
        ).fetchall()
        plain = [tuple(map(_plain, row)) for row in found]
        return [row[0] if len(row) == 1 else row for row in plain]

    def lists(self) -> list[tuple[Any, ...]]:
        """Return the rows that this day's lists hand on to later days."""
        return self._connection.execute(
            f"select {', '.join(floor.LIST_COLUMNS)} from floor.food_set_lists"
            " where list_no is not null"
        ).fetchall()


def decide(
    as_of: str,
    rows: Mapping[str, Sequence[Row]],
    *,
    known_at: str | None = None,
    policies: Mapping[str, str] | None = None,
    lists: Sequence[Sequence[object]] | None = None,
    blocked: Mapping[str, str] | None = None,
    law: Law = floor.LAW,
) -> Decided:
    """Decide a day on rows by entity."""
    connection = duckdb.connect(config={"threads": 1})
    for entity in entities():
        columns = ", ".join(
            f"{column.name} {_type(column)}" for column in entity.columns
        )
        connection.execute(f"create temp table stg_{entity.name} ({columns})")
        marks = ", ".join("?" for _ in entity.columns)
        for row in _completed(entity.name, rows.get(entity.name, ())):
            unknown = set(row) - set(entity.column_names)
            assert not unknown, f"{entity.name} has no {unknown}"
            connection.execute(
                f"insert into stg_{entity.name} values ({marks})",
                [row.get(name) for name in entity.column_names],
            )
    asked = floor.Day(
        dt.date.fromisoformat(as_of),
        dt.date.fromisoformat(known_at or as_of),
        policies or {},
        blocked or {},
    )
    floor.decide(connection, asked, lists=lists, law=law)
    return Decided(connection)


def people(*iins: str, **given: object) -> list[Row]:
    """Return persons who have the same on record."""
    return [{"iin": iin, **given} for iin in iins]


def units(*codes: str) -> list[Row]:
    """Return units of the classifier, in force for good."""
    return [{"kato": code} for code in codes]


def unemployed(iins: Iterable[object], **given: object) -> list[Row]:
    """Return a jobseeker's case for each, decided before any list of April."""
    return [
        {"case_id": iin, "iin": iin, "unemployed_decided_on": "2020-04-06", **given}
        for iin in iins
    ]


def unemployed_day(
    iins: Sequence[str] = (),
    rows: Mapping[str, Sequence[Row]] | None = None,
    lists: Sequence[Sequence[object]] = (),
    *,
    as_of: str = "2020-04-20",
    law: Law = floor.LAW,
    **policies: str,
) -> Decided:
    """Decide a day on people of Akmola, all of them unemployed.

    Sets come in kind there, in money in Aktobe; Almaty has not decided.
    """
    given: dict[str, Sequence[Row]] = {
        "persons": people(*iins),
        "jobseekers": unemployed(iins),
        "food_set_norms": [
            {"norm_id": "1"},
            {"norm_id": "2", "kato": AKTOBE, "mode": "cash"},
        ],
    }
    return decide(
        as_of, {**given, **(rows or {})}, lists=lists, policies=policies, law=law
    )


def listed(*iins: str, **given: object) -> list[list[object]]:
    """Return rows of an earlier list of April."""
    plain = {
        "list_month": "2020-04-01",
        "iin": None,
        "list_no": 1,
        "listed_on": "2020-04-05",
        "region_kato": AKMOLA,
        "district_kato": None,
        "primary_ground": "p25_5",
        "grounds": "p25_5",
        "ended_on": None,
        "ended_reason": None,
    }
    assert list(plain) == list(floor.LIST_COLUMNS)
    return [list({**plain, **given, "iin": iin}.values()) for iin in iins]


def came(*of: tuple[str, str, str], **given: object) -> list[Row]:
    """Return deliveries d0, d1 and so on: whose, what became of it, on which day."""
    return [
        {
            "delivery_id": f"d{number}",
            "iin": iin,
            "status": status,
            "delivered_on": day,
            **given,
        }
        for number, (iin, status, day) in enumerate(of)
    ]


def _completed(entity: str, rows: Sequence[Row]) -> list[Row]:
    if entity == "kato" and not rows:
        rows = units(AKMOLA, "111000000", AKTOBE, ALMATY)
    return [{**DEFAULTS.get(entity, {}), **row} for row in rows]


def _type(column: Column) -> str:
    return SQL_TYPES.get(column.type, "varchar")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
