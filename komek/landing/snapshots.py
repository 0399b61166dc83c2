"""What has landed: snapshot revisions, found by entity and date, never written here.

A revision is a folder of one Parquet per received file and a manifest.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from komek.base.errors import StoppedError
from komek.base.files import sha256_or_none
from komek.base.places import Home
from komek.landing import drop
from komek.landing.manifest import MANIFEST, LandedFile, Manifest, read_manifest

_REVISION = re.compile(r"r([0-9]{4,})")


@dataclass(frozen=True)
class Snapshot:
    """One landed revision of an entity's snapshot: its folder and what it says."""

    folder: Path
    manifest: Manifest

    @property
    def entity(self) -> str:
        """Whose snapshot it is."""
        return self.manifest.entity

    @property
    def snapshot_date(self) -> date:
        """The day it is of."""
        return self.manifest.snapshot_date

    @property
    def revision(self) -> int:
        """Its number among those of the day, from 1."""
        return self.manifest.revision

    @property
    def sha256(self) -> str:
        """Hash of the received bytes."""
        return self.manifest.sha256

    @property
    def rows(self) -> int:
        """Received data rows, malformed lines included."""
        return self.manifest.rows

    @property
    def files(self) -> tuple[LandedFile, ...]:
        """One per received file, in order of file name."""
        return self.manifest.files

    @property
    def paths(self) -> list[Path]:
        """The landed Parquet files, in the order of `files`."""
        return [self.folder / file.landed for file in self.files]


def newest_snapshots(home: Home, entity: str) -> list[Snapshot]:
    """Return the newest revision of each landed date, by date.

    Raises:
        StoppedError: a manifest cannot be read.
    """
    newest = [newest_revision(home, entity, day) for day in _days(home, entity)]
    return [snapshot for snapshot in newest if snapshot]


def landed_revisions(home: Home, entity: str) -> list[Snapshot]:
    """Return every landed revision, superseded ones too, by date and revision.

    Raises:
        StoppedError: a manifest cannot be read.
    """
    return [
        revision_of(home, entity, day, revision)
        for day in _days(home, entity)
        for revision in _revisions(home, entity, day)
    ]


def latest_snapshot(home: Home, entity: str, known_at: date) -> Snapshot | None:
    """Return the snapshot that a run with this `known_at` uses, if there is any."""
    known = [s for s in newest_snapshots(home, entity) if s.snapshot_date <= known_at]
    return known[-1] if known else None


def previous_snapshot(home: Home, snapshot: Snapshot) -> Snapshot | None:
    """Return the entity's landed snapshot dated before this one, if there is any."""
    day = snapshot.snapshot_date
    before = [
        s for s in newest_snapshots(home, snapshot.entity) if s.snapshot_date < day
    ]
    return before[-1] if before else None


def revision_of(home: Home, entity: str, day: date, revision: int) -> Snapshot:
    """Return one landed revision, whatever has landed since.

    Raises:
        StoppedError: there is none, or its manifest cannot be read.
    """
    place = revision_folder(home, entity, day, revision)
    try:
        manifest = read_manifest((place / MANIFEST).read_text(encoding="utf-8"))
        named = (manifest.entity, manifest.snapshot_date, manifest.revision)
        if named != (entity, day, revision):
            raise ValueError("the manifest of another")
    except (OSError, ValueError, RecursionError):
        raise StoppedError(
            f"{entity}: the manifest of {day}, revision {revision}, cannot be read"
        ) from None
    return Snapshot(place, manifest)


def revision_folder(home: Home, entity: str, day: date, revision: int) -> Path:
    """Return where a revision of an entity's snapshot lands."""
    return home.entity(entity) / str(day) / f"r{revision:04}"


def verify_snapshot(snapshot: Snapshot) -> list[str]:
    """Return the names of the landed files that are not what the manifest says.

    A file that is missing or cannot be read is one of them.
    """
    return [
        file.landed
        for file, path in zip(snapshot.files, snapshot.paths, strict=True)
        if sha256_or_none(path) != file.landed_sha256
    ]


def _days(home: Home, entity: str) -> list[date]:
    return sorted(filter(None, map(drop.parse_day, _names(home.entity(entity)))))


def _revisions(home: Home, entity: str, day: date) -> list[int]:
    names = _names(home.entity(entity) / str(day))
    return sorted(int(match[1]) for match in map(_REVISION.fullmatch, names) if match)


def newest_revision(home: Home, entity: str, day: date) -> Snapshot | None:
    """Return the newest landed revision of a date, None where nothing landed."""
    landed = _revisions(home, entity, day)
    return revision_of(home, entity, day, landed[-1]) if landed else None


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []
