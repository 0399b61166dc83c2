"""Landing: what the sources delivered is kept as it came, or refused by name.

A revision is built beside its place and moved there whole; nothing that has landed is
changed, and only retention removes it. Under KOMEK_KEY it is encrypted before it is
moved: while it is built, what was received lies readable in the scratch folder beside.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

import duckdb

from komek.base import database, registries
from komek.base.errors import Refusal, RefusedError, StoppedError
from komek.base.files import (
    make_private,
    new_file,
    open_private,
    sha256,
    sync,
    writing_to,
)
from komek.base.places import Home
from komek.base.registries import Entity
from komek.base.say import Progress, Say, no_progress, silent
from komek.base.scratch import LANDING, LANDING_LOCK
from komek.landing import drop, received, received_csv
from komek.landing.drop import Copy, Delivery, DropPath, naming, reading
from komek.landing.letters import check_letters
from komek.landing.manifest import MANIFEST, LandedColumn, LandedFile, Manifest
from komek.landing.received import Refused
from komek.landing.snapshots import Snapshot, newest_revision, newest_snapshots


def land(
    home: Home,
    source: str | Path,
    entities: Sequence[str] | None = None,
    until: date | None = None,
    *,
    say: Say = silent,
    progress: Progress | None = None,
) -> list[Snapshot]:
    """Land every new snapshot of a drop folder.

    The bytes of a date's newest revision are not landed again; other bytes are a new
    revision. What is refused leaves no trace and does not stop the others.

    Args:
        home: where landed snapshots are kept.
        source: the drop folder: a path, or a URL of a file system that fsspec knows.
        entities: names of the entities to land; None is all of them.
        until: snapshots dated after it are not touched.
        say: takes one line per snapshot or ignored name, for people.
        progress: takes what is being done to which file, bytes done, bytes in all.

    Returns:
        The newly landed snapshots, by entity and date.

    Raises:
        UsageError: there is no such drop folder, or no such entity.
        RefusedError: something was refused; the message lists each with its reason.
            All that could be landed has been.
        UnwritableError: the home cannot be written. What has landed until then stays.
    """
    if entities is None:
        entities = [entity.name for entity in registries.entities()]
    chosen = [registries.entity(name) for name in entities]
    folder = drop.open_drop(source)
    landing = _Landing(home, drop.shown_drop(source), say, progress or no_progress)
    with landing.noting_refusal("the drop folder", None, None):
        for name in drop.unknown_folders(folder):
            say(f"{name}: not an entity, ignored")
    with writing_to(home):
        for entity in chosen:
            with landing.noting_refusal(entity.name, entity, None):
                landing.land_entity(folder, entity, until)
    if landing.unchanged:
        say(f"{landing.unchanged} snapshots unchanged")
    if landing.refusals:
        raise RefusedError(landing.refusals, len(landing.landed))
    return landing.landed


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


@dataclass
class _Landing:
    """One call of `land`, and what has come of it so far."""

    home: Home
    source: str
    say: Say
    progress: Progress
    landed: list[Snapshot] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    unchanged: int = 0

    @contextmanager
    def noting_refusal(
        self, name: str, entity: Entity | None, day: date | None
    ) -> Iterator[None]:
        """Note what is refused, and go on."""
        whose = entity.name if entity else None
        try:
            with naming(name):
                yield
        except Refused as error:
            self.refuse(Refusal(whose, day, f"{error.name}: {error}"))
        except StoppedError as error:
            self.refuse(Refusal(whose, day, str(error)))

    def refuse(self, what: Refusal) -> None:
        self.refusals.append(what)
        self.say(f"refused: {what.text}")

    def land_entity(self, folder: DropPath, entity: Entity, until: date | None) -> None:
        with reading(entity.name):
            is_delivered = (folder / entity.name).is_dir()
        if not is_delivered:
            self.say(f"{entity.name}: nothing delivered")
            return
        deliveries, refusals = drop.deliveries(folder, entity, until, self.say)
        for refusal in refusals:
            self.refuse(refusal)
        with only_one(self.home.entity(entity.name)):
            _refuse_other_key(self.home, entity)
            for delivery in deliveries:
                day = delivery.snapshot_date
                with self.noting_refusal(delivery.name, entity, day):
                    self.land_delivery(delivery)

    def land_delivery(self, delivery: Delivery) -> None:
        """Land one snapshot as a new revision, unless its newest has the same bytes."""
        entity, day = delivery.entity, delivery.snapshot_date
        with scratch_of(self.home.entity(entity.name)) as scratch:
            copies = drop.receive(
                delivery, scratch, new_file, say=self.say, progress=self.progress
            )
            landed, is_new = add_revision(
                self.home,
                scratch,
                entity,
                day,
                f"{self.source}/{delivery.name}",
                _snapshot_sha256(delivery, copies),
                lambda building: tuple(
                    self.land_file(copy, building / f"{number:05}.parquet", entity)
                    for number, copy in enumerate(copies)
                ),
            )
        if not is_new:
            self.unchanged += 1
            return
        self.landed.append(landed)
        self.say(
            f"{entity.name} {day}: revision {landed.revision}, {landed.rows} rows,"
            f" {landed.manifest.malformed_rows} of them malformed"
        )

    def land_file(self, copy: Copy, target: Path, entity: Entity) -> LandedFile:
        """Write a received copy as its landed Parquet."""
        malformed_rows = 0
        with naming(copy.name):
            if copy.format == "parquet":
                rows = received.check_parquet(copy.path, entity.column_names)
                copy.path.rename(target)
            else:
                with new_file(target) as file:
                    rows, malformed_rows = received_csv.write_csv(
                        copy.path,
                        file,
                        copy.format,
                        entity.column_names,
                        encoding=entity.encoding,
                        advance=lambda done: self.progress(
                            f"read {copy.name}", done, copy.bytes
                        ),
                    )
                copy.path.unlink()
            for odd in check_letters(target, received.duckdb_columns(target), entity):
                self.say(f"warning: {copy.name}: {odd}")
            return landed_file(copy, target, entity, rows, malformed_rows)


def landed_file(
    copy: Copy, target: Path, entity: Entity, rows: int, malformed_rows: int
) -> LandedFile:
    """Encrypt a landed Parquet, if there is a key, and return what is said of it."""
    columns = received.duckdb_columns(target)
    if database.encrypts():
        received.encrypt(target)
    return LandedFile(
        file=copy.name,
        landed=target.name,
        sha256=copy.sha256,
        landed_sha256=sha256(target),
        bytes=copy.bytes,
        rows=rows,
        malformed_rows=malformed_rows,
        format=copy.format,
        columns=tuple(
            LandedColumn(name, kind)
            for name, kind in _named(columns, entity.column_names)
        ),
    )


def add_revision(
    home: Home,
    scratch: Path,
    entity: Entity,
    day: date,
    source: str,
    received_sha256: str,
    land_files: Callable[[Path], tuple[LandedFile, ...]],
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
    )
    with new_file(building / MANIFEST) as file:
        file.write(manifest.text.encode())
    place = _move_into(building, home.entity(entity.name) / str(day))
    return Snapshot(place, manifest), True


def _refuse_other_key(home: Home, entity: Entity) -> None:
    """Refuse to go on where KOMEK_KEY, or its lack, does not open what has landed.

    Raises:
        UsageError: the entity's newest snapshot is encrypted under another key, or
            there is none.
        StoppedError: its manifest cannot be read.
    """
    newest = newest_snapshots(home, entity.name)[-1:]
    for path in [path for snapshot in newest for path in snapshot.paths[:1]]:
        # What is damaged or gone stops the run that reads it.
        if path.is_file() and database.is_encrypted_parquet(path):
            with suppress(duckdb.Error):
                received.duckdb_columns(path)


def _named(
    columns: Sequence[tuple[str, str]], declared: Sequence[str]
) -> Sequence[tuple[str, str]]:
    """Return columns with their names, unless a file without a header has rows there.

    Names come to light in reports: where none is a declared one, they are numbered.
    """
    if {name.lower() for name, _ in columns}.intersection(declared):
        return columns
    return [(f"column {place}", kind) for place, (_, kind) in enumerate(columns, 1)]


def _snapshot_sha256(delivery: Delivery, copies: Sequence[Copy]) -> str:
    """Return the one file's hash, or that of the parts' names and hashes."""
    if delivery.is_file:
        return copies[0].sha256
    lines = sorted(
        f"{PurePosixPath(copy.name).name} {copy.sha256}\n" for copy in copies
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


# Writing so that a crash leaves nothing half done, and nobody else reads it


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
