"""What was received for a day, landed; or what had landed before, where it stands."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from komek.base.files import sha256
from komek.base.places import Home
from komek.base.registries import Entity
from komek.landing.dialect import Dialect
from komek.landing.drop import Copy
from komek.landing.land import Landing, landed_file
from komek.landing.manifest import LandedFile
from komek.landing.revisions import add_revision
from komek.landing.snapshots import Snapshot, latest_snapshot
from komek.sources.rows import Written


@dataclass(frozen=True)
class Rows:
    """Rows as they were received.

    Attributes:
        path: the Parquet file they are in.
        written: how many, and whether their letters are odd.
        source: where they are from, for the manifest.
        seen: hash of what the source says of its version, if it says anything.
    """

    path: Path
    written: Written
    source: str
    seen: str | None


def stands_for(home: Home, entity: Entity, day: date, seen: str) -> bool:
    """Say whether what a day would read has landed: its source says the same."""
    latest = latest_snapshot(home, entity.name, day)
    return latest is not None and latest.manifest.seen == seen


def carry_over(landing: Landing, entity: Entity, day: date, scratch: Path) -> None:
    """Let the latest snapshot stand for a day too: the same files, under another date.

    Nothing is read, and nothing is written twice.
    """
    latest = latest_snapshot(landing.home, entity.name, day)
    if latest is None or latest.snapshot_date == day:
        landing.unchanged += 1
        return
    _add(
        landing,
        entity,
        day,
        scratch,
        (latest.manifest.source, latest.sha256, latest.manifest.seen),
        _linking(latest),
    )


def land_rows(
    landing: Landing, entity: Entity, day: date, received: Rows, scratch: Path
) -> None:
    """Land rows as a new revision of a day, unless its newest has the same.

    Raises:
        Refused: letters in them give a wrong encoding away.
    """
    copy = Copy(
        f"{entity.name}/{day}.parquet",
        received.path,
        received.path.stat().st_size,
        sha256(received.path),
    )

    def land_it(building: Path) -> tuple[LandedFile, ...]:
        target = building / "00000.parquet"
        received.path.rename(target)
        if received.written.odd_letters:
            landing.check_letters(copy.name, target, entity)
        return (landed_file(copy, target, entity, received.written.rows, 0),)

    said = (received.source, copy.sha256, received.seen)
    _add(landing, entity, day, scratch, said, land_it)


def _add(
    landing: Landing,
    entity: Entity,
    day: date,
    scratch: Path,
    said: tuple[str, str, str | None],
    land_files: Callable[[Path], tuple[LandedFile, ...]],
) -> None:
    source, received_sha256, seen = said
    landed, is_new = add_revision(
        landing.home, scratch, entity, day, source, received_sha256, land_files, seen
    )
    landing.note(landed, is_new=is_new)


def _linking(snapshot: Snapshot) -> Callable[[Path], tuple[LandedFile, ...]]:
    def link(building: Path) -> tuple[LandedFile, ...]:
        for path in snapshot.paths:
            os.link(path, building / path.name)
        return snapshot.files

    return link


def land_copies(
    landing: Landing,
    entity: Entity,
    day: date,
    copies: Sequence[Copy],
    said: tuple[str, str | None, Dialect],
    scratch: Path,
) -> None:
    """Land received files as a new revision of a day, unless its newest has the same.

    Args:
        landing: the pull.
        entity: whose they are.
        day: the day they are of.
        copies: the files.
        said: where they are from, what the source says of its version, and how they
            are written.
        scratch: the entity's scratch folder.

    Raises:
        Refused: one cannot be landed.
    """
    source, seen, dialect = said
    received = hashlib.sha256("".join(copy.sha256 for copy in copies).encode())

    def land_them(building: Path) -> tuple[LandedFile, ...]:
        return tuple(
            landing.land_file(copy, building / f"{number:05}.parquet", entity, dialect)
            for number, copy in enumerate(copies)
        )

    whole = copies[0].sha256 if len(copies) == 1 else received.hexdigest()
    _add(landing, entity, day, scratch, (source, whole, seen), land_them)
