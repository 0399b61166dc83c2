"""A diff as lines for people: the sums, then every difference."""

from collections.abc import Mapping, Sequence
from typing import Any

# What a day says that was reached between the two that runs decide for.
_HAPPENED = {
    "admitted_on": "admitted on",
    "case_formed_on": "case formed on",
    "checked_on": "documents checked on",
    "confirmed_on": "account confirmed on",
    "control_exam_on": "control examination held on",
    "covered_until": "the emergency ended on",
    "death_date": "died on",
    "decided_on": "decided on",
    "delivered_on": "delivery of",
    "deregistered_on": "deregistered on",
    "discharged_on": "discharged on",
    "draft_decision_on": "draft decision of",
    "due_on": "the term ran out on",
    "established_on": "established on",
    "forwarded_on": "forwarded on",
    "listed_on": "the list was drawn on",
    "list_month": "the list of the month from",
    "notified_on": "notified on",
    "paid_on": "paid on",
    "period_end": "the period ended on",
    "period_start": "the period began on",
    "registered_on": "registered on",
    "signed_on": "contract signed on",
    "start_on": "the benefit began on",
    "stop_on": "the benefit ended on",
    "submitted_on": "submitted on",
    "unemployed_decided_on": "decision signed on",
    "valid_from": "in force from",
    "valid_to": "in force to",
    "valid_until": "the term ran out on",
    "work_offered_on": "work offered on",
}


def render(found: Mapping[str, Any]) -> list[str]:
    """Return a diff as lines for people: the sums, then every difference."""
    first, second = found["first"], found["second"]
    lines = [
        f"from {_shown_run(first)} to {_shown_run(second)}",
        f"they differ in: {', '.join(found['differ']) or 'nothing'}",
    ]
    if not found["changes"]:
        return [*lines, "no row differs"]
    head = ("table", "region", "cause", "added", "removed", "changed", "tenge")
    lines += ["", _columns(head)]
    lines += [
        _columns(
            [
                total["table"],
                total["region_kato"],
                total["cause"],
                f"{total['added']}",
                f"{total['removed']}",
                f"{total['changed']}",
                total["amount_change"] or "",
            ]
        )
        for total in found["sums"]
    ]
    return [*lines, "", *(_line(change) for change in found["changes"])]


# Lines for people


def _columns(fields: Sequence[str]) -> str:
    table, region, cause, *counts, amount = fields
    return (
        f"{table:24}{region:12}{cause:8}"
        + "".join(f"{count:>10}" for count in counts)
        + f"{amount:>20}"
    )


def _line(change: Mapping[str, Any]) -> str:
    columns = ", ".join(
        f"{column['column']} {_shown(column['before'])} -> {_shown(column['after'])}"
        for column in change["columns"]
    )
    because = "; ".join(map(_happened, change["because"]))
    sources = "; ".join(_source(source) for source in change["sources"])
    return (
        f"{change['change']} {change['what']} {change['key']} in {change['table']}"
        f" ({change['region_kato']}): {change['cause']}"
        + (f", {columns}" if columns else "")
        + (f", {because}" if because else "")
        + (f", by {sources}" if sources else "")
    )


def _happened(moment: Mapping[str, Any]) -> str:
    """Return what happened in words; a day that has none, by its column."""
    event, on = moment["event"], moment["on"]
    if event == "birthday":
        return f"turned {moment['age']} on {on}"
    where = f" ({moment['entity']})" if moment["entity"] else ""
    return f"{_HAPPENED.get(event, event)} {on}{where}"


def _shown_run(run: Mapping[str, str]) -> str:
    return f"{run['run_id']} (of {run['as_of']}, known {run['known_at']})"


def _shown(value: str | None) -> str:
    return "none" if value is None else f"{value!r}"


def _source(source: Mapping[str, Any]) -> str:
    places = " -> ".join(
        f"{source[f'file_{side}']} row {source[f'row_{side}']}"
        for side in ("before", "after")
        if source[f"file_{side}"]
    )
    return f"{source['entity']} {source['change']} ({places})"
