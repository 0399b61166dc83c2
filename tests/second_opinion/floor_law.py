"""What the law says to the floor: dates, amounts, terms and readings, a second time.

Written out from the acts and not from the seeds; a test may put other tables in their
place, for a change of law.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from floor_values import literal

# Of a value: valid_from, recorded_on, the value.
Valued = tuple[dt.date, dt.date, int]


def _at(month: int, day: int, hour: int) -> dt.datetime:
    """Return an hour of 2020 as the decrees write it."""
    return dt.datetime(2020, month, day, hour, tzinfo=ZoneInfo("Asia/Almaty"))


_RULES_FROM, _RULES_RECORDED = dt.date(2020, 4, 1), dt.date(2020, 4, 2)
_STATE, _LOCAL, _MSE = "state_corporation", "local_executive_body", "mse_department"


@dataclass(frozen=True)
class Law:
    """The law tables.

    Attributes:
        valid_from: the first day of this edition of the Rules.
        recorded_on: the day it was recorded.
        emergency: recorded_on, starts_at, ends_at of Decrees 285, 306 and 310.
        mrp: the monthly calculation index, tenge.
        food_set_floor: how many of them a set costs at least (p27).
        step_days: per step its number of working days (p5, p6, p20 to p22).
        addressees: per service whom an application goes to, joined by `|` (p3).
        determined_suppliers: bin, valid_from, valid_to, recorded_on (p28).
    """

    valid_from: dt.date = _RULES_FROM
    recorded_on: dt.date = _RULES_RECORDED
    emergency: tuple[tuple[dt.date, dt.datetime, dt.datetime], ...] = (
        (dt.date(2020, 3, 15), _at(3, 16, 8), _at(4, 15, 7)),
        (dt.date(2020, 4, 14), _at(3, 16, 8), _at(5, 1, 7)),
        (dt.date(2020, 4, 29), _at(3, 16, 8), _at(5, 11, 0)),
    )
    mrp: tuple[Valued, ...] = (
        (dt.date(2019, 1, 1), dt.date(2018, 11, 30), 2525),
        (dt.date(2020, 1, 1), dt.date(2019, 12, 4), 2651),
        (dt.date(2020, 4, 1), dt.date(2020, 4, 8), 2778),
        (dt.date(2021, 1, 1), dt.date(2020, 12, 2), 2917),
    )
    food_set_floor: tuple[Valued, ...] = ((_RULES_FROM, _RULES_RECORDED, 2),)
    step_days: tuple[tuple[str, Valued], ...] = tuple(
        (step, (_RULES_FROM, _RULES_RECORDED, days))
        for step, days in (
            *(("forward", 2), ("check", 2)),
            *(("match", 1), ("draft", 1), ("sign", 1)),
        )
    )
    addressees: tuple[tuple[int, str], ...] = (
        *((service, _STATE) for service in (1, 2, 3, 4, 5, 6, 16, 17, 18)),
        *((service, _LOCAL) for service in (*range(7, 16), 19, 21, 22, 23, 24, 25)),
        (20, _MSE),
    )
    determined_suppliers: tuple[tuple[str, dt.date, dt.date | None, dt.date], ...] = ()


# The value in force first; a number stands for the range 1 to itself.
POLICIES: dict[str, tuple[str, ...] | tuple[str, int]] = {
    "food_set.age_upper": ("before_18th_birthday", "through_age_18"),
    "food_set.carer": ("allowance_recipient", "one_parent", "both_parents"),
    "food_set.carer_child_age_limit": ("18", "16"),
    "food_set.carer_child_in_institution": ("exclude", "include"),
    "food_set.institution_scope": ("disability_grounds", "all_grounds"),
    "food_set.sets_per_person": ("one", "one_per_ground"),
    "food_set.account_of": ("own_or_representative", "own"),
    "disability.window": ("calendar_month", "thirty_days"),
    "disability.until": ("emergency_end", "plus_months"),
    "disability.plus_months": ("3", 12),
    "disability.age_transition": ("extend", "examine"),
    "payout.end_month": ("end_instant", "last_full_day"),
    "payout.day": ("20", 28),
    "asp.base": ("active_at_period_end", "any_status"),
    "procedure.from": ("edition", "emergency"),
    "sla.start": ("next_day", "same_day"),
}


def resolve(policies: Mapping[str, str]) -> dict[str, str]:
    """Return all policies with the given ones in place of the values in force.

    Raises:
        ValueError: an unknown policy or value.
    """
    resolved = {name: allowed[0] for name, allowed in POLICIES.items()}
    for name, value in policies.items():
        if name not in POLICIES:
            raise ValueError(f"unknown policy {name}")
        allowed = POLICIES[name]
        top = allowed[1]
        in_range = isinstance(top, int) and value in {str(n) for n in range(1, top + 1)}
        if value not in allowed and not in_range:
            raise ValueError(f"policy {name}: unknown value {value}")
        resolved[name] = value
    return {name: str(value) for name, value in resolved.items()}


def value_on(rows: Iterable[Valued], day: dt.date, known_at: dt.date) -> int:
    """Return the value in force on a day: the latest, as last recorded by `known_at`.

    Raises:
        LookupError: no recorded row covers the day.
    """
    covering = [row for row in rows if row[0] <= day and row[1] <= known_at]
    if not covering:
        raise LookupError(f"no value covers {day} as known on {known_at}")
    return max(covering)[2]


def variables(
    law: Law, as_of: dt.date, known_at: dt.date, policies: Mapping[str, str]
) -> dict[str, str]:
    """Return what the law says to a run, as SQL literals by variable name.

    Raises:
        LookupError: a list is drawn and no recorded amount covers its month.
    """
    applies = as_of >= law.valid_from and known_at >= law.recorded_on
    known = [row for row in law.emergency if row[0] <= known_at]
    _, starts_at, ends_at = max(known or [min(law.emergency)])
    starts_on = starts_at.date()
    covered_until = (ends_at - dt.timedelta(microseconds=1)).date()
    list_month = as_of.replace(day=1)
    list_drawn = applies and starts_on <= as_of <= covered_until
    floor_cost = 0
    if list_drawn:
        multiple = value_on(law.food_set_floor, as_of, known_at)
        floor_cost = multiple * value_on(law.mrp, list_month, known_at)
    by_edition = policies["procedure.from"] == "edition"
    settings = [f"{literal(n)}: {literal(value)}" for n, value in policies.items()]
    return {
        "as_of": day(as_of),
        "known_at": day(known_at),
        "applies": str(applies).lower(),
        "list_drawn": str(list_drawn).lower(),
        "list_month": day(list_month),
        "edition_from": day(law.valid_from),
        "starts_on": day(starts_on),
        "covered_until": day(covered_until),
        "procedure_from": day(
            max(starts_on, law.valid_from) if by_edition else starts_on
        ),
        "window_start": day(_window_start(starts_on, policies["disability.window"])),
        "end_month": day(_end_month(ends_at, policies["payout.end_month"])),
        "floor_cost": f"{floor_cost}::decimal(18, 2)",
        "policies": f"map {{{', '.join(settings)}}}",
    }


def day(date: dt.date) -> str:
    """Return a SQL date literal."""
    return f"date {literal(date)}"


def _window_start(starts_on: dt.date, window: str) -> dt.date:
    """Return the first day p17 looks back to."""
    if window == "thirty_days":
        return starts_on - dt.timedelta(days=30)
    before = starts_on.replace(day=1) - dt.timedelta(days=1)
    last = monthrange(before.year, before.month)[1]
    return before.replace(day=min(starts_on.day, last))


def _end_month(ends_at: dt.datetime, end_month: str) -> dt.date:
    """Return the first day of the last month of p24."""
    if end_month == "end_instant":
        return ends_at.date().replace(day=1)
    # The last day that lies wholly before the end, whatever the end's hour.
    return (ends_at.date() - dt.timedelta(days=1)).replace(day=1)
