"""A nation in which every date is a boundary: few people, everything happens to them.

Where `random_registries` breaks rows, this makes rows that the law has to decide on:
dates on, before and after every day that matters, conflicting and missing records, and
a little dirt. A seed always gives the same drop folder.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from komek.base import registries
from registry_rules import check_digit

SNAPSHOT = "2020-04-10"
PEOPLE = 400
GHOSTS = 25
# Days on which something begins or ends: acts, windows, months, leap days.
TURNING_POINTS = tuple(
    date.fromisoformat(day)
    for day in (
        *("2019-12-31", "2020-01-31", "2020-02-14", "2020-02-15", "2020-02-16"),
        *("2020-02-17", "2020-02-29", "2020-03-15", "2020-03-16", "2020-03-17"),
        *("2020-03-31", "2020-04-01", "2020-04-02", "2020-04-05", "2020-04-14"),
        *("2020-04-15", "2020-04-16", "2020-04-19", "2020-04-20", "2020-04-21"),
        *("2020-04-30", "2020-05-01", "2020-05-02", "2020-05-10", "2020-05-11"),
        *("2020-05-12", "2020-06-30", "2021-02-28"),
    )
)
UNITS = (
    *("110000000", "110100000", "111010000", "190000000", "195000000"),
    *("610000000", "612000000", "750000000", "751110000", "790000000"),
)
# In the classifier or not, none of these but the first is a code: nine digits.
UNKNOWN_UNITS = (
    *("999999999", "11000000x", "../../etc", "1100000٠0", "..0000000", "a/"),
    *("11000000", "1100000000"),
)
NORM_REGIONS = ("110000000", "190000000", "610000000", "750000000", "..0000000")
CONTRACT_REGIONS = (*NORM_REGIONS, "790000000", "999000000")
SPOILT = (
    *("", "NA", "2020-13-01", "2020-4-1", "2020-02-30", "0000-02-29", "-5", "x", "٣"),
    *("1.234", "12345678901234567", "М", "1e3", "+1", "007", "-0.5", "0", "a\nb", "'"),
)

Row = dict[str, object]


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
        _write(nation.random, drop / entity.name, entity.column_names, rows)


class _Nation:
    """The people and what is on record about them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        iins = list(self._iins(PEOPLE + GHOSTS))
        self._people, self._ghosts = iins[:PEOPLE], iins[PEOPLE:]
        self._awards = [self._asp_award(number) for number in range(150)]
        self._terms = [self._disability_term(number) for number in range(500)]
        self._benefits = [self._benefit_award(number) for number in range(400)]
        self._contracts = [self._supply_contract(number) for number in range(25)]

    def rows(self, entity: str) -> list[Row]:
        """Return the rows of an entity."""
        many: Mapping[str, Callable[[], list[Row]]] = {
            "persons": lambda: [self._person(iin) for iin in self._people],
            "family_links": lambda: self._times(500, self._family_link),
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
            "deliveries": lambda: self._times(500, self._delivery),
            "bank_accounts": lambda: self._times(500, self._bank_account),
            "kato": lambda: [self._unit(code) for code in (*UNITS, *UNKNOWN_UNITS[1:])],
        }
        return many[entity]()

    def _times(self, count: int, make: Callable[[int], Row]) -> list[Row]:
        return [make(number) for number in range(count)]

    # What rows are made of

    def _iins(self, count: int) -> Iterator[str]:
        found: set[str] = set()
        while len(found) < count:
            digits = [self.random.randrange(10) for _ in range(11)]
            check = check_digit(digits)
            iin = "".join(map(str, [*digits, check]))
            if check is not None and iin not in found:
                found.add(iin)
                yield iin

    def _anyone(self) -> str:
        people = self._ghosts if self.random.random() < 0.04 else self._people
        return self.random.choice(people)

    def _one(self, *values: object) -> object:
        return self.random.choice(values)

    def _day(self) -> date:
        if self.random.random() < 0.7:
            near = timedelta(self.random.choice((0, 0, 0, -1, 1)))
            return self.random.choice(TURNING_POINTS) + near
        return date(2020, 1, 1) + timedelta(self.random.randrange(-200, 240))

    def _perhaps(self, *days: date | None) -> date | None:
        """Return nothing or one of the days (without any: a day)."""
        return self.random.choice((None, *(days or (self._day(),))))

    def _after(self, day: date, *days: int) -> date:
        return day + timedelta(self.random.choice(days))

    def _end(self, start: date) -> date:
        return max(start, self._day())

    def _tenge(self, low: int, high: int) -> str:
        cents = self.random.randrange(100)
        return f"{self.random.randrange(low, high)}.{cents:02}"

    def _text(self, value: str) -> str | None:
        return value if self.random.random() > 0.03 else None

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
            "kato": self._one(*UNITS, *UNKNOWN_UNITS, None, None),
            "address": self._one("Абая, 1", "=1+1", '"; drop table x; --', None),
        }

    def _birth_date(self) -> date:
        """Return a birth date whose birthdays fall on days that matter."""
        near = timedelta(self.random.choice((0, 0, -1, 1)))
        day = self._one(*TURNING_POINTS, *[date(2020, 4, 20)] * 5) + near
        ages = (5, 6, 6, 7, 15, 16, 16, 17, 18, 18, 18, 19, 30, 40)
        year = day.year - self.random.choice(ages)
        return date(year, day.month, min(day.day, 28 if day.month == 2 else 31))

    def _family_link(self, _number: int) -> Row:
        start = self._day()
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
        award = self.random.choice(self._awards)["award_id"]
        return {
            "award_id": award if self.random.random() < 0.98 else "none",
            "iin": self._anyone(),
        }

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
        exam = self._after(established, 181, 182, 183, 184)
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

    def _institution_stay(self, number: int) -> Row:
        admitted = self._day()
        return {
            "stay_id": f"S{number}",
            "iin": self._anyone(),
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
        registered = self._day()
        decided = self._after(registered, 1, 2, 3, 4, 5, 7)
        return {
            "case_id": f"J{number}",
            "iin": self._anyone(),
            "centre_id": "C",
            "registered_on": registered,
            "work_offered_on": self._perhaps(self._after(registered, 0, 1, 2, 3, 5)),
            "draft_decision_on": self._perhaps(
                self._after(registered, 0, 1, 2, 3, 4, 6)
            ),
            "unemployed_decided_on": self._perhaps(decided, self._day()),
            "deregistered_on": self._perhaps(None, self._end(registered)),
        }

    def _application(self, number: int) -> Row:
        submitted = self._day()
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
            "phone": self._text("7"),
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

    # Sets

    def _food_set_norm(self, number: int) -> Row:
        start = self._day()
        anywhere = self.random.random() < 0.1
        return {
            "norm_id": f"N{number}",
            "kato": self._one(*(CONTRACT_REGIONS if anywhere else NORM_REGIONS)),
            "mode": self._one("in_kind", "in_kind", "cash"),
            "set_cost": self._one("5302", "5556.00", "5555.99", "5301.99", "6000.5"),
            "valid_from": start,
            "valid_to": self._perhaps(self._end(start)),
            "decided_on": self._day(),
            "act_ref": "act",
        }

    def _supply_contract(self, number: int) -> Row:
        start = self._day()
        return {
            "contract_id": f"C{number}",
            "kato": self._one(*CONTRACT_REGIONS),
            "supplier_bin": "123456789012",
            "signed_on": self._day(),
            "valid_from": start,
            "valid_to": self._end(start),
            "set_cost": "5556",
            "sets_total": self._one(0, 1, 2, 5, 10, 20),
        }

    def _delivery(self, number: int) -> Row:
        months = ("2020-03-01", "2020-04-01", "2020-05-01", "2020-03-15", "2020-04-02")
        contract = self.random.choice(self._contracts)["contract_id"]
        return {
            "delivery_id": f"D{number}",
            "iin": self._anyone(),
            "list_month": self._one(*months),
            "mode": self._one("in_kind", "cash"),
            "contract_id": self._one(None, contract),
            "status": self._one("delivered", "delivered", "failed", "returned"),
            "delivered_on": self._day(),
            "amount": "5556",
        }

    def _bank_account(self, _number: int) -> Row:
        good = self._iban(0)
        spoilt = (self._iban(1), good.lower(), good[:-1], "KZ", f" {good}")
        return {
            "iin": self._anyone(),
            "iban": good if self.random.random() < 0.5 else self._one(*spoilt),
            "confirmed_on": self._day(),
        }

    def _iban(self, off: int) -> str:
        """Return an IBAN whose check digits are off by some: 0 of a valid one."""
        bank = "".join(self.random.choices("0123456789", k=3))
        account = bank + "".join(self.random.choices("0123456789ABCXYZ", k=13))
        digits = "".join(str(int(character, 36)) for character in account + "KZ00")
        return f"KZ{(98 - int(digits) % 97 + off) % 98:02}{account}"

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
    random: Random, folder: Path, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Write one CSV or two parts, columns in any order, some lines malformed."""
    columns = random.sample(columns, len(columns))
    if random.random() < 0.6:
        parts = {f"{SNAPSHOT}.csv": rows}
    else:
        cut = len(rows) // 3
        parts = {f"{SNAPSHOT}/p1.csv": rows[:cut], f"{SNAPSHOT}/p0.csv": rows[cut:]}
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
