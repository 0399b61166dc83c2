"""What a run decided on a person, row by row of its marts, and where it did not: why.

Everything here is a look-up in the run's tables; nothing is decided anew.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from komek.base import grounds
from komek.explain.blocks import Block
from komek.explain.case import GROUPS
from komek.explain.case_blocks import case_blocks
from komek.explain.list_blocks import list_blocks
from komek.explain.rows import Row
from komek.explain.run_tables import RunTables

_KIND_OF_BENEFIT = {
    "disability_allowance": "disability",
    "capacity_loss_payment": "general_capacity_loss",
}


class Decisions:
    """The decisions of one run on one person."""

    def __init__(self, run: RunTables) -> None:
        """Take the run's tables, by which the person is looked up."""
        self._run = run
        self._iin, self._context = run.iin, run.context

    def blocks(self) -> list[Block]:
        """Return them all: food set, assistance, terms, payouts, cases."""
        return [
            *self._food_set(),
            *list_blocks(self._run),
            *self._asp(),
            *self._terms(),
            *self._payouts(),
            *case_blocks(self._run),
        ]

    def _food_set(self) -> Iterator[Block]:
        ledger = {
            row["ground"]: row
            for row in self._run.records(
                "select * from marts.food_set_decisions where iin = ?", self._iin
            )
        }
        named = {
            row["ground"]: row["record_row"]
            for row in self._run.records(
                "select ground, record_row from law.p25_ledger where iin = ?", self._iin
            )
        }
        # Of a run by other code there may be grounds that this one does not list.
        for ground in dict.fromkeys((*grounds.codes(), *ledger)):
            row = ledger.get(ground)
            if row is None:
                reason, cites = self._why_no_candidate(ground)
                yield self._run.none(
                    ground, "food_set_decisions", "p25", reason, *cites
                )
            else:
                yield Block(
                    ground,
                    "food_set_decisions",
                    f"{self._iin}|{ground}",
                    row["paragraph"],
                    row["outcome"],
                    row["reason"],
                    row,
                    record=named[ground],
                )

    def _why_no_candidate(self, ground: str) -> tuple[str, list[int | None]]:
        if not self._run.list_drawn:
            return "no_list_drawn", []
        if ground == "p25_1":
            on = [row for row in self._awards if row["member_row"] is not None]
            reason = "asp_period_elsewhere" if on else "no_asp_membership"
            return reason, [row[c] for row in on for c in ("member_row", "award_row")]
        if ground in ("p25_2", "p25_3"):
            wanted = ("child",) if ground == "p25_2" else GROUPS
            terms = [
                row["term_row"]
                for row in self._own_terms
                if row["kind"] == "disability" and row["category"] not in wanted
            ]
            return "no_child_term" if ground == "p25_2" else "no_group_term", terms
        if ground == "p25_4":
            by_award = self._context["food_set__carer"] == "allowance_recipient"
            return "no_carer_allowance" if by_award else "not_the_parent", []
        return "no_jobseeker_case" if ground == "p25_5" else "no_candidate", []

    @cached_property
    def _awards(self) -> list[Row]:
        """Return the awards the person is on, as a member (member_row) or applicant."""
        return self._run.records(
            "select award_id, max(member_row) as member_row, min(award_row) as"
            " award_row from (select cover.award_id, members.member_row,"
            " cover.award_row from facts.asp_members as members"
            " inner join law.p12_award_cover as cover using (award_id)"
            " where members.iin = ? union all"
            " select award_id, null, award_row from law.p12_award_cover"
            " where applicant_iin = ?) group by award_id order by award_id",
            self._iin,
            self._iin,
        )

    def _asp(self) -> Iterator[Block]:
        table = "asp_extensions"
        if not self._awards or "p12" not in self._run.paragraphs:
            yield self._run.none(table, table, "p12", "no_asp_award")
            return
        extended = {
            row["award_id"]: row
            for row in self._run.records(
                f"select * from marts.{table} where award_id in"
                f" ({', '.join('?' * len(self._awards))})",
                *(award["award_id"] for award in self._awards),
            )
        }
        for award in self._awards:
            award_id = award["award_id"]
            row = extended.get(award_id)
            yield Block(
                table,
                table,
                award_id,
                "p12",
                row["outcome"] if row else "not_candidate",
                row["reason"] if row else "ends_outside_emergency",
                row or {"award_id": award_id},
                () if row else (award["award_row"], award["member_row"]),
            )

    @cached_property
    def _own_terms(self) -> list[Row]:
        return self._run.records(
            "select * from facts.disability_terms where iin = ? order by term_id",
            self._iin,
        )

    @cached_property
    def _extended(self) -> dict[str, Row]:
        return {
            row["term_id"]: row
            for row in self._run.records(
                "select * from marts.disability_extensions where iin = ?", self._iin
            )
        }

    def _terms(self) -> Iterator[Block]:
        table = "disability_extensions"
        examined_for = {
            row["term_id"]: row.get("examined_for")
            for row in self._run.of_person("law.p17_disability_extension", "term_id")
        }
        if not self._own_terms or "p17" not in self._run.paragraphs:
            yield self._run.none(table, table, "p17", "no_term")
        else:
            for term in self._own_terms:
                row = self._extended.get(term["term_id"])
                yield Block(
                    table,
                    table,
                    term["term_id"],
                    "p17",
                    row["outcome"] if row else "not_candidate",
                    row["reason"] if row else "ends_outside_window",
                    row
                    or {name: term[name] for name in ("term_id", "kind", "category")},
                    () if row else (term["term_row"],),
                    beside={"examined_for": examined_for.get(term["term_id"])},
                )
        for row in self._run.records(
            "select * from marts.mse_queue where iin = ? order by cause", self._iin
        ):
            yield Block(
                "mse_queue",
                "mse_queue",
                f"{self._iin}|{row['cause']}",
                row["paragraph"],
                "queued",
                None,
                row,
            )
        for row in self._run.records(
            'select * from marts.mse_findings where iin = ? order by term_id, "check"',
            self._iin,
        ):
            yield Block(
                "mse_findings",
                "mse_findings",
                f"{row['term_id']}|{row['check']}",
                row["paragraph"],
                row["outcome"],
                row["finding"],
                row,
            )

    def _payouts(self) -> Iterator[Block]:
        table = "payout_schedule"
        payouts = self._run.records(
            f"select * from marts.{table} where iin = ? order by award_id, month",
            self._iin,
        )
        for row in payouts:
            key = f"{row['award_id']}|{row['month']}"
            yield Block(table, table, key, row["paragraph"], "payable", None, row)
        awards = self._run.records(
            "select * from facts.benefit_awards where iin = ? order by award_id",
            self._iin,
        )
        for benefit, kind in _KIND_OF_BENEFIT.items():
            of_benefit = [award for award in awards if award["benefit"] == benefit]
            terms = [term for term in self._own_terms if term["kind"] == kind]
            if (not of_benefit and terms) or "p24" not in self._run.paragraphs:
                yield self._without_payout(benefit, None, terms, "no_benefit_award")
            paid = {row["award_id"] for row in payouts}
            for award in of_benefit:
                if award["award_id"] not in paid:
                    reason = self._why_no_payout(award, terms)
                    yield self._without_payout(benefit, award, terms, reason)

    def _why_no_payout(self, award: Row, terms: Iterable[Row]) -> str:
        outcomes = {
            self._extended.get(term["term_id"], {}).get("outcome") for term in terms
        }
        if "extended" not in outcomes:
            return "no_extended_term"
        ends_before = (
            award["stop_on"] is not None
            and award["stop_on"] < self._context["window_starts_on"]
        )
        starts_after = award["start_on"] > self._context["covered_until"]
        if ends_before or starts_after:
            return "award_outside_emergency"
        return "no_month_to_pay"

    def _without_payout(
        self, benefit: str, award: Row | None, terms: Iterable[Row], reason: str
    ) -> Block:
        award_id = award["award_id"] if award else None
        is_decided = "p24" in self._run.paragraphs
        return Block(
            "payout_schedule",
            "payout_schedule",
            f"{award_id or benefit}|",
            "p24",
            "not_candidate",
            reason if is_decided else "no_edition",
            {"award_id": award_id, "benefit": benefit, "month": None},
            (
                award["award_row"] if award else None,
                *(term["term_row"] for term in terms),
            )
            if is_decided
            else (),
        )
