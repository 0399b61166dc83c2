"""A nation in which every date is a boundary: few people, everything happens to them.

Where `random_registries` breaks rows, this makes rows that the law has to decide on:
dates on, before and after every day that matters, conflicting and missing records, and
a little dirt. A seed always gives the same drop folder.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from komek.base import registries
from random_chance import TURNING_POINTS, UNITS, UNKNOWN_UNITS, Row
from random_sets import Sets

SNAPSHOT = "2020-04-10"
# Of persons alone: some have moved, some have died, some are no longer registered.
LATER_SNAPSHOT = "2020-04-18"
SPOILT = (
    *("", "NA", "2020-13-01", "2020-4-1", "2020-02-30", "0000-02-29", "-5", "x", "٣"),
    *("1.234", "12345678901234567", "М", "1e3", "+1", "007", "-0.5", "0", "a\nb", "'"),
)


def write_random_nation(drop: Path, seed: int) -> None:
    """Write every entity of the registry table."""
    nation = _Nation(Random(seed))
    for entity in registries.entities():
        rows = nation.rows(entity.name)
        keeps_clean = entity.name == "kato" or (
            entity.name in ("food_set_norms", "supply_contracts")
            and nation.random.random() < 0.7
        )
        if not keeps_clean:
            rows = _dirty(nation.random, rows)
        _write(nation.random, drop / entity.name, SNAPSHOT, entity.column_names, rows)
    persons = registries.entity("persons")
    rows = _dirty(nation.random, nation.later_persons())
    folder = drop / persons.name
    _write(nation.random, folder, LATER_SNAPSHOT, persons.column_names, rows)


class _Nation(Sets):
    """The people and what is on record about them."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._persons = [self._person(iin) for iin in self._people]
        self._dead = [row["iin"] for row in self._persons if row["death_date"]]
        # Alive when the first list is drawn.
        self._dying = [
            row["iin"]
            for row in self._persons
            if row["death_date"] and row["death_date"] > date(2020, 4, 11)
        ]
        self._awards = [self._asp_award(number) for number in range(150)]
        self._terms = [self._disability_term(number) for number in range(500)]
        self._terms += [self._term_of_age(number) for number in range(500, 560)]
        self._benefits = [self._benefit_award(number) for number in range(400)]

    def rows(self, entity: str) -> list[Row]:
        """Return the rows of an entity."""
        many: Mapping[str, Callable[[], list[Row]]] = {
            "persons": lambda: self._persons,
            "family_links": lambda: self._times(900, self._family_link),
            "asp_awards": lambda: self._awards,
            "asp_members": lambda: self._times(600, self._asp_member),
            "disability_terms": lambda: self._terms,
            "institution_stays": lambda: self._times(120, self._institution_stay),
            "jobseekers": lambda: self._times(300, self._jobseeker),
            "benefit_awards": lambda: self._benefits,
            "benefit_payments": lambda: self._times(700, self._benefit_payment),
            "applications": lambda: self._times(300, self._application),
            "food_set_norms": lambda: self._times(16, self._food_set_norm),
            "supply_contracts": lambda: self._contracts,
            "deliveries": lambda: [
                *self._times(150, self._delivery),
                *(row for number in range(300) for row in self._story(number)),
                *(
                    row
                    for number, iin in enumerate(self._dying, start=300)
                    for row in self._story(number, iin)
                ),
            ],
            "bank_accounts": lambda: self._times(500, self._bank_account),
            "kato": lambda: [self._unit(code) for code in (*UNITS, *UNKNOWN_UNITS[1:])],
        }
        return many[entity]()

    # People and families

    def _person(self, iin: str) -> Row:
        born = self._birth_date()
        died = self._day() if self.random.random() < 0.15 else None
        return {
            "iin": iin,
            "last_name": "Ахметов",
            "first_name": "Ержан",
            "birth_date": born,
            "sex": self._one("M", "F"),
            "death_date": died if died and died >= born else None,
            "kato": self._one(*UNITS * 3, *UNKNOWN_UNITS, None, None),
            "address": self._one("Абая, 1", "=1+1", '"; drop table x; --', None),
        }

    def later_persons(self) -> list[Row]:
        """Return the register a week later."""
        later = []
        for row in self._persons:
            chance = self.random.random()
            if chance < 0.12:
                later.append({**row, "kato": self._one(*UNITS, None)})
            elif chance < 0.16:
                died = self._one(date(2020, 4, 10), date(2020, 4, 18), self._day())
                born = row["birth_date"]
                later.append({**row, "death_date": max(died, born)})
            else:
                later.append(row)
        return [row for row in later if self.random.random() > 0.02]

    def _birth_date(self) -> date:
        """Return a birth date whose birthdays fall on days that matter."""
        near = timedelta(self.random.choice((0, 0, -1, 1)))
        day = self._one(*TURNING_POINTS, *[date(2020, 4, 20)] * 5) + near
        ages = (5, 6, 6, 7, 15, 16, 16, 17, 18, 18, 18, 19, 30, 40)
        year = day.year - self.random.choice(ages)
        return date(year, day.month, min(day.day, 28 if day.month == 2 else 31))

    def _family_link(self, _number: int) -> Row:
        start = self._one(self._day(), date(2010, 1, 1))
        return {
            "child_iin": self.random.choice(self._people),
            "parent_iin": self._anyone(),
            "link_kind": self._one("birth", "adoption", "guardianship"),
            "valid_from": start,
            "valid_to": self._perhaps(start, self._end(start)),
        }

    # Assistance

    def _asp_award(self, number: int) -> Row:
        end = self._day()
        return {
            "award_id": f"A{number:03}",
            "family_id": f"F{self.random.randrange(60)}",
            "applicant_iin": self._anyone(),
            "aid_kind": self._one("unconditional", "conditional"),
            "period_start": self._after(end, 0, -1, -30, -89, -90),
            "period_end": end,
            "monthly_amount": self._tenge(100, 90_000),
            "status": self._one(*["active"] * 5, "suspended", "terminated"),
            "kato": self._one(*UNITS, *UNKNOWN_UNITS),
        }

    def _asp_member(self, _number: int) -> Row:
        chance = self.random.random()
        # The first awards are of families nobody is left of.
        alive, gone = self._awards[20:], self._awards[:20]
        if chance < 0.06:
            award, iin = self.random.choice(gone), self.random.choice(self._dead)
        else:
            award, iin = self.random.choice(alive), self._anyone()
        return {"award_id": award["award_id"] if chance < 0.98 else "none", "iin": iin}

    # Disability

    def _disability_term(self, number: int) -> Row:
        established = self._one(
            self._day(),
            self._after(self._day(), -365, -730, -3650),
            date(2019, 10, 20),
            date(2019, 10, 21),
            date(2019, 4, 20),
        )
        ends = (self._end(established), self._after(established, 365, 366))
        exam = self._after(established, 0, 1, 181, 182, 183, 184)
        return {
            "term_id": f"T{number:03}",
            "iin": self._anyone(),
            "kind": self._one(
                *["disability"] * 5,
                *["general_capacity_loss"] * 2,
                *("professional_capacity_loss", "rehabilitation_programme"),
            ),
            "category": self._one(
                "group_1", "group_2", "group_3", "child", "child", None
            ),
            "degree_pct": self._one(None, 50),
            "established_on": established,
            "valid_until": self._perhaps(*ends),
            "decided_on": self._one(
                established, self._day(), established + timedelta(3)
            ),
            "decision_mode": self._one("in_person", "in_absentia", "in_absentia"),
            "control_exam_on": self._perhaps(self._day(), exam),
        }

    def _term_of_age(self, number: int) -> Row:
        """Return a term that ends in the emergency; its person may turn 16 or 18."""
        person = self.random.choice(self._persons)
        born = person["birth_date"]
        is_child = born > date(2003, 6, 1)
        turned = date(born.year + 18, born.month, min(born.day, 28))
        early = self._after(born, 400, 3000)
        return {
            **self._disability_term(number),
            "iin": person["iin"],
            "kind": "disability",
            "category": "child" if is_child else self._one("group_1", "group_3"),
            "established_on": min(self._one(early, turned), date(2020, 2, 1)),
            "valid_until": self._after(date(2020, 3, 16), -30, -29, -28, 0, 10, 46, 47),
            "decided_on": min(early, date(2020, 2, 1)),
        }

    def _institution_stay(self, number: int) -> Row:
        admitted = self._day()
        term = self.random.choice(self._terms)
        return {
            "stay_id": f"S{number}",
            "iin": self._one(self._anyone(), self._anyone(), term["iin"]),
            "institution_id": "I",
            "stay_kind": self._one("permanent", "permanent", "temporary", "day"),
            "admitted_on": admitted,
            "discharged_on": self._perhaps(None, self._end(admitted), admitted),
        }

    # Benefits

    def _benefit_award(self, number: int) -> Row:
        start = self._one(self._day(), self._after(self._day(), -400))
        benefit = self._one(
            *["disability_allowance", "child_carer_allowance"] * 2,
            "capacity_loss_payment",
        )
        disabled = self.random.choice(self._terms)["iin"]
        child = self.random.choice(self._terms)["iin"]
        child = child if self.random.random() < 0.9 else self._one(None, self._anyone())
        return {
            "award_id": f"B{number:03}",
            "iin": disabled if self.random.random() < 0.7 else self._anyone(),
            "benefit": benefit,
            "dependant_iin": child if benefit == "child_carer_allowance" else None,
            "monthly_amount": self._tenge(1_000, 60_000),
            "start_on": start,
            "stop_on": self._perhaps(None, self._end(start), start),
            "iban": "KZ1",
        }

    def _benefit_payment(self, number: int) -> Row:
        award = self.random.choice(self._benefits)
        months = ("2020-02-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-04-02")
        amounts = ("100", "999999.99", "-5.5", "60000")
        return {
            "payment_id": f"Y{number}",
            "award_id": award["award_id"],
            "month": self._one(*months),
            "amount": self._one(award["monthly_amount"], *amounts),
            "status": self._one("paid", "paid", "paid", "returned"),
            "paid_on": self._day(),
        }

    # Cases

    def _jobseeker(self, number: int) -> Row:
        registered = self._one(self._day(), self._in_the_emergency())
        decided = self._after(registered, 1, 2, 3, 4, 5, 7)
        return {
            "case_id": f"J{number}",
            "iin": self._anyone(),
            "centre_id": self._one("C", "C", "C", None),
            "registered_on": registered,
            "work_offered_on": self._perhaps(self._after(registered, 0, 1, 2, 3, 5)),
            "draft_decision_on": self._perhaps(
                self._after(registered, 0, 1, 2, 3, 4, 6)
            ),
            "unemployed_decided_on": self._perhaps(decided, self._day()),
            "deregistered_on": self._perhaps(None, self._end(registered)),
        }

    def _application(self, number: int) -> Row:
        submitted = self._one(self._day(), self._in_the_emergency())
        forwarded = self._perhaps(self._after(submitted, -1, 0, 1, 2, 3, 4, 6))
        checked = self._perhaps(
            self._after(forwarded, 0, 1, 2, 3, 4, 5) if forwarded else self._day()
        )
        applicant = self.random.choice(self._awards)["applicant_iin"]
        yes_or_no = ("true", "false", "false", None)
        return {
            "application_id": f"P{number}",
            "iin": self._one(None, self._anyone(), self._anyone(), applicant),
            "last_name": self._text("Ахметов"),
            "first_name": self._text("Ержан"),
            "postal_address": self._text("Абая, 1"),
            "phone": self._one("7", "7", None),
            "email": self._one("a@b", None),
            "service_code": self._one(None, *["15"] * 4, *range(27)),
            "region_kato": self._text("110000000"),
            "addressee": self._one(
                None, "state_corporation", "local_executive_body", "mse_department"
            ),
            "content": self._text("прошу"),
            "attachment_count": self._one(None, 0, 1, 2),
            "signed": self._one("true", "true", "true", "false", None),
            "submitted_on": submitted,
            "forwarded_on": forwarded,
            "forwarded_to_kato": self._one(*UNITS, *UNITS, *UNKNOWN_UNITS, None),
            "checked_on": checked,
            "contacted_on": self._perhaps(),
            "case_formed_on": self._perhaps(checked or self._day(), self._day()),
            "survey_mode": self._one("remote", "in_person", None),
            "decided_on": self._perhaps(),
            "decision": self._one("granted", "refused", None),
            "notified_on": self._perhaps(),
            "notification_channel": self._one(
                "sms", "cabinet", "service_reply", None, None
            ),
            "reply_in_document_system": self._one(*yes_or_no),
        }

    # Places

    def _unit(self, code: str) -> Row:
        late = self.random.random() < 0.2
        return {
            "kato": code,
            "name_ru": "область",
            "valid_from": self._one("2010-01-01", "2020-04-20", "2020-04-21")
            if late
            else "2010-01-01",
            "valid_to": self._one(None, None, "2021-01-01", "2020-05-10")
            if late
            else self._one(None, None, None, "2020-05-10"),
        }


