"""What a run is made from: the newest snapshots it may know, or those it recorded."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

from komek.base import registries
from komek.base.errors import StoppedError, listed
from komek.base.places import Home
from komek.landing.snapshots import (
    Snapshot,
    latest_snapshot,
    previous_snapshot,
    revision_folder,
    revision_of,
    verify_snapshot,
)
from komek.landing.working_days import (
    WorkingDays,
    calendar_folder,
    landed_working_days,
)

# What official publications land themselves, for the runs of later days.
LISTS = "lists"


@dataclass(frozen=True)
class InputFile:
    """A received file of a snapshot: its path in the drop, data rows, hash."""

    file: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Before:
    """The entity's snapshot before: its rows, None where there was none."""

    rows: int | None


@dataclass(frozen=True)
class SnapshotInput:
    """A landed snapshot of a registry.

    Attributes:
        before: what its volume is compared with, where the run's result says that the
            comparison was passed over; None where it is no part of the run.
    """

    entity: str
    snapshot_date: date
    revision: int
    sha256: str
    files: tuple[InputFile, ...]
    before: Before | None = None

    def folder(self, home: Home) -> Path:
        """Return where it landed."""
        return revision_folder(home, self.entity, self.snapshot_date, self.revision)

    def landed(self, home: Home) -> Snapshot:
        """Return the snapshot as it lies there now.

        Raises:
            StoppedError: it is not there, or its manifest cannot be read.
        """
        return revision_of(home, self.entity, self.snapshot_date, self.revision)

    def as_json(self) -> dict[str, Any]:
        """Return it as receipts have it."""
        said: dict[str, Any] = {
            "entity": self.entity,
            "snapshot_date": self.snapshot_date.isoformat(),
            "revision": self.revision,
            "sha256": self.sha256,
            "files": [
                {"file": one.file, "rows": one.rows, "sha256": one.sha256}
                for one in self.files
            ],
        }
        return said | ({"previous_rows": self.before.rows} if self.before else {})


@dataclass(frozen=True)
class CalendarInput:
    """The calendar of working days, by the version of its package."""

    entity: ClassVar[str] = "working_days"
    version: str
    sha256: str

    def folder(self, home: Home) -> Path:
        """Return where it landed."""
        return calendar_folder(home, self.version)

    def as_json(self) -> dict[str, Any]:
        """Return it as receipts have it."""
        return {
            "entity": self.entity,
            "version": self.version,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class Inputs:
    """All that a run is made from, beside code and law: a receipt's `inputs`."""

    snapshots: tuple[SnapshotInput, ...]
    calendar: CalendarInput

    @property
    def all(self) -> tuple[SnapshotInput | CalendarInput, ...]:
        """Every input, in the order of receipts."""
        return (*self.snapshots, self.calendar)

    def of(self, entity: str) -> SnapshotInput:
        """Return the snapshot of an entity.

        Raises:
            KeyError: there is none among them.
        """
        return {given.entity: given for given in self.snapshots}[entity]

    def as_json(self) -> list[dict[str, Any]]:
        """Return them as receipts have them."""
        return [given.as_json() for given in self.all]


def inputs_from_json(said: Sequence[Mapping[str, Any]]) -> Inputs:
    """Return the inputs that a receipt names.

    Raises:
        ValueError: it names none.
    """
    try:
        (calendar,) = [one for one in said if one["entity"] == CalendarInput.entity]
        return Inputs(
            snapshots=tuple(_snapshot(one) for one in said if one is not calendar),
            calendar=CalendarInput(calendar["version"], calendar["sha256"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError("no inputs of a run") from None


def _snapshot(said: Mapping[str, Any]) -> SnapshotInput:
    return SnapshotInput(
        entity=said["entity"],
        snapshot_date=date.fromisoformat(said["snapshot_date"]),
        revision=said["revision"],
        sha256=said["sha256"],
        files=tuple(
            InputFile(one["file"], one["rows"], one["sha256"]) for one in said["files"]
        ),
        before=Before(said["previous_rows"]) if "previous_rows" in said else None,
    )


def inputs_of(
    home: Home,
    snapshots: Sequence[Snapshot],
    calendar: WorkingDays,
    *,
    with_volume: bool,
) -> Inputs:
    """Return landed snapshots and a calendar as the inputs of a run.

    `with_volume`: the checks that are passed over stand in the result, and volume is
    one; so what it is compared with is part of the run.
    """
    return Inputs(
        snapshots=tuple(
            SnapshotInput(
                entity=snapshot.entity,
                snapshot_date=snapshot.snapshot_date,
                revision=snapshot.revision,
                sha256=snapshot.sha256,
                files=tuple(
                    InputFile(one.file, one.rows, one.sha256) for one in snapshot.files
                ),
                before=Before(previous_rows(home, snapshot)) if with_volume else None,
            )
            for snapshot in snapshots
        ),
        calendar=CalendarInput(calendar.version, calendar.sha256),
    )


def newest_inputs(home: Home, as_of: date, known_at: date) -> list[Snapshot]:
    """Return the newest snapshot of every entity that the run may know.

    Of the lists that komek published itself (p26) that is the newest of a day before
    the one decided for; a home that has none starts with list 1.

    Raises:
        StoppedError: an entity has none.
    """
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
    before = min(known_at, as_of - timedelta(days=1))
    lists = latest_snapshot(home, LISTS, before)
    return [snapshot for snapshot in (*found.values(), lists) if snapshot is not None]


def recorded_inputs(home: Home, inputs: Inputs) -> tuple[list[Snapshot], WorkingDays]:
    """Return the snapshots and the calendar that a run before recorded.

    Raises:
        StoppedError: one is not there, or not what it was.
    """
    calendar = landed_working_days(home, inputs.calendar.version)
    order = {
        entity.name: place for place, entity in enumerate(registries.every_entity())
    }
    known = [given for given in inputs.snapshots if given.entity in order]
    known.sort(key=lambda given: order[given.entity])
    snapshots = [given.landed(home) for given in known]
    changed = [
        given.entity
        for given, found in zip(known, snapshots, strict=True)
        if found.sha256 != given.sha256
    ]
    if calendar.sha256 != inputs.calendar.sha256:
        changed.append(CalendarInput.entity)
    if changed:
        raise StoppedError(
            "what landed is not what the run recorded: " + ", ".join(changed)
        )
    return snapshots, calendar


def refuse_changed(snapshots: Sequence[Snapshot]) -> None:
    """Refuse landed files whose bytes are not what their manifests say.

    Raises:
        StoppedError: names the files.
    """
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


def previous_rows(home: Home, snapshot: Snapshot) -> int | None:
    """Return how many rows the entity's snapshot before had, None where none is."""
    before = previous_snapshot(home, snapshot)
    return before.rows if before else None
