"""Landed snapshots: what the sources delivered, kept as it came.

A revision is a folder of one Parquet per received file and a manifest.json, moved into
its place whole; nothing that has landed is changed, and only retention removes it.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from komek import drop, received, received_csv, registries
from komek.drop import Copy, Delivery, Progress, Say, naming, reading
from komek.errors import StoppedError, listed
from komek.lock import writing_to
from komek.places import Home
from komek.received import Refused
from komek.registries import Entity

MANIFEST = "manifest.json"
# In an entity's folder, beside its dates.
_SCRATCH = ".landing"
_LOCK = ".lock"
_LANDED = re.compile(r"[0-9]{5,}[.]parquet")
_REVISION = re.compile(r"r([0-9]{4,})")


@dataclass(frozen=True)
class Snapshot:
    """One landed revision of an entity's snapshot."""

    entity: str
    snapshot_date: date
    revision: int
    folder: Path
    manifest: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Hash of the received bytes."""
        return self.manifest["sha256"]

    @property
    def rows(self) -> int:
        """Received data rows, malformed lines included."""
        return self.manifest["rows"]

    @property
    def files(self) -> list[dict[str, Any]]:
        """The manifest's entries, one per received file, in order of file name."""
        return self.manifest["files"]

    @property
    def paths(self) -> list[Path]:
        """The landed Parquet files, in the order of `files`."""
        return [self.folder / file["landed"] for file in self.files]


