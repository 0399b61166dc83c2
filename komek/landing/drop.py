"""What lies in a drop folder, and a private copy of it.

A drop holds `<entity>/<YYYY-MM-DD>` as one file or as a folder of parts, or what an
owner calls its files (`pattern`). It is a local folder, or any that fsspec knows by its
URL.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from upath import UPath

from komek.base import registries
from komek.base.errors import KomekError, Refusal, UsageError
from komek.base.registries import Entity
from komek.base.say import Progress, Say
from komek.landing.checksums import Checksum, checksums, is_beside
from komek.landing.failures import is_of_a_source, told
from komek.landing.received import Format, Refused
from komek.landing.received_zip import members

# A file or folder here, or one of a file system that fsspec knows.
DropPath = Path | UPath
MAX_NAMES = 100_000
MAX_PARTS = 10_000
_CHUNK = 4 << 20
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATA_NAME = re.compile(
    r"(.*?)\.(csv\.gz|csv|parquet|xlsx|ods|zip)", re.DOTALL | re.IGNORECASE
)
_CHANGED = "changed while it was read"
# What remote file systems tell of a file's version, each in its own words.
_VERSION_KEYS = ("mtime", "created", "ino", "LastModified", "last_modified", "ETag")


@dataclass(frozen=True)
class Delivery:
    """A snapshot in the drop: a file, a folder of parts, or several files.

    Attributes:
        entity: whose it is.
        snapshot_date: the day it is of.
        path: the file or folder; of several files the first.
        folder: what stands before its name in the drop, with a slash, or nothing.
        is_file: whether it is one file.
        files: the files, where it is several.
    """

    entity: Entity
    snapshot_date: date
    path: DropPath
    folder: str
    is_file: bool
    files: tuple[DropPath, ...] = ()

    @property
    def name(self) -> str:
        """Its path in the drop."""
        return f"{self.folder}{self.path.name}"


@dataclass(frozen=True)
class Copy:
    """The received bytes of one file, private to this landing.

    Attributes:
        name: the file's path in the drop.
        path: where its bytes are now.
        bytes: how many.
        sha256: their hash.
    """

    name: str
    path: Path
    bytes: int
    sha256: str

    @property
    def format(self) -> Format:
        """How the file is written, by its name."""
        name = self.name.lower()
        whole: tuple[Literal["parquet", "xlsx", "ods"], ...] = (
            "parquet",
            "xlsx",
            "ods",
        )
        for known in whole:
            if name.endswith(f".{known}"):
                return known
        return "csv.gz" if name.endswith(".gz") else "csv"


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Name what is refused.

    Raises:
        Refused: with this name, unless a narrower one is known already.
    """
    try:
        yield
    except Refused as error:
        error.name = error.name or name
        raise


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Refuse, by name, what a source does not let be read.

    Only what touches the source belongs inside: that a copy cannot be written is no
    fault of what is delivered.

    Raises:
        Refused: with this name.
    """
    try:
        yield
    except (Refused, KomekError, MemoryError):
        raise
    except Exception as error:
        # Remote file systems let through what their libraries raise.
        if not is_of_a_source(error):
            raise
        reason, may_pass = told(error)
        raise Refused(f"cannot be read: {reason}", name, may_pass=may_pass) from None


def open_drop(source: str | Path) -> DropPath:
    """Return the drop folder.

    Raises:
        UsageError: there is none, or no package for its kind of URL.
    """
    text = os.fspath(source)
    shown = shown_drop(source)
    try:
        drop: DropPath = UPath(text) if "://" in text else Path(text)
        exists = drop.is_dir()
    except (ImportError, ValueError) as error:
        raise UsageError(f"drop folder {shown}: {error}") from None
    except OSError as error:
        raise UsageError(f"drop folder {shown}: {told(error)[0]}") from None
    if not exists:
        raise UsageError(f"there is no drop folder {shown}")
    return drop


def shown_drop(source: str | Path) -> str:
    """Return a drop for people and manifests: without a URL's user and password."""
    text = os.fspath(source)
    return printable(re.sub(r"://[^/]*@", "://", text)).rstrip("/")


