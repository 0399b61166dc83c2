"""A condition of the law, what it is read from, and the conditions grounds share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from komek.explain.rows import Row, SourceRow

GROUPS = ("group_1", "group_2", "group_3")


@dataclass(frozen=True)
class Check:
    """A condition: the reason its failure gives, and what it compares with what."""

    name: str
    reason: str | None = None
    observed: Mapping[str, object] = field(default_factory=dict)
    threshold: Mapping[str, object] = field(default_factory=dict)
    rows: Sequence[SourceRow | None] = ()


@dataclass(frozen=True)
class Case:
    """A decision with all that its conditions read.

    Attributes:
        iin: the person.
        kind: the ground, or the mart the decision stands in.
        decision: the mart's row.
        rows: the source rows it cites, the record it names first.
        context: the run's dates, values of law and policies (`facts.run_context`).
        terms: what p17 decided on the terms among the rows, by term_id.
        awards: what p12 decided on the awards among the rows, by award_id.
        addressees: who each service belongs to, by its code.
    """

    iin: str
    kind: str
    decision: Row
    rows: Sequence[SourceRow]
    context: Row
    terms: Mapping[str, Row]
    awards: Mapping[str, Row]
    addressees: Mapping[str, str]

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


def add_months(day: date, months: int) -> date:
    """Return the day so many months on, the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (31, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(day)


def value_of(row: SourceRow | None, column: str) -> str | None:
    """Return a value of a row, None where there is no row."""
    return row.values.get(column) if row else None


def day_of(row: SourceRow | None, column: str) -> date | None:
    """Return a date of a row, None where there is no row."""
    return row.day(column) if row else None


def person_of(case: Case) -> SourceRow | None:
    """Return the person's own row of the population register."""
    return case.row("persons", iin=case.iin)


def in_register(person: SourceRow | None) -> Check:
    """Check that the population register has the person."""
    return Check(
        "in_register",
        "not_in_population_register",
        {"in_register": person is not None},
        rows=[person],
    )


def alive(case: Case, person: SourceRow | None) -> Check:
    """Check that the person has not died by the run's day."""
    return Check(
        "alive",
        "deceased",
        {"death_date": day_of(person, "death_date")},
        {"as_of": case.as_of},
        [person],
    )


def birthday(
    case: Case, name: str, reason: str, person: SourceRow | None, age: int
) -> Check:
    """Check a birthday (in years) against the run's day."""
    born = day_of(person, "birth_date")
    return Check(
        name,
        reason,
        {"birth_date": born, "birthday_on": born and add_months(born, 12 * age)},
        {"age": age, "as_of": case.as_of},
        [person],
    )


def _stay(case: Case, iin: str | None) -> SourceRow | None:
    return case.row("institution_stays", iin=iin)


def not_resident(case: Case, name: str, reason: str, iin: str | None) -> Check:
    """Check that someone has no open permanent stay in an institution."""
    stay = _stay(case, iin)
    return Check(
        name,
        reason,
        {
            "institution_id": value_of(stay, "institution_id"),
            "admitted_on": day_of(stay, "admitted_on"),
            "discharged_on": day_of(stay, "discharged_on"),
        },
        {"as_of": case.as_of},
        [stay],
    )


def last_of_all(case: Case) -> list[Check]:
    """Return the check that policy food_set.institution_scope puts at the end."""
    if case.context["food_set__institution_scope"] != "all_grounds":
        return []
    return [not_resident(case, "not_resident", "resident_in_institution", case.iin)]


def _term(case: Case, iin: str | None) -> SourceRow | None:
    """Return the term that was judged: the record, or of a child's one in force."""
    terms = case.all_rows("disability_terms", iin=iin, kind="disability")
    if iin != case.iin:
        terms.sort(key=lambda term: not _is_in_force(case, term))
    return next(iter(terms), None)


def _is_in_force(case: Case, term: SourceRow) -> bool:
    extension = case.terms.get(term.values["term_id"] or "", {})
    until = extension.get("new_valid_until") or term.day("valid_until")
    established = term.day("established_on")
    return (
        established is not None
        and established <= case.as_of
        and (until is None or until >= case.as_of)
    )


def term_in_force(case: Case, name: str, reason: str, iin: str | None) -> Check:
    """Check that someone's disability term, as extended, is in force."""
    term = _term(case, iin)
    extension = case.terms.get(value_of(term, "term_id") or "", {})
    return Check(
        name,
        reason,
        {
            "term_id": value_of(term, "term_id"),
            "category": value_of(term, "category"),
            "established_on": day_of(term, "established_on"),
            "valid_until": day_of(term, "valid_until"),
            "extension": extension.get("outcome"),
            "extension_reason": extension.get("reason"),
            "extended_until": extension.get("new_valid_until"),
        },
        {"as_of": case.as_of},
        case.all_rows("disability_terms", iin=iin),
    )