def _dirty(random: Random, rows: Sequence[Row]) -> list[Row]:
    """Spoil some cells, copy some rows, and give some keys a second content."""
    dirty = [dict(row) for row in rows]
    for row in dirty:
        if random.random() < 0.02:
            row[random.choice(list(row))] = random.choice(SPOILT)
    for _ in range(1 + len(rows) // 60):
        dirty.insert(random.randrange(len(dirty) + 1), dict(random.choice(dirty)))
    for _ in range(1 + len(rows) // 80):
        other = dict(random.choice(dirty))
        name = random.choice(list(other))
        other[name] = f"{'' if other[name] is None else other[name]}1"
        dirty.insert(random.randrange(len(dirty) + 1), other)
    return dirty


def _write(
    random: Random, folder: Path, day: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Write one CSV or two parts, columns in any order, some lines malformed."""
    columns = random.sample(columns, len(columns))
    if random.random() < 0.6:
        parts = {f"{day}.csv": rows}
    else:
        cut = len(rows) // 3
        parts = {f"{day}/p1.csv": rows[:cut], f"{day}/p0.csv": rows[cut:]}
    for name, part in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator=random.choice(("\n", "\r\n")))
            writer.writerow(columns)
            for row in part:
                if random.random() < 0.006:
                    writer.writerow(["lost", *columns])
                if random.random() < 0.004:
                    file.write("\n")
                writer.writerow([row.get(column) for column in columns])
