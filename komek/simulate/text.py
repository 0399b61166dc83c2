"""A simulation as lines for people: the country, then what differs, largest first."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_KINDS = {
    "region": "by region",
    "district": "by district (those that change)",
    "ground": "by ground",
}
_HEAD = (
    *("code", "before", "after", "gained", "lost"),
    *("tenge before", "tenge after", "change", "name"),
)
_WIDTHS = (10, 10, 10, 8, 8, 18, 18, 18)
_EXTENSIONS = {
    "asp_extensions": "awards of targeted social assistance extended",
    "disability_extensions": "disability terms extended",
    "payout_schedule": "monthly payouts",
}


def render(found: Mapping[str, Any]) -> list[str]:
    """Return a simulation as lines for people."""
    against = found["against"]
    run = against["run_id"] or "the law as it stands"
    changed = [
        f"{name}={value}"
        for part in ("policies", "parameters")
        for name, value in found[part].items()
    ]
    lines = [
        (
            f"{found['as_of']} with {', '.join(changed) or 'nothing changed'},"
            f" against {run} ({against['as_of']}); not official, not filed"
        ),
        "",
        "food sets",
        _columns(_HEAD),
        *(_figure(row) for row in found["figures"] if row["kind"] == "country"),
    ]
    for kind, title in _KINDS.items():
        rows = [row for row in found["figures"] if row["kind"] == kind]
        if kind == "district":
            rows = [row for row in rows if row["gained"] or row["lost"]]
        if rows:
            lines += ["", title, *map(_figure, rows)]
    lines += ["", "without an application"]
    lines += [
        f"  {_EXTENSIONS[row['kind']]}: {row['rows_before']} -> {row['rows_after']},"
        f" gained {row['gained']}, lost {row['lost']},"
        f" tenge {row['tenge_before']} -> {row['tenge_after']}"
        for row in found["extensions"]
    ]
    blocked = [
        f"  {row['region_kato']}: {row['blocked_before'] or 'published'}"
        f" -> {row['blocked_after'] or 'published'}"
        for row in found["regions"]
        if row["blocked_before"] != row["blocked_after"]
    ]
    if blocked:
        lines += ["", "regions whose publication changes", *blocked]
    budget = found["budget"]
    return [
        *lines,
        "",
        (
            f"budget of the sets: {budget['before']} -> {budget['after']} tenge"
            f" ({_signed(Decimal(budget['change']))})"
        ),
    ]


def _figure(row: Mapping[str, Any]) -> str:
    before, after = Decimal(row["tenge_before"]), Decimal(row["tenge_after"])
    return _columns(
        (
            row["code"],
            f"{row['people_before']}",
            f"{row['people_after']}",
            f"{row['gained']}",
            f"{row['lost']}",
            f"{before}",
            f"{after}",
            _signed(after - before),
            row["name"] or "",
        )
    )


def _signed(amount: Decimal) -> str:
    return f"{amount:+}" if amount else "0"


def _columns(cells: tuple[str, ...]) -> str:
    *numbers, name = cells
    aligned = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(numbers, _WIDTHS, strict=True))
    )
    return f"  {' '.join(aligned)}  {name}".rstrip()
