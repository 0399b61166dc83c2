"""What a run is made from: the newest snapshots it may know, or those it recorded."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from komek.base import registries
from komek.base.errors import StoppedError, listed
from komek.base.places import Home
from komek.landing.snapshots import (
    Snapshot,
    latest_snapshot,
    previous_snapshot,
    revision_of,
    verify_snapshot,
)
from komek.landing.working_days import WorkingDays, landed_working_days
from komek.runs.run import Request


def newest_inputs(home: Home, known_at: date) -> list[Snapshot]:
    """Return the newest snapshot of every entity that the run may know."""
    found = {
        entity.name: latest_snapshot(home, entity.name, known_at)
        for entity in registries.entities()
    }
    absent = [name for name, snapshot in found.items() if snapshot is None]
    if absent:
        raise StoppedError(
            f"no snapshot dated {known_at} or before in {home.landing}: "
            + ", ".join(absent)
        )
    return [snapshot for snapshot in found.values() if snapshot is not None]


def recorded_inputs(
    home: Home, inputs: Sequence[Mapping[str, Any]]
) -> tuple[list[Snapshot], WorkingDays]:
    """Return the snapshots and the calendar that a run before recorded."""
    by_entity = {recorded["entity"]: recorded for recorded in inputs}
    calendar = landed_working_days(home, by_entity["working_days"]["version"])
    snapshots = [
        revision_of(
            home,
            entity.name,
            date.fromisoformat(by_entity[entity.name]["snapshot_date"]),
            by_entity[entity.name]["revision"],
        )
        for entity in registries.entities()
        if entity.name in by_entity
    ]
    changed = [
        found.entity
        for found in snapshots
        if found.sha256 != by_entity[found.entity]["sha256"]
    ]
    if calendar.sha256 != by_entity["working_days"]["sha256"]:
        changed.append("working_days")
    if changed:
        raise StoppedError(
            "what landed is not what the run recorded: " + ", ".join(changed)
        )
    return snapshots, calendar


def refuse_changed(snapshots: Sequence[Snapshot]) -> None:
    """Refuse landed files whose bytes are not what their manifests say."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        changed = [
            f"{snapshot.folder / name}"
            for snapshot, names in zip(
                snapshots, pool.map(verify_snapshot, snapshots), strict=True
            )
            for name in names
        ]
    if changed:
        raise StoppedError(
            f"landed files are not what their manifest says: {listed(changed)}"
        )


def described(
    home: Home,
    request: Request,
    snapshots: Sequence[Snapshot],
    calendar: WorkingDays,
) -> list[dict[str, Any]]:
    """Return all that a run is made from, as its receipt names it."""
    inputs = [_input(snapshot) for snapshot in snapshots]
    if request.override:
        # The checks that are passed over stand in the result, and volume is one.
        for recorded, snapshot in zip(inputs, snapshots, strict=True):
            recorded["previous_rows"] = previous_rows(home, snapshot)
    return [
        *inputs,
        {
            "entity": "working_days",
            "version": calendar.version,
            "sha256": calendar.sha256,
        },
    ]


def _input(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "entity": snapshot.entity,
        "snapshot_date": snapshot.snapshot_date.isoformat(),
        "revision": snapshot.revision,
        "sha256": snapshot.sha256,
        "files": [
            {
                "file": file["file"],
                "rows": file["rows"],
                "sha256": file["sha256"],
            }
            for file in snapshot.files
        ],
    }


def previous_rows(home: Home, snapshot: Snapshot) -> int | None:
    """Return how many rows the entity's snapshot before had, None where none is."""
    before = previous_snapshot(home, snapshot)
    return before.rows if before else None
