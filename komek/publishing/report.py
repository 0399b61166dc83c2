"""What a finished run is for people: its list by region, what is blocked and why."""

from collections import defaultdict
from datetime import date
from typing import Any

from komek.base import database
from komek.base.places import Home
from komek.publishing.listed import ListOfMonth, lists_by_region
from komek.publishing.publication import current_publication


def of_run(home: Home, run_id: str) -> dict[str, Any]:
    """Return the outcome of a finished run, ready for JSON.

    Keys: run_id, as_of, known_at, note, published (whether this run is what is
    published), file, recipients, amount_total, regions (each region_kato, name,
    recipients, amount_total, publication, blocked_by), lists (of every month, each
    list_month, list_no, listed_on, listed, ended). Amounts are tenge, as text.
    """
    with database.connect(home.run_file(run_id), read_only=True) as connection:
        run = connection.execute(
            "select as_of, known_at, note from marts.run"
        ).fetchone() or (None, None, "")
        regions = connection.execute(
            "select status.region_kato, coalesce(min(places.name_ru), ''),"
            " min(status.recipients), cast(min(status.amount_total) as varchar),"
            " min(status.publication), min(status.blocked_by)"
            " from marts.region_status as status"
            " left join facts.territories as places"
            " on status.region_kato = places.kato group by status.region_kato"
            " order by status.region_kato"
        ).fetchall()
        total = connection.execute(
            "select coalesce(sum(recipients), 0), cast(coalesce(sum(amount_total), 0)"
            " as varchar) from marts.region_status"
        ).fetchone() or (0, "0")
        lists = lists_by_region(connection)
    current = current_publication(home)
    names = ("region_kato", "name", "recipients", "amount_total", "publication")
    return {
        "run_id": run_id,
        "as_of": str(run[0]),
        "known_at": str(run[1]),
        "note": run[2],
        "published": current is not None and current.run.run_id == run_id,
        "file": str(home.run_file(run_id)),
        "folder": str(home.published),
        "recipients": int(total[0]),
        "amount_total": total[1],
        "regions": [
            dict(zip((*names, "blocked_by"), region, strict=True)) for region in regions
        ],
        "lists": _lists(lists),
    }


def _lists(lists: list[ListOfMonth]) -> list[dict[str, Any]]:
    """Return the lists of every month, all regions together, ready for JSON."""
    counted: dict[tuple[date, int, date], list[int]] = defaultdict(lambda: [0, 0])
    for one in lists:
        sums = counted[one.list_month, one.list_no, one.listed_on]
        sums[0] += one.listed
        sums[1] += one.ended
    return [
        {
            "list_month": month.isoformat(),
            "list_no": number,
            "listed_on": day.isoformat(),
            "listed": listed,
            "ended": ended,
        }
        for (month, number, day), (listed, ended) in sorted(counted.items())
    ]


def run_lines(outcome: dict[str, Any]) -> list[str]:
    """Return the lines that end `komek run`; blocked regions come last.

    A run that is only filed says so.
    """
    lines = [""]
    if outcome["regions"]:
        lines.append(f"{'region':44}{'recipients':>12}{'tenge':>20}")
        lines += [
            _line(
                f"{region['region_kato']} {region['name']}",
                region["recipients"],
                region["amount_total"],
            )
            for region in outcome["regions"]
        ]
        lines.append(_line("total", outcome["recipients"], outcome["amount_total"]))
    lines += [
        f"list {one['list_no']} of {one['list_month'][:7]}, {one['listed_on']}:"
        f" {_grouped(one['listed'])} newcomers, {_grouped(one['ended'])} of them ended"
        for one in outcome["lists"]
    ]
    if outcome["note"]:
        lines.append(outcome["note"])
    where = outcome["folder"] if outcome["published"] else outcome["file"]
    said = "published in" if outcome["published"] else "filed, not published; left in"
    lines.append(f"run {outcome['run_id']} of {outcome['as_of']}: {said} {where}")
    lines += [
        f"blocked: {region['region_kato']} ({region['blocked_by']})"
        for region in outcome["regions"]
        if region["blocked_by"]
    ]
    return lines


def _line(label: str, recipients: int, amount: str) -> str:
    whole, _, part = amount.partition(".")
    tenge = f"{_grouped(int(whole))}.{part or '00'}"
    return f"{label:44.44}{_grouped(recipients):>12}{tenge:>20}"


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
