"""A condition of the law, what it is read from, and the conditions grounds share."""

from calendar import monthrange
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from komek.explain.rows import Row, SourceRow

GROUPS = ("group_1", "group_2", "group_3")


@dataclass(frozen=True)
class Condition:
    """What a condition compares with what, and the rows it has that from."""

    name: str
    observed: Mapping[str, object] = field(default_factory=dict)
    threshold: Mapping[str, object] = field(default_factory=dict)
    rows: Sequence[SourceRow | None] = ()


@dataclass(frozen=True)
class Case:
    """A decision with all that its conditions read.

    Attributes:
        iin: the person.
        kind: the ground, or the mart the decision stands in.
        decision: the mart's row, and what the run has beside it.
        rows: the source rows it cites, the record it names first.
        context: the run's dates, values of law and policies (`facts.run_context`).
        terms: what p17 decided on the terms among the rows, by term_id.
        awards: what p12 decided on the awards among the rows, by award_id.
        addressees: who each service belongs to, by its code.
        in_hand: how many sets were in hand after each of the person's deliveries.
        residents: who lives in an institution for good on the day, of those named here.
        reasons: those that the run's model of this kind can give, in its order; none
            where no such model decides it.
    """

    iin: str
    kind: str
    decision: Row
    rows: Sequence[SourceRow]
    context: Row
    terms: Mapping[str, Row]
    awards: Mapping[str, Row]
    addressees: Mapping[str, str]
    in_hand: Mapping[str, int] = field(default_factory=dict)
    residents: Collection[str] = ()
    reasons: Sequence[str] = ()

    @property
    def as_of(self) -> date:
        """The day the run decides for."""
        as_of: date = self.context["as_of"]
        return as_of

    def row(self, entity: str, **values: str | None) -> SourceRow | None:
        """Return the first cited row of an entity with these values."""
        return next(iter(self.all_rows(entity, **values)), None)

    def all_rows(self, entity: str, **values: str | None) -> list[SourceRow]:
        """Return the cited rows of an entity with these values."""
        return [
            row
            for row in self.rows
            if row.entity == entity
            and all(row.values.get(name) == value for name, value in values.items())
        ]

    def event(self, row: SourceRow | None, column: str) -> date | None:
        """Return a row's date; one after the run's day has not happened."""
        day = row.day(column) if row else None
        return day if day and day <= self.as_of else None


# What a condition compares in a case; None where it is not asked there.
Compare = Callable[[Case], Condition | None]
# The reason that a condition's failure gives, if any, and what it compares.
Reasoned = tuple[str | None, Condition]


def add_months(day: date, months: int) -> date:
    """Return the day so many months on, the month's last where it has no such day.

    Past the year 9999 it is the last day there is, as in macros/dialect.sql.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def next_day(day: date) -> date | None:
    """Return the day after; None where there is none: 9999-12-31 means "no end"."""
    return day + timedelta(days=1) if day < date.max else None


def value_of(row: SourceRow | None, column: str) -> str | None:
    """Return a value of a row, None where there is no row."""
    return row.values.get(column) if row else None


def day_of(row: SourceRow | None, column: str) -> date | None:
    """Return a date of a row, None where there is no row."""
    return row.day(column) if row else None


def person_of(case: Case) -> SourceRow | None:
    """Return the person's own row of the population register."""
    return case.row("persons", iin=case.iin)


def in_register(case: Case) -> Condition:
    """Condition that the population register has the person."""
    person = person_of(case)
    return Condition("in_register", {"in_register": person is not None}, rows=[person])


def alive(case: Case) -> Condition:
    """Condition that the person has not died by the run's day."""
    person = person_of(case)
    return Condition(
        "alive",
        {"death_date": day_of(person, "death_date")},
        {"as_of": case.as_of},
        [person],
    )


def birthday(case: Case, name: str, person: SourceRow | None, age: int) -> Condition:
    """Condition a birthday (in years) against the run's day."""
    born = day_of(person, "birth_date")
    return Condition(
        name,
        {"birth_date": born, "birthday_on": born and add_months(born, 12 * age)},
        {"age": age, "as_of": case.as_of},
        [person],
    )
