"""What a finished run is for people: its list by region, what is blocked and why."""

from typing import Any

from komek.base import database
from komek.base.places import Home
from komek.publishing.publication import current_publication


def of_run(home: Home, run_id: str) -> dict[str, Any]:
    """Return the outcome of a finished run, ready for JSON.

    Keys: run_id, as_of, known_at, note, published (whether this run is what is
    published), file, recipients, amount_total, regions (each region_kato, name,
    recipients, amount_total, publication, blocked_by). Amounts are tenge, as text.
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
    }


def run_lines(outcome: dict[str, Any]) -> list[str]:
    """Return the lines that end `komek run`; blocked regions come last."""
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
    if outcome["note"]:
        lines.append(outcome["note"])
    where = outcome["folder"] if outcome["published"] else outcome["file"]
    said = "published in" if outcome["published"] else "not published, left in"
    lines.append(f"run {outcome['run_id']} of {outcome['as_of']}: {said} {where}")
    lines += [
        f"blocked: {region['region_kato']} ({region['blocked_by']})"
        for region in outcome["regions"]
        if region["blocked_by"]
    ]
    return lines


def _line(label: str, recipients: int, amount: str) -> str:
    whole, _, part = amount.partition(".")
    grouped = f"{int(whole):,}".replace(",", " ")
    counted = f"{recipients:,}".replace(",", " ")
    return f"{label:44.44}{counted:>12}{grouped + '.' + (part or '00'):>20}"
