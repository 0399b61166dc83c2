"""The grounds of p25, told once more from the rows of a person."""

from told import GROUPS, day, reasons_of
from told_terms import Terms

MODELS = {
    "p25_1": "p25_1_asp_child",
    "p25_2": "p25_2_disabled_child",
    "p25_3": "p25_3_disability_group",
    "p25_4": "p25_4_carer",
    "p25_5": "p25_5_unemployed",
}


class Grounds(Terms):
    """The grounds of p25, told once more from the rows of a person."""

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
