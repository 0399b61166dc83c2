"""Lists, sets and deliveries, told once more from their rows."""

from decimal import Decimal

from told_grounds import Grounds

# What a delivery does to the sets in hand.
MOVES = {"delivered": 1, "returned": -1, "failed": 0}


class Sets(Grounds):
    """Lists, sets and deliveries, told once more from their rows."""

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
            else type(self)(self.explanation, one).ground(one["kind"])[0]
            for one in self.explanation["decisions"]
            if one["table"] == "food_set_decisions"
        }

    def is_held(self, region: str) -> str | None:
        """Why a region is not published: by the norm that its recipients' rows have."""
        (listed, *_) = self.others("food_set_recipients")
        norm = type(self)(self.explanation, listed).one("food_set_norms")
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
        listed = type(self)(self.explanation, row)
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
        row = type(self)(self.explanation, listed[0])
        net = 0
        for delivery in row.in_order(row.rows("deliveries")):
            net = max(0, net + MOVES[delivery["status"]])
            if delivery["delivery_id"] == self.key:
                break
        repeated = net > self.sets(listed[0]["values"]["grounds"])
        return {"reason": "repeated" if repeated else None}
