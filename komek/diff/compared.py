"""The marts that are compared: their keys, the columns that make a difference."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Compared:
    """A mart that is compared.

    `key` and `iin` are SQL over `mart` (and `law`); `columns` are those that make a
    difference. `amount`, in tenge, is added up.
    """

    table: str
    what: str
    key: str
    columns: tuple[str, ...]
    iin: str = "mart.iin"
    region: str = "coalesce(people.region_kato, 'unassigned')"
    joined: str = ""
    amount: str | None = None
    # Several rows of one key are compared in this order.
    order: str = "1"
    # The tables whose lineage says why, and the key in their row keys.
    lineage: tuple[str, ...] = ()
    row_key: str = "row_key"


COMPARED = (
    # The list month is the run's, not a person's.
    Compared(
        table="food_set_recipients",
        what="person",
        key="mart.iin",
        columns=(
            "region_kato",
            "district_kato",
            "primary_ground",
            "grounds",
            "mode",
            "set_cost",
        ),
        region="mart.region_kato",
        amount="set_cost",
        order="mart.primary_ground",
        lineage=("food_set_recipients", "food_set_decisions"),
        row_key="split_part(row_key, '|', 1)",
    ),
    Compared(
        table="asp_extensions",
        what="award",
        key="mart.award_id",
        columns=(
            "family_id",
            "outcome",
            "reason",
            "review_reasons",
            "old_period_start",
            "old_period_end",
            "new_period_start",
            "new_period_end",
            "monthly_amount",
        ),
        iin="awards.applicant_iin",
        joined="left join run.law.p12_asp_extension as awards using (award_id)",
        lineage=("asp_extensions",),
    ),
    Compared(
        table="payout_schedule",
        what="award",
        key="concat(mart.award_id, '|', mart.month)",
        columns=(
            "benefit",
            "basis",
            "amount",
            "paid_amount",
            "due_amount",
            "overpaid_amount",
            "pay_on",
        ),
        amount="amount",
        lineage=("payout_schedule",),
    ),
    Compared(
        table="disability_extensions",
        what="term",
        key="mart.term_id",
        columns=(
            "kind",
            "category",
            "outcome",
            "reason",
            "old_valid_until",
            "new_valid_until",
        ),
        lineage=("disability_extensions",),
    ),
)
