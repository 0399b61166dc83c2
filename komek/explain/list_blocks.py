"""What a run has of a person's food sets: the lists, their sets, and the deliveries."""

from collections.abc import Iterator

from komek.explain.blocks import Block
from komek.explain.rows import Row
from komek.explain.run_tables import RunTables


def list_blocks(run: RunTables) -> list[Block]:
    """Return the person's places on the lists, their sets, and what came back."""
    return [
        *_recipient(run),
        *_listed(run),
        *_planned(run),
        *_delivered(run),
    ]


def _recipient(run: RunTables) -> Iterator[Block]:
    per_ground = run.context.get("food_set__sets_per_person") == "one_per_ground"
    regions = _regions(run)
    for row in run.of_person("marts.food_set_recipients", "primary_ground"):
        ground = row["primary_ground"]
        region = regions.get(row["region_kato"], {})
        names = ("floor_cost", "publication", "blocked_by")
        blocked_by = region.get("blocked_by")
        unassigned = row["region_kato"] == "unassigned"
        yield Block(
            "food_set_recipients",
            "food_set_recipients",
            f"{run.iin}|{ground}" if per_ground else run.iin,
            row["paragraph"],
            "recipient",
            "unassigned" if unassigned else blocked_by,
            row | {name: region.get(name) for name in names},
        )


def _listed(run: RunTables) -> Iterator[Block]:
    regions, ledger = _regions(run), _ledger(run)
    settled = {
        row["list_month"]: row for row in run.of_person("law.p30_settled", "list_month")
    }
    for row in run.of_person("marts.food_set_lists", "list_month"):
        month, standing = row["list_month"], row["standing"]
        is_judged = run.list_drawn and month == run.context["list_month"]
        judged = ledger.get(row["primary_ground"], {}) if is_judged else {}
        held_by = regions.get(row["region_kato"], {}).get("blocked_by")
        yield Block(
            "food_set_lists",
            "food_set_lists",
            f"{run.iin}|{month}",
            row["paragraph"],
            standing,
            {"ended": row["ended_reason"], "held": held_by}.get(standing),
            row,
            beside={
                "is_judged": is_judged,
                "blocked_by": held_by,
                "ground_outcome": judged.get("outcome"),
                "ground_reason": judged.get("reason"),
                "sets": settled.get(month, {}).get("sets"),
                "delivered": settled.get(month, {}).get("delivered"),
            },
        )


def _planned(run: RunTables) -> Iterator[Block]:
    """Return each set of the month; its account is their own or a representative's."""
    plans = {row["ground"]: row for row in run.of_person("law.p28_plan", "ground")}
    lists = {
        row["list_month"]: row
        for row in run.of_person("marts.food_set_lists", "list_month")
    }
    handed_over = {
        row["delivery_row"]: row
        for row in run.of_person("law.p30_deliveries", "delivery_id")
    }
    for row in run.of_person("marts.delivery_plan", "primary_ground"):
        plan = plans.get(row["primary_ground"], {})
        listed = lists.get(row["list_month"], {})
        delivery = handed_over.get(plan.get("delivery_row"), {})
        yield Block(
            "delivery_plan",
            "delivery_plan",
            run.iin,
            row["paragraph"],
            row["allocation"],
            _unmet(row),
            _with_account_of(row, run.iin),
            beside={
                "ended_on": listed.get("ended_on"),
                "ended_reason": listed.get("ended_reason"),
                "delivery_id": delivery.get("delivery_id"),
                "contract_of_delivery": plan.get("delivered_contract_id"),
            },
        )


def _unmet(row: Row) -> str | None:
    allocation: str = row["allocation"]
    if allocation == "unallocated" and row["mode"] is None:
        return "no_norm"
    return (
        allocation if allocation in ("unallocated", "no_account", "withdrawn") else None
    )


def _with_account_of(row: Row, iin: str) -> Row:
    """Say whose the account is; who a parent or guardian is stands in the rows."""
    told = dict(row)
    account_iin = told.pop("account_iin", iin)
    own = "own" if account_iin == iin else "representative"
    return told | {"account_of": own if row["iban"] is not None else None}


def _delivered(run: RunTables) -> Iterator[Block]:
    after = {
        row["delivery_id"]: row
        for row in run.of_person("law.p30_deliveries", "delivery_id")
    }
    settled = {
        row["list_month"]: row for row in run.of_person("law.p30_settled", "list_month")
    }
    for row in run.of_person("marts.delivery_findings", "delivery_id"):
        delivery = after.get(row["delivery_id"], {})
        of_month = settled.get(delivery.get("list_month"), {})
        yield Block(
            "delivery_findings",
            "delivery_findings",
            row["delivery_id"],
            row["paragraph"],
            "finding",
            row["finding"],
            row,
            beside={"in_hand": delivery.get("in_hand"), "sets": of_month.get("sets")},
        )


def _regions(run: RunTables) -> dict[str, Row]:
    return {
        row["region_kato"]: row
        for row in run.records("select * from marts.region_status")
    }


def _ledger(run: RunTables) -> dict[str, Row]:
    return {
        row["ground"]: row
        for row in run.of_person("marts.food_set_decisions", "ground")
    }
