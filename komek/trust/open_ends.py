"""What `komek status` tells of all that did not end in a publication, and why."""

from typing import Any

from komek.base import registries
from komek.base.claim import current_claim, is_left_behind
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.runs.days import last_landed, scheduled_days
from komek.runs.refusals import refusals_of
from komek.runs.stops import stops
from komek.trust.chain import receipt_paths
from komek.trust.receipts import read_receipt

# Of the days that a scheduler has pulled for: those that may still matter.
_LAST_DAYS = 14


def open_ends(home: Home) -> dict[str, Any]:
    """Return what is not done, ready for JSON; change nothing.

    Returns:
        `going_on`: the run that has claimed the home, what it waits for and whether it
        was left behind, or None; `refused`: what was refused when its registry was last
        pulled; `stopped`: what stopped the last run of a day that none was filed of
        since; `kept_back`: filed runs that a person rejected, or nobody approved;
        `waiting`: days that registries were pulled for, and that wait for others.
    """
    claim = current_claim(home)
    return {
        "going_on": {
            "owner": claim.owner,
            "run_id": claim.run_id,
            "since": claim.since.isoformat(timespec="seconds"),
            "waits_for": claim.waits_for,
            "left_behind": is_left_behind(claim),
        }
        if claim
        else None,
        "refused": [
            {
                "entity": entity.name,
                "date": refusal.day.isoformat() if refusal.day else None,
                "reason": refusal.text,
            }
            for entity in registries.entities()
            for refusal in refusals_of(home, entity.name)
        ],
        "stopped": [
            {
                "as_of": stop.as_of.isoformat(),
                "known_at": stop.known_at.isoformat(),
                "run_id": stop.run_id,
                "reason": stop.reason or "interrupted",
                "at": stop.at.isoformat(timespec="seconds"),
            }
            for stop in stops(home)
        ],
        "kept_back": _kept_back(home),
        "waiting": [
            {
                "day": found.day.isoformat(),
                "for": {
                    name: last_landed(home, name, found.day) for name in found.missing
                },
            }
            for found in scheduled_days(home)[-_LAST_DAYS:]
            if found.missing and not found.begun
        ],
    }


def _kept_back(home: Home) -> list[dict[str, str]]:
    found = []
    for run_id in receipt_paths(home):
        try:
            reason = read_receipt(home, run_id).get("kept_back")
        except KomekError:
            # The chain tells of it.
            continue
        if reason:
            found.append({"run_id": run_id, "reason": str(reason)})
    return found


def open_end_lines(state: dict[str, Any]) -> list[str]:
    """Return what is not done, as lines for people; nothing where all is."""
    going_on = state["going_on"]
    lines = []
    if going_on:
        run = going_on["run_id"] or "a run"
        waits_for = going_on["waits_for"]
        doing = f"waits for {waits_for}" if waits_for else "runs"
        left = ", left behind" if going_on["left_behind"] else ""
        lines.append(
            f"Going on: {run} {doing} since {going_on['since']}"
            f" ({going_on['owner']}{left})"
        )
    lines += [
        f"Waiting: {day['day']} for "
        + ", ".join(f"{name} ({last})" for name, last in day["for"].items())
        for day in state["waiting"]
    ]
    lines += [f"Refused: {one['reason']}" for one in state["refused"]]
    lines += [
        f"Stopped: {one['run_id'] or 'the run'} of {one['as_of']}, {one['at']}:"
        f" {one['reason']}"
        for one in state["stopped"]
    ]
    lines += [
        f"Filed, not published: run {one['run_id']}, {one['reason']}"
        for one in state["kept_back"]
    ]
    return lines
