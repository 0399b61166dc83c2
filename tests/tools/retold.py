"""The law once more, in plain Python, from nothing but the rows of an explanation.

Written from the order, not from the models: what it gives for a decision must be what
the run decided.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

import holidays

from komek.base import places

GROUPS = ("group_1", "group_2", "group_3")
MODELS = {
    "p25_1": "p25_1_asp_child",
    "p25_2": "p25_2_disabled_child",
    "p25_3": "p25_3_disability_group",
    "p25_4": "p25_4_carer",
    "p25_5": "p25_5_unemployed",
}


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


class Retold:
    """One decision, taken anew from its rows in the explanation."""

    def __init__(self, explanation: dict, decision: dict) -> None:
        self.iin = explanation["iin"]
        self.policy = {n: p["value"] for n, p in explanation["policies"].items()}
        context = explanation["context"]
        self.today = date.fromisoformat(context["as_of"])
        self.start = date.fromisoformat(context["emergency_starts_on"])
        self.end = date.fromisoformat(context["covered_until"])
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

    def p17(self, term: dict) -> str | None:
        person = self.person(term["iin"])
        if person is None:
            return "not_in_population_register"
        if self.died(person):
            return "deceased"
        newer = self.rows("disability_terms", iin=term["iin"], kind=term["kind"])
        if any(term["decided_on"] < t["decided_on"] <= str(self.today) for t in newer):
            return "superseded"
        if term["kind"] == "disability":
            if term["category"] == "child" and self.birthday(person, 16) <= self.end:
                return "turns_16"
            turns_18 = self.birthday(person, 18)
            if (
                term["category"] in GROUPS
                and day(term["established_on"]) < turns_18 <= self.end
            ):
                return "turns_18"
        return None

    def term_ends(self, term: dict) -> date:
        until = day(term["valid_until"])
        if until is None:
            return date.max
        window = (
            self.start - timedelta(30)
            if self.policy["disability.window"] == "thirty_days"
            else plus_months(self.start, -1)
        )
        if not window <= until <= self.end or self.p17(term) is not None:
            return until
        if self.policy["disability.until"] == "plus_months":
            months = int(self.policy["disability.plus_months"])
            return max(until, plus_months(until, months))
        return max(until, self.end)

    def in_force(self, term: dict) -> bool:
        return day(term["established_on"]) <= self.today <= self.term_ends(term)

    def p12(self, award: dict) -> str | None:
        if award["status"] == "terminated":
            return "terminated"
        if award["status"] == "suspended" and self.policy["asp.base"] != "any_status":
            return "suspended"
        starts = day(award["period_end"]) + timedelta(1)
        for other in self.rows("asp_awards", family_id=award["family_id"]):
            if (
                other["award_id"] != award["award_id"]
                and other["status"] == "active"
                and day(other["period_start"]) <= starts <= day(other["period_end"])
            ):
                return "already_renewed"
        return None

    def review(self, award: dict) -> str:
        starts = day(award["period_end"]) + timedelta(1)
        ends = plus_months(starts, 3) - timedelta(1)
        found = set()
        applicant = self.person(award["applicant_iin"])
        if applicant and self.died(applicant):
            found.add("applicant_deceased")
        for member in self.rows("asp_members", award_id=award["award_id"]):
            person = self.person(member["iin"])
            if person and self.died(person):
                found.add("member_deceased")
            if person and starts <= self.birthday(person, 18) <= ends:
                found.add("member_turns_18")
        return "|".join(sorted(found))

    def food_set_decisions(self) -> dict:
        """A ground of p25."""
        outcome, reason = self.ground(self.kind)
        return {"outcome": outcome, "reason": reason}

    def ground(self, ground: str) -> tuple[str, str | None]:
        person = self.person(self.iin)
        if person is None:
            return "undetermined", "not_in_population_register"
        reason = (
            "deceased" if self.died(person) else getattr(self, ground)(person)
        ) or None
        return ("not_met", reason) if reason else ("met", None)

    def last_of_all(self) -> str | None:
        everywhere = self.policy["food_set.institution_scope"] == "all_grounds"
        if everywhere and self.lives_in_institution(self.iin):
            return "resident_in_institution"
        return None

    def best(self, ground: str, reasons: list[str | None]) -> str | None:
        """The record that meets the ground, else the one that failed last."""
        order = [*reasons_of(MODELS[ground]), None]
        return max(reasons, key=order.index)

    def p25_1(self, person: dict) -> str | None:
        members = self.rows("asp_members", iin=self.iin)
        return self.best("p25_1", [self.as_child_of(m, person) for m in members])

    def as_child_of(self, member: dict, person: dict) -> str | None:
        (award,) = self.rows("asp_awards", award_id=member["award_id"])
        ends = day(award["period_end"])
        extended = self.start <= ends <= self.end and self.p12(award) is None
        if award["status"] != "active" and not extended:
            return "award_not_active"
        if self.today < self.birthday(person, 6):
            return "under_6"
        through = self.policy["food_set.age_upper"] == "through_age_18"
        if self.today >= self.birthday(person, 19 if through else 18):
            return "age_18_or_over"
        return self.last_of_all()

    def own_terms(self, categories: tuple[str, ...]) -> list[dict]:
        terms = self.rows("disability_terms", iin=self.iin, kind="disability")
        return [term for term in terms if term["category"] in categories]

    def p25_2(self, person: dict) -> str | None:
        terms = self.own_terms(("child",))
        return self.best("p25_2", [self.as_disabled_child(t, person) for t in terms])

    def as_disabled_child(self, term: dict, person: dict) -> str | None:
        if not self.in_force(term):
            return "term_not_in_force"
        if self.today >= self.birthday(person, 16):
            return "age_16_or_over"
        if self.lives_in_institution(self.iin):
            return "resident_in_institution"
        return None

    def p25_3(self, _person: dict) -> str | None:
        terms = self.own_terms(GROUPS)
        return self.best("p25_3", [self.as_of_a_group(term) for term in terms])

    def as_of_a_group(self, term: dict) -> str | None:
        if not self.in_force(term):
            return "term_not_in_force"
        if self.lives_in_institution(self.iin):
            return "resident_in_institution"
        return None

    def p25_4(self, _person: dict) -> str | None:
        carer = self.policy["food_set.carer"]
        if carer == "allowance_recipient":
            awards = self.rows(
                "benefit_awards", iin=self.iin, benefit="child_carer_allowance"
            )
            reasons = [
                "award_not_active"
                if day(award["start_on"]) > self.today
                or (award["stop_on"] and day(award["stop_on"]) < self.today)
                else self.raising(award["dependant_iin"])
                for award in awards
            ]
        else:
            links = self.rows("family_links", parent_iin=self.iin)
            if carer == "one_parent":
                assert all(map(self.is_the_one_parent, links))
            reasons = [self.raising(link["child_iin"]) for link in links]
        return self.best("p25_4", reasons)

    def is_the_one_parent(self, link: dict) -> bool:
        others = {
            other["parent_iin"]
            for other in self.rows("family_links", child_iin=link["child_iin"])
        } - {self.iin}
        return all(
            iin < self.iin and (self.person(iin) is None or self.died(self.person(iin)))
            for iin in others
        )

    def raising(self, child_iin: str | None) -> str | None:
        child = self.person(child_iin)
        if child is None or self.died(child):
            return "child_deceased"
        limit = int(self.policy["food_set.carer_child_age_limit"])
        if self.today >= self.birthday(child, limit):
            return "child_age_over_limit"
        terms = self.rows("disability_terms", iin=child_iin, kind="disability")
        if not any(self.in_force(term) for term in terms):
            return "child_not_disabled"
        excluded = self.policy["food_set.carer_child_in_institution"] == "exclude"
        if excluded and self.lives_in_institution(child_iin):
            return "child_in_institution"
        return self.last_of_all()

    def p25_5(self, _person: dict) -> str | None:
        cases = self.rows("jobseekers", iin=self.iin)
        return self.best("p25_5", [self.as_unemployed(case) for case in cases])

    def as_unemployed(self, case: dict) -> str | None:
        decided, left = case["unemployed_decided_on"], case["deregistered_on"]
        if not decided or day(decided) > self.today:
            return "not_registered_unemployed"
        if left and day(left) <= self.today:
            return "deregistered"
        return self.last_of_all()

    # One method per mart: the columns it gives must be those of the decision.

    def disability_extensions(self) -> dict:
        """p17."""
        term = self.one("disability_terms", term_id=self.key)
        reason = self.p17(term)
        return {
            "outcome": "not_extended" if reason else "extended",
            "reason": reason,
            "old_valid_until": term["valid_until"],
            "new_valid_until": None if reason else str(self.term_ends(term)),
        }

    def asp_extensions(self) -> dict:
        """p12."""
        award = self.one("asp_awards", award_id=self.key)
        reason = self.p12(award)
        starts = day(award["period_end"]) + timedelta(1)
        ends = plus_months(starts, 3) - timedelta(1)
        return {
            "outcome": "not_extended" if reason else "extended",
            "reason": reason,
            "review_reasons": "" if reason else self.review(award),
            "new_period_start": None if reason else str(starts),
            "new_period_end": None if reason else str(ends),
        }

    def mse_queue(self) -> dict:
        """p17: the earliest due, then the lowest term."""
        terms = [
            (max(day(term["valid_until"]), self.start), term["term_id"])
            for term in self.rows("disability_terms")
            if self.p17(term) == self.values["cause"]
        ]
        due_on, term_id = min(terms)
        return {"term_id": term_id, "due_on": str(due_on)}

    def mse_findings(self) -> dict:
        """p16."""
        term = self.one("disability_terms", term_id=self.values["term_id"])
        established = day(term["established_on"])
        assert self.start <= day(term["decided_on"]) <= min(self.end, self.today)
        if self.values["check"] == "mode":
            finding = term["decision_mode"] != "in_absentia" and "wrong_mode"
        elif self.values["check"] == "term":
            longest = plus_months(established, 12)
            until = day(term["valid_until"])
            finding = (not until or until > longest) and "term_over_one_year"
        else:
            due_on = plus_months(established, 6)
            if due_on >= self.today:
                return {"outcome": "pending", "reason": None, "due_on": str(due_on)}
            held = self.happened(term["control_exam_on"])
            finding = (not held or held > due_on) and "control_exam_overdue"
        return {
            "outcome": "finding" if finding else "ok",
            "reason": finding or None,
        }

    def payout_schedule(self) -> dict:
        """p24."""
        (award,) = self.rows("benefit_awards")
        (term,) = self.rows("disability_terms")
        (person,) = self.rows("persons")
        assert self.p17({**term}) is None
        month = day(self.values["month"])
        last_day = plus_months(month, 1) - timedelta(1)
        assert not person["death_date"] or day(person["death_date"]) > month
        assert day(award["start_on"]).replace(day=1) <= month
        stops = day(award["stop_on"])
        amount = Decimal(award["monthly_amount"])
        paid = sum(
            Decimal(payment["amount"])
            for payment in self.rows("benefit_payments", month=str(month))
            if payment["status"] == "paid" and self.happened(payment["paid_on"])
        )
        pay_on = month.replace(day=int(self.policy["payout.day"]))
        while not is_working(pay_on):
            pay_on -= timedelta(1)
        return {
            "basis": "award" if not stops or stops >= last_day else "extension",
            "amount": f"{amount:.2f}",
            "paid_amount": f"{paid:.2f}",
            "due_amount": f"{max(amount - paid, Decimal(0)):.2f}",
            "overpaid_amount": f"{max(paid - amount, Decimal(0)):.2f}",
            "pay_on": str(pay_on),
        }

    def case_deadlines(self) -> dict:
        """p5, p6, p20 to p22."""
        case = (self.rows("applications") or self.rows("jobseekers"))[0]
        matched = None
        if self.values["step"] == "draft":
            match_due = due(day(case["registered_on"]), 1, self.policy)
            offered = self.happened(case["work_offered_on"])
            matched = offered is not None and offered <= match_due
        if matched:
            return {"outcome": "not_applicable", "due_on": None}
        start, done, days = {
            "forward": ("submitted_on", "forwarded_on", 2),
            "check": ("forwarded_on", "checked_on", 2),
            "match": ("registered_on", "work_offered_on", 1),
            "draft": (None, "draft_decision_on", 1),
            "sign": ("draft_decision_on", "unemployed_decided_on", 1),
        }[self.values["step"]]
        starts = self.happened(case[start]) if start else match_due
        ends = self.happened(case[done])
        due_on = due(starts, days, self.policy)
        if ends:
            outcome = "met" if ends <= due_on else "late"
        else:
            outcome = "open" if due_on >= self.today else "overdue"
        return {
            "outcome": outcome,
            "started_on": str(starts),
            "done_on": str(ends) if ends else None,
            "due_on": str(due_on),
        }

    def application_findings(self) -> dict:
        """p1 to p14: whether the row has what was found in it."""
        (row,) = self.rows("applications")
        code = int(row["service_code"] or 0)
        notified = self.happened(row["notified_on"])
        formed = self.happened(row["case_formed_on"])
        checked = self.happened(row["checked_on"])
        finding = self.values["finding"]
        missing = finding.removeprefix("incomplete:")
        return {
            "finding": finding,
            "reason": {
                "service_not_covered": not 1 <= code <= 25,
                "no_attachment": int(row["attachment_count"] or 0) == 0,
                "not_signed": row["signed"] != "true",
                "wrong_addressee": row["addressee"] not in (None, addressee(code)),
                "case_before_check": formed and (not checked or formed < checked),
                "duplicate_notification": notified
                and row["notification_channel"] in ("sms", "cabinet")
                and row["reply_in_document_system"] != "false",
                "extended_automatically": code == ASP and self.is_covered(row),
                "survey_not_remote": code == ASP
                and self.happened(row["decided_on"])
                and row["survey_mode"] != "remote",
                "result_not_electronic": code == ASP
                and notified
                and row["notification_channel"] is None,
            }.get(finding, missing != finding and row[missing] is None)
            and finding,
        }

    def is_covered(self, application: dict) -> bool:
        """Whether a cited award of the person covers the day of submission."""
        award = self.one("asp_awards")
        if award is None:
            return False
        members = self.rows("asp_members", award_id=award["award_id"])
        assert application["iin"] in (
            award["applicant_iin"],
            *(member["iin"] for member in members),
        )
        submitted, ends = day(application["submitted_on"]), day(award["period_end"])
        extended = self.start <= ends <= self.end and self.p12(award) is None
        until = plus_months(ends + timedelta(1), 3) - timedelta(1) if extended else ends
        is_on = award["status"] == "active" or extended
        return is_on and day(award["period_start"]) <= submitted <= until

    def food_set_recipients(self) -> dict:
        """p26, p27."""
        return {**self.place(), **self.norm("set_cost")}

    def delivery_plan(self) -> dict:
        """p28 to p30."""
        norm = self.norm("amount")
        (contract,) = self.rows("supply_contracts") or [None]
        (account,) = self.rows("bank_accounts") or [None]
        (delivery,) = self.rows("deliveries") or [None]
        in_force = contract and self.covers(contract, "valid_from", "valid_to")
        assert not contract or (in_force and self.happened(contract["signed_on"]))
        assert not delivery or self.happened(delivery["delivered_on"])
        if norm["mode"] == "cash":
            assert not contract
            allocation = "account" if account else "no_account"
        else:
            allocation = "allocated" if contract else "unallocated"
        return {
            **norm,
            "region_kato": self.place()["region_kato"],
            "outcome": allocation,
            "contract_id": contract and contract["contract_id"],
            "iban": account and account["iban"],
            "delivery_status": delivery["status"] if delivery else "outstanding",
        }

    def delivery_findings(self) -> dict:
        """p30: repeated where the person's set was taken by an earlier one."""
        found = self.one("deliveries", delivery_id=self.key)
        earlier = [
            delivery
            for delivery in self.rows("deliveries", iin=found["iin"])
            if (delivery["delivered_on"], delivery["delivery_id"])
            < (found["delivered_on"], found["delivery_id"])
        ]
        listed = self.person(found["iin"])
        assert bool(listed) == bool(earlier)
        return {"reason": "repeated" if listed else "not_on_list"}

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

    def norm(self, cost: str) -> dict:
        """What the region's norm gives."""
        norm = self.one("food_set_norms")
        if norm is None:
            return {"mode": None, cost: None}
        assert norm["kato"] == self.place()["region_kato"]
        assert self.covers(norm, "valid_from", "valid_to")
        return {"mode": norm["mode"], cost: f"{Decimal(norm['set_cost']):.2f}"}

    def covers(self, row: dict, start: str, end: str) -> bool:
        return day(row[start]) <= self.today <= (day(row[end]) or date.max)

    def happened(self, text: str | None) -> date | None:
        return day(text) if text and day(text) <= self.today else None


CALENDAR = holidays.country_holidays("KZ", years=range(2018, 2023))
ASP = 15


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


def retell(explanation: dict, decision: dict) -> tuple[dict, dict]:
    """Decide once more from an explanation's rows.

    Returns:
        What comes of it, by column, and what the run says in the same columns.
    """
    anew = getattr(Retold(explanation, decision), decision["table"])()
    said = {**decision["values"], **{n: decision[n] for n in ("outcome", "reason")}}
    return anew, {name: said[name] for name in anew}
