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

    def case_deadlines(self) -> dict:
        """p5, p6, p20 to p22."""
        case = (self.rows("applications") or self.rows("jobseekers"))[0]
        begun = day(case.get("submitted_on") or case.get("registered_on"))
        assert self.governed_from <= begun <= self.end
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
            # The centre owes help, not a job.
            late = "no_match" if self.values["step"] == "match" else "overdue"
            outcome = "open" if due_on >= self.today else late
        return {
            "outcome": outcome,
            "reason": outcome if outcome in ("late", "overdue", "no_match") else None,
            "started_on": str(starts),
            "done_on": str(ends) if ends else None,
            "due_on": str(due_on),
        }

    def jobseeker_findings(self) -> dict:
        """p19, p21: whether the case has what was found in it."""
        (case,) = self.rows("jobseekers")
        begun = day(case["registered_on"])
        assert self.governed_from <= begun <= self.end
        assert self.happened(case["unemployed_decided_on"])
        offered = self.happened(case["work_offered_on"])
        finding = self.values["finding"]
        return {
            "reason": {
                "decision_without_centre": case["centre_id"] is None,
                "signed_without_draft": not self.happened(case["draft_decision_on"]),
                "signed_despite_offer": offered
                and offered <= due(begun, 1, self.policy),
            }[finding]
            and finding
        }

    def application_findings(self) -> dict:
        """p1 to p14: whether the row has what was found in it."""
        (row,) = self.rows("applications")
        assert self.governed_from <= day(row["submitted_on"]) <= self.end
        code = int(row["service_code"] or 0)
        notified = self.happened(row["notified_on"])
        decided = self.happened(row["decided_on"])
        formed = self.happened(row["case_formed_on"])
        checked = self.happened(row["checked_on"])
        channel = row["notification_channel"]
        finding = self.values["finding"]
        missing = finding.removeprefix("incomplete:")
        holds = {
            "service_not_covered": not 1 <= code <= 25,
            "incomplete:phone": row["phone"] is None and row["email"] is None,
            "no_attachment": int(row["attachment_count"] or 0) == 0,
            "not_signed": row["signed"] != "true",
            "wrong_addressee": row["addressee"] not in (None, addressee(code)),
            "wrong_office": self.is_elsewhere(row),
            "case_before_check": formed and (not checked or formed < checked),
            "duplicate_notification": notified
            and channel in ("sms", "cabinet")
            and row["reply_in_document_system"] == "true",
            "no_channel": notified and channel is None,
            "not_notified": decided and decided < self.today and not notified,
            "extended_automatically": code == ASP and self.is_covered(row),
            "survey_not_remote": code == ASP
            and decided
            and row["survey_mode"] != "remote",
            "result_not_electronic": code == ASP and notified and channel is None,
        }
        is_so = holds.get(finding, missing != finding and row.get(missing) is None)
        return {"finding": finding, "reason": is_so and finding}

    def is_elsewhere(self, application: dict) -> bool:
        """Whether the office is of another district than the applicant's place."""
        known = {unit["kato"] for unit in self.rows("kato")}
        person = self.person(application["iin"])
        office = application["forwarded_to_kato"]
        return (
            self.happened(application["forwarded_on"]) is not None
            and person is not None
            and {office, person["kato"]} <= known
            and office[:4] != person["kato"][:4]
        )

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
        place = self.place()
        return {**place, **self.norm("set_cost", place["region_kato"])}

    def food_set_lists(self) -> dict:
        """p26, p30: how a row of the lists goes on."""
        before = self.one("lists")
        month = self.values["list_month"]
        drawn = self.explanation["run"]["list_drawn"]
        is_judged = drawn and month == self.context["list_month"]
        handed_over, other_status = self.settled(self.values["grounds"])
        stands = self.judged(before) if is_judged else self.as_before(before)
        return {
            **stands,
            "delivery_status": "delivered" if handed_over else other_status,
        }

    def as_before(self, before: dict) -> dict:
        same = ("list_no", "listed_on", "region_kato", "district_kato", "grounds")
        return {
            **{name: before[name] for name in same if name != "list_no"},
            "list_no": int(before["list_no"]),
            "primary_ground": before["primary_ground"],
            "ended_on": before["ended_on"],
            "ended_reason": before["ended_reason"],
            "reason": before["ended_reason"],
            "outcome": "ended" if before["ended_on"] else "entitled",
        }

    def judged(self, before: dict | None) -> dict:
        """A row of the month for which a list is drawn."""
        met = [code for code, outcome in self.grounds().items() if outcome == "met"]
        none = {"ended_on": None, "ended_reason": None, "reason": None}
        if before is None:
            assert met
            held = self.is_held(self.place()["region_kato"])
            assert (self.values["list_no"] is None) == bool(held)
            return {
                **self.place(),
                **none,
                "reason": held,
                "listed_on": None if held else str(self.today),
                "primary_ground": met[0],
                "grounds": "|".join(met),
                "outcome": "held" if held else "entitled",
            }
        if met:
            return {**self.as_before(before), **none, "outcome": "entitled"}
        reason = before["ended_reason"] or self.why_not(before["primary_ground"])
        return {
            **self.as_before(before),
            "ended_on": before["ended_on"] or str(self.today),
            "ended_reason": reason,
            "reason": reason,
            "outcome": "ended",
        }

    def why_not(self, ground: str) -> str:
        """Why a ground of the list is not met, by the rows of its own decision."""
        if self.grounds()[ground] == "not_candidate":
            return "no_record"
        return self.ground(ground)[1]

    def grounds(self) -> dict[str, str]:
        """The outcome of every ground, each taken anew from its own rows."""
        return {
            one["kind"]: one["outcome"]
            if one["outcome"] == "not_candidate"
            else Retold(self.explanation, one).ground(one["kind"])[0]
            for one in self.explanation["decisions"]
            if one["table"] == "food_set_decisions"
        }

    def is_held(self, region: str) -> str | None:
        """Why a region is not published: by the norm that its recipients' rows have."""
        (listed, *_) = self.others("food_set_recipients")
        norm = Retold(self.explanation, listed).one("food_set_norms")
        if norm is None:
            return "no_norm"
        assert norm["kato"] == region
        index = 2 * Decimal(self.context["monthly_calculation_index"])
        return "below_floor" if Decimal(norm["set_cost"]) < index else None

    def others(self, table: str, **values: str) -> list[dict]:
        """The explanation's decisions in another mart."""
        return [
            one
            for one in self.explanation["decisions"]
            if one["table"] == table
            and all(one["values"][name] == value for name, value in values.items())
        ]

    def settled(self, grounds: str) -> tuple[int, str]:
        """How many sets are handed over by net, and how the others stand."""
        net, other = 0, "outstanding"
        for delivery in self.in_order(self.rows("deliveries")):
            net = max(0, net + MOVES[delivery["status"]])
            other = delivery["status"] if delivery["status"] != "delivered" else other
        return min(net, self.sets(grounds)), other

    def sets(self, grounds: str) -> int:
        one = self.policy["food_set.sets_per_person"] == "one"
        return 1 if one else len(grounds.split("|"))

    def in_order(self, deliveries: list[dict]) -> list[dict]:
        assert all(self.happened(one["delivered_on"]) for one in deliveries)
        return sorted(deliveries, key=lambda d: (d["delivered_on"], d["delivery_id"]))

    def delivery_plan(self) -> dict:
        """p28 to p30: one set of the row of the list."""
        month = self.values["list_month"]
        (row,) = self.others("food_set_lists", list_month=month)
        listed = Retold(self.explanation, row)
        standing = listed.food_set_lists()["outcome"]
        handed_over, other_status = listed.settled(row["values"]["grounds"])
        one = self.policy["food_set.sets_per_person"] == "one"
        grounds = [] if one else row["values"]["grounds"].split("|")
        nth = grounds.index(self.values["primary_ground"]) if grounds else 0
        is_delivered = nth < handed_over
        told = {
            "standing": standing,
            "region_kato": row["values"]["region_kato"],
            "delivery_status": "delivered" if is_delivered else other_status,
            "contract_id": None,
            "iban": None,
            "account_of": None,
        }
        norm = self.norm("amount", row["values"]["region_kato"])
        if standing == "ended" and not is_delivered:
            return {
                **told,
                "mode": norm["mode"],
                "amount": None,
                "outcome": "withdrawn",
                "reason": "withdrawn",
            }
        told |= norm
        if norm["mode"] == "cash":
            return {**told, **self.account()}
        deliveries = listed.in_order(listed.rows("deliveries"))
        delivered = [one for one in deliveries if one["status"] == "delivered"]
        of_delivery = delivered[nth]["contract_id"] if is_delivered else None
        if norm["mode"] is None:
            return {**told, "outcome": "unallocated", "reason": "no_norm"}
        if of_delivery is None:
            return {**told, **self.contract(row["values"]["region_kato"])}
        return {
            **told,
            "contract_id": of_delivery,
            "outcome": "allocated",
            "reason": None,
        }

    def contract(self, region: str) -> dict:
        """The contract the set comes from: in force, and of the region."""
        found = self.values["contract_id"]
        if found is None:
            return {"outcome": "unallocated", "reason": "unallocated"}
        contract = self.one("supply_contracts", contract_id=found)
        assert contract["kato"] == region
        assert self.covers(contract, "valid_from", "valid_to")
        assert self.happened(contract["signed_on"])
        return {"contract_id": found, "outcome": "allocated", "reason": None}

    def account(self) -> dict:
        """Their own account, or for a minor a parent's or guardian's."""
        account = self.one("bank_accounts")
        if account is None:
            return {"outcome": "no_account", "reason": "no_account"}
        assert self.happened(account["confirmed_on"])
        whose = "own" if account["iin"] == self.iin else "representative"
        if whose == "representative":
            assert self.policy["food_set.account_of"] == "own_or_representative"
            assert self.birthday(self.person(self.iin), 18) > self.today
            link = self.one(
                "family_links", child_iin=self.iin, parent_iin=account["iin"]
            )
            assert self.covers(link, "valid_from", "valid_to")
            assert not self.died(self.person(account["iin"]))
        return {
            "iban": account["iban"],
            "account_of": whose,
            "outcome": "account",
            "reason": None,
        }

    def delivery_findings(self) -> dict:
        """p30: the first that holds, by the person's row of the lists of the month."""
        found = self.one("deliveries", delivery_id=self.key)
        listed = self.others("food_set_lists", list_month=found["list_month"])
        if not listed:
            return {"reason": "not_on_list"}
        assert found["status"] == "delivered"
        death = self.person(self.iin)["death_date"]
        if death and death < found["delivered_on"]:
            return {"reason": "after_death"}
        row = Retold(self.explanation, listed[0])
        net = 0
        for delivery in row.in_order(row.rows("deliveries")):
            net = max(0, net + MOVES[delivery["status"]])
            if delivery["delivery_id"] == self.key:
                break
        repeated = net > self.sets(listed[0]["values"]["grounds"])
        return {"reason": "repeated" if repeated else None}

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


# The first day of this edition of the Rules.
RULES = date(2020, 4, 1)
# What a delivery does to the sets in hand.
MOVES = {"delivered": 1, "returned": -1, "failed": 0}
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