def land(
    home: Home,
    source: str | Path,
    entities: Sequence[str] | None = None,
    until: date | None = None,
    *,
    say: Say = lambda _: None,
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
        StoppedError: something was refused; the message lists each with its reason.
            All that could be landed has been.
        UnwritableError: the home cannot be written. What has landed until then stays.
    """
    if entities is None:
        entities = [entity.name for entity in registries.entities()]
    chosen = [registries.entity(name) for name in entities]
    folder = drop.open_drop(source)
    landing = _Landing(home, drop.shown_drop(source), say, progress or _no_progress)
    with landing.noting_refusal("the drop folder"):
        for name in drop.unknown_folders(folder):
            say(f"{name}: not an entity, ignored")
    with writing_to(home):
        for entity in chosen:
            with landing.noting_refusal(entity.name):
                landing.land_entity(folder, entity, until)
    if landing.refusals:
        raise StoppedError(f"refused at landing: {listed(landing.refusals, '; ')}")
    return landing.landed


def snapshots(home: Home, entity: str) -> list[Snapshot]:
    """Return the newest revision of each landed date, by date.

    Raises:
        StoppedError: a manifest cannot be read.
    """
    newest = [_newest(home, entity, day) for day in _days(home, entity)]
    return [snapshot for snapshot in newest if snapshot]


def revisions(home: Home, entity: str) -> list[Snapshot]:
    """Return every landed revision, superseded ones too, by date and revision.

    Raises:
        StoppedError: a manifest cannot be read.
    """
    return [
        revision_of(home, entity, day, revision)
        for day in _days(home, entity)
        for revision in _revisions(home, entity, day)
    ]


def remove(home: Home, entity: str, unwanted: Sequence[Snapshot]) -> None:
    """Remove landed revisions of an entity: each goes out of sight whole.

    What a crash leaves of them is in the scratch folder, gone with the next landing.
    """
    folder = home.entity(entity)
    with _only_one(folder), _scratch(folder) as scratch:
        for number, snapshot in enumerate(unwanted):
            day_folder = snapshot.folder.parent
            snapshot.folder.rename(scratch / f"{number:05}")
            _sync(day_folder)
            if not any(day_folder.iterdir()):
                day_folder.rmdir()
                _sync(folder)


def latest(home: Home, entity: str, known_at: date) -> Snapshot | None:
    """Return the snapshot that a run with this `known_at` uses, if there is any."""
    known = [s for s in snapshots(home, entity) if s.snapshot_date <= known_at]
    return known[-1] if known else None


def previous(home: Home, snapshot: Snapshot) -> Snapshot | None:
    """Return the entity's landed snapshot dated before this one, if there is any."""
    day = snapshot.snapshot_date
    before = [s for s in snapshots(home, snapshot.entity) if s.snapshot_date < day]
    return before[-1] if before else None


def revision_of(home: Home, entity: str, day: date, revision: int) -> Snapshot:
    """Return one landed revision, whatever has landed since.

    Raises:
        StoppedError: there is none, or its manifest cannot be read.
    """
    place = revision_folder(home, entity, day, revision)
    try:
        manifest = _manifest((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise StoppedError(
            f"{entity}: the manifest of {day}, revision {revision}, cannot be read"
        ) from None
    return Snapshot(entity, day, revision, place, manifest)


def _manifest(text: str) -> dict[str, Any]:
    """Return a manifest that says what every reader of one asks for.

    Raises:
        ValueError, RecursionError: it is not JSON, or no manifest.
    """
    manifest = json.loads(text)
    try:
        is_whole = isinstance(manifest["sha256"], str) and all(
            _LANDED.fullmatch(file["landed"])
            and {"file", "landed_sha256", "format", "columns"} <= file.keys()
            for file in manifest["files"]
        )
        rows = sum(file["rows"] for file in manifest["files"])
        is_whole = is_whole and rows == manifest["rows"]
    except (KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise ValueError("no manifest")
    return manifest


def revision_folder(home: Home, entity: str, day: date, revision: int) -> Path:
    """Return where a revision of an entity's snapshot lands."""
    return home.entity(entity) / str(day) / f"r{revision:04}"


def verify_snapshot(snapshot: Snapshot) -> list[str]:
    """Return the names of the landed files that are not what the manifest says.

    A file that is missing or cannot be read is one of them.
    """
    return [
        file["landed"]
        for file, path in zip(snapshot.files, snapshot.paths, strict=True)
        if _sha256(path) != file["landed_sha256"]
    ]


@dataclass
class _Landing:
    """One call of `land`, and what has come of it so far."""

    home: Home
    source: str
    say: Say
    progress: Progress
    landed: list[Snapshot] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @contextmanager
    def noting_refusal(self, name: str) -> Iterator[None]:
        """Note what is refused, and go on."""
        try:
            with naming(name):
                yield
        except Refused as error:
            self.refuse(f"{error.name}: {error}")
        except StoppedError as error:
            self.refuse(str(error))

    def refuse(self, what: str) -> None:
        self.refusals.append(what)
        self.say(f"refused: {what}")

    def land_entity(self, folder: Path, entity: Entity, until: date | None) -> None:
        with reading(entity.name):
            is_delivered = (folder / entity.name).is_dir()
        if not is_delivered:
            self.say(f"{entity.name}: nothing delivered")
            return
        deliveries, refusals = drop.deliveries(folder, entity, until, self.say)
        for refusal in refusals:
            self.refuse(refusal)
        with _only_one(self.home.entity(entity.name)):
            for delivery in deliveries:
                with self.noting_refusal(delivery.name):
                    self.land_delivery(delivery)

    def land_delivery(self, delivery: Delivery) -> None:
        """Land one snapshot as a new revision, unless its newest has the same bytes."""
        entity, day = delivery.entity, delivery.snapshot_date
        with _scratch(self.home.entity(entity.name)) as scratch:
            copies = drop.receive(
                delivery, scratch, _new_file, say=self.say, progress=self.progress
            )
            sha256 = _snapshot_sha256(delivery, copies)
            newest = _newest(self.home, entity.name, day)
            if newest and newest.sha256 == sha256:
                self.say(f"{entity.name} {day}: revision {newest.revision}, unchanged")
                return
            revision = newest.revision + 1 if newest else 1
            building = scratch / f"r{revision:04}"
            building.mkdir(mode=0o700)
            files = [
                self.land_file(copy, building / f"{number:05}.parquet", entity)
                for number, copy in enumerate(copies)
            ]
            manifest = {
                "entity": entity.name,
                "snapshot_date": day.isoformat(),
                "revision": revision,
                "source": f"{self.source}/{delivery.name}",
                "sha256": sha256,
                "bytes": sum(file["bytes"] for file in files),
                "rows": sum(file["rows"] for file in files),
                "malformed_rows": sum(file["malformed_rows"] for file in files),
                "files": files,
            }
            with _new_file(building / MANIFEST) as file:
                text = json.dumps(manifest, ensure_ascii=False, indent=2)
                file.write(text.encode())
            place = _move_into(building, self.home.entity(entity.name) / str(day))
        self.landed.append(Snapshot(entity.name, day, revision, place, manifest))
        self.say(
            f"{entity.name} {day}: revision {revision}, {manifest['rows']} rows,"
            f" {manifest['malformed_rows']} of them malformed"
        )

    def land_file(self, copy: Copy, target: Path, entity: Entity) -> dict[str, Any]:
        """Write a received copy as its landed Parquet; return its manifest entry."""
        malformed_rows = 0
        with naming(copy.name):
            if copy.format == "parquet":
                rows = received.check_parquet(copy.path)
                copy.path.rename(target)
            else:
                with _new_file(target) as file:
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
        columns = received.duckdb_columns(target)
        return {
            "file": copy.name,
            "landed": target.name,
            "sha256": copy.sha256,
            "landed_sha256": _sha256(target),
            "bytes": copy.bytes,
            "rows": rows,
            "malformed_rows": malformed_rows,
            "format": copy.format,
            "columns": [
                {"name": name, "type": kind}
                for name, kind in _named(columns, entity.column_names)
            ],
        }


def _no_progress(_doing: str, _done: int, _total: int) -> None:
    pass


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


def _days(home: Home, entity: str) -> list[date]:
    return sorted(filter(None, map(drop.parse_day, _names(home.entity(entity)))))


def _revisions(home: Home, entity: str, day: date) -> list[int]:
    names = _names(home.entity(entity) / str(day))
    return sorted(int(match[1]) for match in map(_REVISION.fullmatch, names) if match)


def _newest(home: Home, entity: str, day: date) -> Snapshot | None:
    landed = _revisions(home, entity, day)
    return revision_of(home, entity, day, landed[-1]) if landed else None


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


# Writing so that a crash leaves nothing half done, and nobody else reads it


@contextmanager
def _only_one(entity_folder: Path) -> Iterator[None]:
    """Land an entity in one process at a time; the others wait.

    What is in its scratch folder now was left there by a crash.
    """
    _make_private(entity_folder)
    with _open_private(entity_folder / _LOCK, os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(entity_folder / _SCRATCH, ignore_errors=True)
        yield


@contextmanager
def _scratch(entity_folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside the snapshots, gone afterwards."""
    scratch = entity_folder / _SCRATCH
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move_into(building: Path, day_folder: Path) -> Path:
    """Make a finished revision visible, whole and on disk."""
    _make_private(day_folder)
    _sync(building)
    place = day_folder / building.name
    building.rename(place)
    _sync(day_folder)
    return place


def _make_private(folder: Path) -> None:
    """Make a folder that is its owner's alone, and those above it that are missing."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new private file to write; it is on disk when closed."""
    with _open_private(path, os.O_CREAT | os.O_EXCL) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _open_private(path: Path, flags: int) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | flags, 0o600), "wb")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