def unknown_folders(drop: DropPath) -> list[str]:
    """Return the names of folders in the drop that are no entity's.

    Raises:
        Refused: the drop cannot be read.
    """
    known = {entity.name for entity in registries.entities()}
    with reading("the drop folder"):
        folders = [path.name for path in listing(drop) if path.is_dir()]
    return [printable(name) for name in folders if name not in known]


def deliveries(
    drop: DropPath, entity: Entity, until: date | None, say: Say
) -> tuple[list[Delivery], list[Refusal]]:
    """Return the snapshots of an entity by date, and what is refused by its name alone.

    Args:
        drop: the drop folder.
        entity: whose snapshots.
        until: later ones are left out.
        say: takes what is ignored.

    Returns:
        The snapshots delivered in one shape, and the refusals.

    Raises:
        Refused: the entity's folder cannot be read.
    """
    by_day: dict[date, list[Delivery]] = {}
    refusals: list[Refusal] = []
    with reading(entity.name):
        paths = listing(drop / entity.name)
    for path in paths:
        name = f"{entity.name}/{printable(path.name)}"
        data_name = _DATA_NAME.fullmatch(path.name)
        if not data_name and not (_DATE.fullmatch(path.name) and path.is_dir()):
            if is_beside(path.name):
                continue
            say(f"{name}: not a snapshot, ignored")
            continue
        day = parse_day(data_name[1] if data_name else path.name)
        if day is None:
            text = f"{name}: its name is not a date (YYYY-MM-DD)"
            # Of no day that anyone waits for.
            refusals.append(Refusal(entity.name, date.min, text))
        elif until is None or day <= until:
            found = Delivery(entity, day, path, f"{entity.name}/", bool(data_name))
            by_day.setdefault(day, []).append(found)
    refusals += two_shapes(by_day)
    single = [shapes[0] for shapes in by_day.values() if len(shapes) == 1]
    return sorted(single, key=lambda delivery: delivery.snapshot_date), refusals


def two_shapes(by_day: Mapping[date, Sequence[Delivery]]) -> Iterator[Refusal]:
    """Yield what is refused because one day is delivered more than once."""
    for day, shapes in sorted(by_day.items()):
        if len(shapes) > 1:
            names = " and ".join(shape.name for shape in shapes)
            entity = shapes[0].entity.name
            text = f"{entity}: {day} is delivered in two shapes: {names}"
            yield Refusal(entity, day, text)


def parse_day(name: str) -> date | None:
    """Return the date that a name is, if it is one."""
    try:
        return date.fromisoformat(name) if _DATE.fullmatch(name) else None
    except ValueError:
        return None


def receive(
    delivery: Delivery,
    folder: Path,
    open_new: Callable[[Path], AbstractContextManager[BinaryIO]],
    *,
    say: Say,
    progress: Progress,
    checksum: str | None = None,
) -> list[Copy]:
    """Copy a delivery's files into a folder, hashing them; of a zip, what is in it.

    Args:
        delivery: what to copy.
        folder: where to.
        open_new: opens a new file to write.
        say: takes what is ignored.
        progress: takes the bytes copied.
        checksum: how the checksum file of each is named, if not as usual.

    Returns:
        The copies, in order of file name.

    Raises:
        Refused: there is nothing, something is empty or cannot be read, it changes
            meanwhile, or is not what its checksum says.
        OSError: the copy cannot be written.
    """
    parts = parts_of(delivery, say)
    copies = []
    for number, (name, path) in enumerate(parts.items()):
        copy = folder / f"received-{number:05}"
        with naming(name):
            with reading(name):
                expected = checksums(path, checksum)
            with open_new(copy) as file:
                received = _copied(path, file, name, expected, progress)
            if name.lower().endswith(".zip"):
                copies += [
                    Copy(f"{name}/{member}", unpacked, size, sha256)
                    for member, unpacked, size, sha256 in members(copy, open_new, say)
                ]
            else:
                copies.append(Copy(name, copy, *received))
    if parts_of(delivery, lambda _: None).keys() != parts.keys():
        raise Refused(_CHANGED)
    return copies


