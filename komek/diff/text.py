"""A diff as lines for people: the sums, then every difference."""

from collections.abc import Mapping, Sequence
from typing import Any


def render(found: Mapping[str, Any]) -> list[str]:
    """Return a diff as lines for people: the sums, then every difference."""
    first, second = found["first"], found["second"]
    lines = [
        f"from {_shown_run(first)} to {_shown_run(second)}",
        f"they differ in: {', '.join(found['differ']) or 'nothing'}",
    ]
    if not found["changes"]:
        return [*lines, "no person, award or term differs"]
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
    sources = "; ".join(_source(source) for source in change["sources"])
    return (
        f"{change['change']} {change['what']} {change['key']} in {change['table']}"
        f" ({change['region_kato']}): {change['cause']}"
        + (f", {columns}" if columns else "")
        + (f", by {sources}" if sources else "")
    )


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
