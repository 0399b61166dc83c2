"""What landed snapshots may go: those that no kept run was decided from.

A receipt holds only as long as its run can be computed again. To take more away, take
away the reports of the runs first.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from komek.base import registries
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.base.say import Say
from komek.base.scratch import RUN
from komek.landing.revisions import remove_revisions
from komek.landing.snapshots import Snapshot, landed_revisions
from komek.runs.inputs import inputs_from_json
from komek.trust.receipts import read_receipt

# Entity, date, revision.
_Key = tuple[str, date, int]


def retire(home: Home, before: date, say: Say, *, dry_run: bool = False) -> list[str]:
    """Remove the landed revisions dated before a day that nobody needs.

    What stays, however old: each snapshot that a receipt or a run being built names,
    and the one dated before it (its volume was compared with that); the newest snapshot
    of each entity and the one before it. Where any revision of a date stays, the newest
    of that date stays too: a superseded one must not pass for what was delivered.

    The caller holds the writer lock. A crash leaves each revision whole or gone.

    Args:
        home: where the snapshots are.
        before: revisions of this day and later stay.
        say: gets a line per revision.
        dry_run: only say what would be removed.

    Returns:
        What was (or would be) removed, as `<entity>/<date>/r<revision>`.

    Raises:
        KomekError: a receipt or a manifest cannot be read; nothing was removed.
    """
    named = set(_named(home))
    unwanted = {
        entity.name: _unwanted(home, entity.name, before, named)
        for entity in registries.every_entity()
    }
    for entity, snapshots in unwanted.items():
        if snapshots and not dry_run:
            remove_revisions(home, entity, snapshots)
        for snapshot in snapshots:
            say(
                f"{entity} {snapshot.snapshot_date}: revision {snapshot.revision},"
                f" {snapshot.rows} rows, {'to be ' if dry_run else ''}removed"
            )
    return [
        snapshot.folder.relative_to(home.landing).as_posix()
        for snapshots in unwanted.values()
        for snapshot in snapshots
    ]


def _unwanted(
    home: Home, entity: str, before: date, named: set[_Key]
) -> list[Snapshot]:
    landed = landed_revisions(home, entity)
    newest = {snapshot.snapshot_date: snapshot for snapshot in landed}
    days = sorted(newest)
    used = {
        snapshot.snapshot_date for snapshot in landed if _key(snapshot) in named
    } | {*days[-1:]}
    compared = {
        days[place - 1] for place, day in enumerate(days) if place and day in used
    }
    kept = named | {_key(newest[day]) for day in used | compared}
    return [
        snapshot
        for snapshot in landed
        if snapshot.snapshot_date < before and _key(snapshot) not in kept
    ]


def _key(snapshot: Snapshot) -> _Key:
    return snapshot.entity, snapshot.snapshot_date, snapshot.revision


def _named(home: Home) -> Iterator[_Key]:
    """Yield what the receipts name, and what the runs being built read."""
    for path in sorted(home.reports.glob("*/receipt.json")):
        yield from _inputs(str(path), read_receipt(home, path.parent.name))
    for path in sorted(home.scratch.glob(f"*/{RUN}")):
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            # Killed while it wrote what it would read: it cannot go on.
            continue
        yield from _inputs(str(path), saved)


def _inputs(path: str, saved: Mapping[str, Any]) -> Iterator[_Key]:
    try:
        inputs = inputs_from_json(saved["inputs"])
    except (KeyError, ValueError):
        raise KomekError(f"{path} does not name the snapshots of its run") from None
    for given in inputs.snapshots:
        yield given.entity, given.snapshot_date, given.revision