def parts_of(delivery: Delivery, say: Say) -> dict[str, DropPath]:
    """Return the files of a delivery by their names in the drop, in order.

    Raises:
        Refused: it is a folder that cannot be read, or of none or too many.
    """
    if delivery.files:
        return {f"{delivery.folder}{path.name}": path for path in delivery.files}
    if delivery.is_file:
        return {delivery.name: delivery.path}
    parts = {}
    with reading(delivery.name):
        paths = listing(delivery.path)
    for path in paths:
        name = f"{delivery.name}/{path.name}"
        if is_beside(path.name):
            continue
        if not _DATA_NAME.fullmatch(path.name):
            say(f"{printable(name)}: not a part, ignored")
        elif not path.name.isprintable():
            raise Refused("its name is not printable", printable(name))
        else:
            parts[name] = path
    if len(parts) > MAX_PARTS:
        raise Refused(f"is a folder of more than {MAX_PARTS:,} parts")
    if not parts:
        raise Refused("is empty: a folder without a part")
    return parts


def _copied(
    path: DropPath,
    target: BinaryIO,
    name: str,
    expected: Sequence[Checksum],
    progress: Progress,
) -> tuple[int, str]:
    """Copy a file that holds still; return its size and sha256."""
    with reading(name):
        if not path.is_file():
            raise Refused("is not a regular file")
        size, version = version_of(path)
    if size == 0:
        raise Refused("is empty: zero bytes")
    digests = {kind: hashlib.new(kind) for kind in ("sha256", *_kinds(expected))}
    copied = 0
    for chunk in _chunks(path, name):
        for digest in digests.values():
            digest.update(chunk)
        target.write(chunk)
        copied += len(chunk)
        if copied > size:
            break
        progress(f"receive {name}", copied, size)
    with reading(name):
        if copied != size or version_of(path) != (size, version):
            raise Refused(_CHANGED)
    for one in expected:
        if digests[one.kind].hexdigest() != one.value:
            raise Refused(f"is not what its checksum file {one.file} says")
    return size, digests["sha256"].hexdigest()


def _kinds(expected: Sequence[Checksum]) -> list[str]:
    return [one.kind for one in expected]


def _chunks(path: DropPath, name: str) -> Iterator[bytes]:
    with reading(name), path.open("rb") as file:
        # Over SFTP a chunk would be asked for when the one before has come.
        prefetch = getattr(file, "prefetch", None)
        if prefetch:
            prefetch()
        while chunk := file.read(_CHUNK):
            yield chunk


def version_of(path: DropPath) -> tuple[int, tuple[str, ...]]:
    """Return a file's size, and what else is another when it has changed."""
    if isinstance(path, UPath):
        path.fs.invalidate_cache()
        info = path.fs.info(path.path)
        return info["size"], tuple(str(info.get(key)) for key in _VERSION_KEYS)
    stat = path.stat()
    times = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return stat.st_size, tuple(map(str, times))


def listing(folder: DropPath) -> list[DropPath]:
    """Return what a folder holds, by name; hidden and `_` names are not for us.

    Raises:
        Refused: it holds too many names.
        OSError: it cannot be read.
    """
    paths: Iterator[DropPath] = iter(folder.iterdir())
    found = list(islice(paths, MAX_NAMES + 1))
    if len(found) > MAX_NAMES:
        raise Refused(f"holds more than {MAX_NAMES:,} names")
    ours = [path for path in found if not path.name.startswith((".", "_"))]
    return sorted(ours, key=lambda path: path.name)


def printable(name: str) -> str:
    """Return a name that a terminal shows and does not obey."""
    return name if name.isprintable() else ascii(name)
