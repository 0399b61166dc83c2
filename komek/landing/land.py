"""Landing: what the sources delivered is kept as it came, or refused by name.

A revision is built beside its place and moved there whole; nothing that has landed is
changed, and only retention removes it. Under KOMEK_KEY it is encrypted before it is
moved: while it is built, what was received lies readable in the scratch folder beside.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath

import duckdb

from komek.base import database, registries
from komek.base.errors import Refusal, RefusedError, StoppedError
from komek.base.files import new_file, sha256, writing_to
from komek.base.places import Home
from komek.base.registries import Entity
from komek.base.say import Progress, Say, no_progress, silent
from komek.landing import drop, received, received_book, received_csv
from komek.landing.complete import Complete, still_missing, version_seen
from komek.landing.dialect import AS_REGISTERED, Dialect
from komek.landing.drop import Copy, Delivery, DropPath, naming, reading
from komek.landing.letters import are_names, check_letters
from komek.landing.manifest import LandedColumn, LandedFile
from komek.landing.pattern import matching
from komek.landing.received import Refused
from komek.landing.revisions import add_revision, only_one, scratch_of
from komek.landing.snapshots import Snapshot, newest_revision, newest_snapshots
from komek.landing.templates import NamePattern


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
    landing = Landing(home, say, progress or no_progress)
    landing.tell_unknown(folder)
    place = Place(folder, drop.shown_drop(source))
    with writing_to(home):
        for entity in chosen:
            for refusal in landing.land_entity(place, entity, until):
                landing.refuse_for(entity, refusal)
    landing.end()
    return landing.landed


@dataclass(frozen=True)
class Place:
    """Where the files of a registry lie, and how they are named and written.

    Attributes:
        folder: where they lie.
        shown: the same for people and manifests.
        dialect: how they are written.
        complete: what shows that a delivery is whole.
        pattern: how they are named; None: `<entity>/<YYYY-MM-DD>`.
        remembers: whether what the file system says of a file's version is enough to
            know that it is the same; if not, its bytes are read.
    """

    folder: DropPath
    shown: str
    dialect: Dialect = AS_REGISTERED
    complete: Complete = field(default_factory=Complete)
    pattern: NamePattern | None = None
    remembers: bool = False


def found_in(
    place: Place, entity: Entity, until: date | None, say: Say
) -> tuple[list[Delivery], list[Refusal]]:
    """Return what a place has of an entity by date, and what its names refuse.

    Raises:
        Refused: it cannot be read.
    """
    if place.pattern:
        found, refusals = matching(place.folder, entity, place.pattern, until)
    else:
        with reading(entity.name):
            is_delivered = (place.folder / entity.name).is_dir()
        if not is_delivered:
            say(f"{entity.name}: nothing delivered")
            return [], []
        found, refusals = drop.deliveries(place.folder, entity, until, say)
    if place.pattern and not found and not refusals:
        say(f"{entity.name}: nothing delivered")
    return found, refusals


@dataclass
class Landing:
    """One pull, and what has come of it so far.

    What is still arriving is no refusal: it is left alone until it is whole.
    """

    home: Home
    say: Say
    progress: Progress
    landed: list[Snapshot] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    arriving: list[Refusal] = field(default_factory=list)
    unchanged: int = 0

    def end(self) -> None:
        """Say what was unchanged.

        Raises:
            RefusedError: something was refused.
        """
        if self.unchanged:
            self.say(f"{self.unchanged} snapshots unchanged")
        if self.refusals:
            raise RefusedError(self.refusals, len(self.landed))

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
        """Note that something is refused, and why."""
        self.refusals.append(what)
        self.say(f"refused: {what.text}")

    def refuse_for(self, entity: Entity, error: Refused) -> None:
        """Note that something of an entity's is refused, and why."""
        self.refuse(Refusal(entity.name, error.day, f"{error.name}: {error}"))

    def tell_unknown(self, folder: DropPath) -> None:
        """Tell of the folders in a drop that are no entity's."""
        with self.noting_refusal("the drop folder", None, None):
            for name in drop.unknown_folders(folder):
                self.say(f"{name}: not an entity, ignored")

    def land_entity(
        self,
        place: Place,
        entity: Entity,
        until: date | None,
        only: Sequence[str] | None = None,
    ) -> list[Refused]:
        """Land what a place has of an entity.

        Args:
            place: where it lies.
            entity: which.
            until: what is dated after it is not touched.
            only: the names of the deliveries to land; None is all of them, and so is
                the entity's own name.

        Returns:
            What was refused for what may pass: it is the caller's to try again, or to
            refuse. All else that is refused is noted.
        """
        passing: list[Refused] = []
        with self._noting(entity.name, entity, None, passing):
            deliveries, refusals = found_in(place, entity, until, self.say)
            for refusal in () if only else refusals:
                self.refuse(refusal)
            # What a crash left of the entity goes, delivered or not.
            if not (deliveries or self.home.entity(entity.name).exists()):
                return passing
            with only_one(self.home.entity(entity.name)):
                refuse_other_key(self.home, entity)
                for delivery in deliveries:
                    day = delivery.snapshot_date
                    if only and not {delivery.name, entity.name}.intersection(only):
                        continue
                    with self._noting(delivery.name, entity, day, passing):
                        self.land_delivery(place, delivery)
        return passing

    @contextmanager
    def _noting(
        self, name: str, entity: Entity, day: date | None, passing: list[Refused]
    ) -> Iterator[None]:
        with self.noting_refusal(name, entity, day):
            try:
                with naming(name):
                    yield
            except Refused as error:
                if not error.may_pass:
                    raise
                error.day = day
                passing.append(error)

    def land_delivery(self, place: Place, delivery: Delivery) -> None:
        """Land one snapshot as a new revision, unless its newest has the same bytes."""
        entity, day = delivery.entity, delivery.snapshot_date
        complete = place.complete
        lacking = still_missing(delivery, complete, datetime.now(UTC))
        if lacking:
            said = f"{delivery.name}: not complete yet, left alone: {lacking}"
            self.arriving.append(Refusal(entity.name, day, said))
            self.say(said)
            return
        seen = version_seen(delivery, datetime.now(UTC)) if place.remembers else None
        if self.is_known(entity, day, seen):
            return
        with scratch_of(self.home.entity(entity.name)) as scratch:
            copies = drop.receive(
                delivery,
                scratch,
                new_file,
                say=self.say,
                progress=self.progress,
                checksum=complete.checksum_of(delivery),
            )
            if complete.parts and len(copies) != complete.parts:
                raise Refused(f"has {len(copies)} parts, not {complete.parts}")
            landed, is_new = add_revision(
                self.home,
                scratch,
                entity,
                day,
                f"{place.shown}/{delivery.name}",
                _snapshot_sha256(delivery, copies),
                lambda building: tuple(
                    self.land_file(
                        copy, building / f"{number:05}.parquet", entity, place.dialect
                    )
                    for number, copy in enumerate(copies)
                ),
                seen,
            )
        self.note(landed, is_new=is_new)

    def is_known(self, entity: Entity, day: date, seen: str | None) -> bool:
        """Say whether a day's newest revision is what its source says it still is."""
        newest = newest_revision(self.home, entity.name, day) if seen else None
        is_known = newest is not None and newest.manifest.seen == seen
        self.unchanged += is_known
        return is_known

    def note(self, snapshot: Snapshot, *, is_new: bool) -> None:
        """Note what has landed, or that it had already."""
        if not is_new:
            self.unchanged += 1
            return
        self.landed.append(snapshot)
        self.say(
            f"{snapshot.entity} {snapshot.snapshot_date}: revision"
            f" {snapshot.revision}, {snapshot.rows} rows,"
            f" {snapshot.manifest.malformed_rows} of them malformed"
        )

    def land_file(
        self, copy: Copy, target: Path, entity: Entity, dialect: Dialect
    ) -> LandedFile:
        """Write a received copy as its landed Parquet."""
        malformed_rows = 0
        with naming(copy.name):
            if copy.format == "parquet":
                rows = received.check_parquet(copy.path, entity.column_names)
                copy.path.rename(target)
            else:
                with new_file(target) as file:
                    if copy.format in ("xlsx", "ods"):
                        rows, malformed_rows = received_book.write_book(
                            copy.path, file, entity, dialect
                        )
                    else:
                        rows, malformed_rows = received_csv.write_csv(
                            copy.path,
                            file,
                            copy.format,
                            entity.column_names,
                            encoding=dialect.encoding or entity.encoding,
                            columns=entity.columns,
                            dialect=dialect,
                            advance=lambda done: self.progress(
                                f"read {copy.name}", done, copy.bytes
                            ),
                        )
                copy.path.unlink()
            self.check_letters(copy.name, target, entity)
            return landed_file(copy, target, entity, rows, malformed_rows)

    def check_letters(self, name: str, target: Path, entity: Entity) -> None:
        """Warn of letters that give a wrong encoding away.

        Raises:
            Refused: they are too many.
        """
        if not are_names(entity):
            return
        for odd in check_letters(target, received.duckdb_columns(target), entity):
            self.say(f"warning: {name}: {odd}")


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


def refuse_other_key(home: Home, entity: Entity) -> None:
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
