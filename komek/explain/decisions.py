"""What a run decided on a person, row by row of its marts, and where it did not: why.

Everything here is a look-up in the run's tables; nothing is decided anew.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

import duckdb

from komek.base import grounds
from komek.explain.blocks import Block
from komek.explain.case import GROUPS
from komek.explain.rows import Row, records

_KIND_OF_BENEFIT = {
    "disability_allowance": "disability",
    "capacity_loss_payment": "general_capacity_loss",
}


class Decisions:
    """The decisions of one run on one person."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        iin: str,
        context: Row,
        list_drawn: bool,
        paragraphs: Collection[str],
    ) -> None:
        """Take what the look-ups need.

        Args:
            connection: the run's file, open.
            iin: the person.
            context: the row of `facts.run_context`.
            list_drawn: whether the run drew a list of food sets.
            paragraphs: those with an edition in force for the run.
        """
        self._connection = connection
        self._iin = iin
        self._context = context
        self._list_drawn = list_drawn
        self._paragraphs = paragraphs

    def blocks(self) -> list[Block]:
        """Return them all: food set, assistance, terms, payouts, cases."""
        return [
            *self._food_set(),
            *self._asp(),
            *self._terms(),
            *self._payouts(),
            *self._cases(),
        ]

    def _records(self, query: str, *values: object) -> list[Row]:
        return records(self._connection, query, values)

    def _none(
        self, kind: str, table: str, paragraph: str, reason: str, *cites: int | None
    ) -> Block:
        """Return why nothing was decided."""
        if paragraph not in self._paragraphs:
            reason, cites = "no_edition", ()
        return Block(
            kind, table, f"{kind}|", paragraph, "not_candidate", reason, {}, cites
        )

    def _food_set(self) -> Iterator[Block]:
        ledger = {
            row["ground"]: row
            for row in self._records(
                "select * from marts.food_set_decisions where iin = ?", self._iin
            )
        }
        named = {
            row["ground"]: row["record_row"]
            for row in self._records(
                "select ground, record_row from law.p25_ledger where iin = ?", self._iin
            )
        }
        for ground in grounds.codes():
            row = ledger.get(ground)
            if row is None:
                reason, cites = self._why_no_candidate(ground)
                yield self._none(ground, "food_set_decisions", "p25", reason, *cites)
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
        yield from self._list()

    def _why_no_candidate(self, ground: str) -> tuple[str, list[int | None]]:
        if not self._list_drawn:
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
        return "no_jobseeker_case", []

    def _list(self) -> Iterator[Block]:
        per_ground = self._context["food_set__sets_per_person"] == "one_per_ground"

        def key(row: Row) -> str:
            ground = row["primary_ground"]
            return f"{self._iin}|{ground}" if per_ground else self._iin

        for row in self._records(
            "select list.*, status.floor_cost, status.publication, status.blocked_by"
            " from marts.food_set_recipients as list"
            " left join marts.region_status as status using (region_kato)"
            " where list.iin = ? order by list.primary_ground",
            self._iin,
        ):
            unassigned = row["region_kato"] == "unassigned"
            yield Block(
                "food_set_recipients",
                "food_set_recipients",
                key(row),
                row["paragraph"],
                "recipient",
                "unassigned" if unassigned else row["blocked_by"],
                row,
            )
        for row in self._records(
            "select * from marts.delivery_plan where iin = ? order by primary_ground",
            self._iin,
        ):
            allocation = row["allocation"]
            unmet = allocation in ("unallocated", "no_account")
            yield Block(
                "delivery_plan",
                "delivery_plan",
                key(row),
                row["paragraph"],
                allocation,
                allocation if unmet else None,
                row,
            )
        for row in self._records(
            "select * from marts.delivery_findings where iin = ? order by delivery_id",
            self._iin,
        ):
            yield Block(
                "delivery_findings",
                "delivery_findings",
                row["delivery_id"],
                row["paragraph"],
                "finding",
                row["finding"],
                row,
            )

    @cached_property
    def _awards(self) -> list[Row]:
        """Return the awards the person is on, as a member (member_row) or applicant."""
        return self._records(
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
        if not self._awards or "p12" not in self._paragraphs:
            yield self._none(table, table, "p12", "no_asp_award")
            return
        extended = {
            row["award_id"]: row
            for row in self._records(
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
        return self._records(
            "select * from facts.disability_terms where iin = ? order by term_id",
            self._iin,
        )

    @cached_property
    def _extended(self) -> dict[str, Row]:
        return {
            row["term_id"]: row
            for row in self._records(
                "select * from marts.disability_extensions where iin = ?", self._iin
            )
        }

    def _terms(self) -> Iterator[Block]:
        table = "disability_extensions"
        if not self._own_terms or "p17" not in self._paragraphs:
            yield self._none(table, table, "p17", "no_term")
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
                )
        for row in self._records(
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
        for row in self._records(
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
        payouts = self._records(
            f"select * from marts.{table} where iin = ? order by award_id, month",
            self._iin,
        )
        for row in payouts:
            key = f"{row['award_id']}|{row['month']}"
            yield Block(table, table, key, row["paragraph"], "payable", None, row)
        awards = self._records(
            "select * from facts.benefit_awards where iin = ? order by award_id",
            self._iin,
        )
        for benefit, kind in _KIND_OF_BENEFIT.items():
            of_benefit = [award for award in awards if award["benefit"] == benefit]
            terms = [term for term in self._own_terms if term["kind"] == kind]
            if (not of_benefit and terms) or "p24" not in self._paragraphs:
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
        is_decided = "p24" in self._paragraphs
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

    def _cases(self) -> Iterator[Block]:
        cases = {
            (kind, case_id)
            for kind, table, key in (
                ("jobseeker", "jobseeker_cases", "case_id"),
                ("application", "applications", "application_id"),
            )
            for (case_id,) in self._connection.execute(
                f"select {key} from facts.{table} where iin = ?", [self._iin]
            ).fetchall()
        }
        for kind, case_id in sorted(cases):
            for row in self._records(
                "select * from marts.case_deadlines where case_kind = ?"
                " and case_id = ? order by started_on, paragraph",
                kind,
                case_id,
            ):
                late = row["status"] in ("late", "overdue")
                yield Block(
                    "case_deadlines",
                    "case_deadlines",
                    f"{kind}|{case_id}|{row['step']}",
                    row["paragraph"],
                    row["status"],
                    row["status"] if late else None,
                    row,
                )
            if kind == "jobseeker":
                continue
            for row in self._records(
                "select * from marts.application_findings where application_id = ?"
                " order by paragraph, finding",
                case_id,
            ):
                yield Block(
                    "application_findings",
                    "application_findings",
                    f"{case_id}|{row['finding']}",
                    row["paragraph"],
                    "finding",
                    row["finding"],
                    row,
                )
