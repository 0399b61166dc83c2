"""Awards and disability terms, told once more from their rows."""

from datetime import date, timedelta
from decimal import Decimal

from told import GROUPS, Told, day, is_working, plus_months


class Terms(Told):
    """Awards and disability terms, told once more from their rows."""

    def p17(self, term: dict) -> str | None:
        person = self.person(term["iin"])
        if person is None:
            return "not_in_population_register"
        if self.died(person):
            return "deceased"
        newer = self.rows("disability_terms", iin=term["iin"], kind=term["kind"])
        if any(term["decided_on"] < t["decided_on"] <= str(self.today) for t in newer):
            return "superseded"
        examined = self.policy["disability.age_transition"] == "examine"
        return self.comes_of_age(term) if examined else None

    def comes_of_age(self, term: dict) -> str | None:
        """Whose category ends with their age, while terms are extended."""
        person = self.person(term["iin"])
        if term["kind"] != "disability" or person is None:
            return None
        turns_16, turns_18 = self.birthday(person, 16), self.birthday(person, 18)
        if term["category"] == "child" and self.is_in_window(turns_16):
            return "turns_16"
        as_minor = day(term["established_on"]) < turns_18
        if term["category"] in GROUPS and as_minor and self.is_in_window(turns_18):
            return "turns_18"
        return None

    def is_in_window(self, on: date) -> bool:
        return self.window_starts <= on <= self.end

    def term_ends(self, term: dict) -> date:
        until = day(term["valid_until"])
        if until is None:
            return date.max
        if not self.is_in_window(until) or self.p17(term) is not None:
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
        members = self.rows("asp_members", award_id=award["award_id"])
        people = [self.person(member["iin"]) for member in members]
        if members and all(person and self.died(person) for person in people):
            return "no_living_member"
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
        instead = self.policy["disability.age_transition"] == "examine"
        terms = [
            (
                max(day(term["valid_until"]), self.start)
                if instead
                else self.term_ends(term),
                term["term_id"],
            )
            for term in self.rows("disability_terms")
            if self.comes_of_age(term) == self.values["cause"]
            and self.p17(term) == (self.values["cause"] if instead else None)
        ]
        due_on, term_id = min(terms)
        return {"term_id": term_id, "due_on": str(due_on)}

    def mse_findings(self) -> dict:
        """p16."""
        term = self.one("disability_terms", term_id=self.values["term_id"])
        established = day(term["established_on"])
        decided = day(term["decided_on"])
        assert self.governed_from <= decided <= min(self.end, self.today)
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
            in_time = held is not None and established < held <= due_on
            finding = not in_time and "control_exam_overdue"
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
