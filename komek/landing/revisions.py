"""Revisions of a snapshot: built beside their place and moved there whole.

A crash leaves nothing half done, and nobody else reads what is written.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from komek.base.files import make_private, new_file, open_private, sync
from komek.base.places import Home
from komek.base.registries import Entity
from komek.base.scratch import LANDING, LANDING_LOCK
from komek.landing.manifest import MANIFEST, LandedFile, Manifest
from komek.landing.snapshots import Snapshot, newest_revision


def add_revision(
    home: Home,
    scratch: Path,
    entity: Entity,
    day: date,
    source: str,
    received_sha256: str,
    land_files: Callable[[Path], tuple[LandedFile, ...]],
    seen: str | None = None,
) -> tuple[Snapshot, bool]:
    """Land files as a new revision of a day, unless its newest is of the same bytes.

    Args:
        home: where it lands.
        scratch: the entity's scratch folder, held by the caller.
        entity: whose snapshot it is.
        day: the day it is of.
        source: where it is from.
        received_sha256: hash of what was received.
        land_files: writes the files into the folder it gets.
        seen: hash of what the source says of its version.

    Returns:
        The newest revision of the day, and whether it is new.
    """
    newest = newest_revision(home, entity.name, day)
    if newest and newest.sha256 == received_sha256:
        return newest, False
    revision = newest.revision + 1 if newest else 1
    building = scratch / f"r{revision:04}"
    building.mkdir(mode=0o700)
    manifest = Manifest(
        entity=entity.name,
        snapshot_date=day,
        revision=revision,
        source=source,
        sha256=received_sha256,
        files=land_files(building),
        seen=seen,
    )
    with new_file(building / MANIFEST) as file:
        file.write(manifest.text.encode())
    place = _move_into(building, home.entity(entity.name) / str(day))
    return Snapshot(place, manifest), True


def remove_revisions(home: Home, entity: str, unwanted: Sequence[Snapshot]) -> None:
    """Remove landed revisions of an entity: each goes out of sight whole.

    What a crash leaves of them is in the scratch folder, gone with the next landing.
    """
    folder = home.entity(entity)
    with only_one(folder), scratch_of(folder) as scratch:
        for number, snapshot in enumerate(unwanted):
            day_folder = snapshot.folder.parent
            snapshot.folder.rename(scratch / f"{number:05}")
            sync(day_folder)
            if not any(day_folder.iterdir()):
                day_folder.rmdir()
                sync(folder)


@contextmanager
def only_one(entity_folder: Path) -> Iterator[None]:
    """Land an entity in one process at a time; the others wait.

    What is in its scratch folder now was left there by a crash.
    """
    make_private(entity_folder)
    with open_private(entity_folder / LANDING_LOCK, os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(entity_folder / LANDING, ignore_errors=True)
        yield


@contextmanager
def scratch_of(entity_folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside the snapshots, gone afterwards."""
    scratch = entity_folder / LANDING
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move_into(building: Path, day_folder: Path) -> Path:
    """Make a finished revision visible, whole and on disk."""
    make_private(day_folder)
    sync(building)
    place = day_folder / building.name
    building.rename(place)
    sync(day_folder)
    return place
