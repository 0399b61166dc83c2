"""What every part of the law told once more rests on: rows, days, the calendar."""

import re
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

import holidays

from komek.base import places

# The first day of this edition of the Rules.
RULES = date(2020, 4, 1)
CALENDAR = holidays.country_holidays("KZ", years=range(2018, 2023))
ASP = 15
GROUPS = ("group_1", "group_2", "group_3")


def reasons_of(model: str) -> list[str]:
    """Return the reasons a law model gives, in its order."""
    text = (places.DBT_PROJECT / f"models/law/{model}.sql").read_text(encoding="utf-8")
    (failures,) = re.findall(r"first_failure\(\[(.*?)\]\)", text, re.DOTALL)
    return re.findall(r"\",\s*'([a-z0-9_]+)'", failures)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def plus_months(start: date, months: int) -> date:
    total = start.year * 12 + start.month - 1 + months
    year, month = total // 12, total % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def is_working(on: date) -> bool:
    return CALENDAR.is_working_day(on)


def due(start: date, days: int, policy: dict[str, str]) -> date:
    """The n-th working day after a date, or from it (policy sla.start)."""
    if policy["sla.start"] == "same_day" and is_working(start):
        days -= 1
    while days:
        start += timedelta(1)
        days -= is_working(start)
    return start


def addressee(code: int) -> str:
    """Whom a service belongs to, by the list of p3."""
    if code in (*range(1, 7), 16, 17, 18):
        return "state_corporation"
    return "mse_department" if code == 20 else "local_executive_body"


class Told:
    """The rows of an explanation, and the law of its run."""

    def __init__(self, explanation: dict, decision: dict) -> None:
        self.explanation = explanation
        self.beside = decision["beside"]
        self.iin = explanation["iin"]
        self.policy = {n: p["value"] for n, p in explanation["policies"].items()}
        context = explanation["context"]
        self.today = date.fromisoformat(context["as_of"])
        self.start = date.fromisoformat(context["emergency_starts_on"])
        self.end = date.fromisoformat(context["covered_until"])
        # The Rules govern what begins once they are in force, or from the emergency on.
        first = self.start if self.policy["procedure.from"] == "emergency" else RULES
        self.governed_from = max(self.start, first)
        self.window_starts = (
            self.start - timedelta(30)
            if self.policy["disability.window"] == "thirty_days"
            else plus_months(self.start, -1)
        )
        self.context = context
        self.kind, self.key = decision["kind"], decision["key"]
        self.values = decision["values"]
        cited = set(decision["rows"])
        self.all = [row for row in explanation["rows"] if row["tag"] in cited]

    def rows(self, entity: str, **wanted: str | None) -> list[dict]:
        found = [row["values"] for row in self.all if row["entity"] == entity]
        return [r for r in found if all(r.get(n) == v for n, v in wanted.items())]

    def one(self, entity: str, **wanted: str | None) -> dict | None:
        return next(iter(self.rows(entity, **wanted)), None)

    def person(self, iin: str | None) -> dict | None:
        return self.one("persons", iin=iin) if iin else None

    def died(self, person: dict) -> bool:
        return bool(person["death_date"]) and day(person["death_date"]) <= self.today

    def birthday(self, person: dict, age: int) -> date:
        return plus_months(day(person["birth_date"]), 12 * age)

    def lives_in_institution(self, iin: str) -> bool:
        return any(
            stay["stay_kind"] == "permanent"
            and day(stay["admitted_on"]) <= self.today
            and (not stay["discharged_on"] or day(stay["discharged_on"]) > self.today)
            for stay in self.rows("institution_stays", iin=iin)
        )

    def place(self) -> dict:
        """The region and district of the registered code."""
        unit = self.one("kato")
        if unit is None:
            return {"region_kato": "unassigned", "district_kato": None}
        assert unit["kato"] == self.person(self.iin)["kato"]
        assert self.covers(unit, "valid_from", "valid_to")
        return {
            "region_kato": unit["kato"][:2] + "0000000",
            "district_kato": unit["kato"][:4] + "00000",
        }

    def norm(self, cost: str, region: str) -> dict:
        """What a region's norm gives."""
        norm = self.one("food_set_norms")
        if norm is None:
            return {"mode": None, cost: None}
        assert norm["kato"] == region
        assert self.covers(norm, "valid_from", "valid_to")
        return {"mode": norm["mode"], cost: f"{Decimal(norm['set_cost']):.2f}"}

    def covers(self, row: dict, start: str, end: str) -> bool:
        return day(row[start]) <= self.today <= (day(row[end]) or date.max)

    def happened(self, text: str | None) -> date | None:
        return day(text) if text and day(text) <= self.today else None
