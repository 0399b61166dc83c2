"""Whether all of a delivery has come, and whether it is what had come before.

What its owner said shows the one, what its file system says of the files the other.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from upath import UPath

from komek.base.say import silent
from komek.landing.drop import Delivery, DropPath, parts_of, reading, version_of
from komek.landing.templates import filled

# Some file systems tell times in seconds, by a clock that is not ours.
_SETTLED_SECONDS = 60


@dataclass(frozen=True)
class Complete:
    """What shows that a delivery is whole; all that is given must.

    Attributes:
        marker: the name of a file that is laid beside or into it at the end.
        checksum: the name of the checksum file of each of its files.
        parts: how many files it has.
        still_for: for how many seconds none of them has changed.
    """

    marker: str | None = None
    checksum: str | None = None
    parts: int | None = None
    still_for: float | None = None

    def checksum_of(self, delivery: Delivery) -> str | None:
        """Return how the checksum files of a delivery are named, but for `{name}`."""
        if self.checksum is None:
            return None
        return filled(
            self.checksum, delivery.snapshot_date, entity=delivery.entity.name
        )


def still_missing(delivery: Delivery, complete: Complete, now: datetime) -> str | None:
    """Return what a delivery still lacks, None where it is complete.

    Raises:
        Refused: it cannot be read.
    """
    with reading(delivery.name):
        return next(_missing(delivery, complete, now), None)


def _missing(delivery: Delivery, complete: Complete, now: datetime) -> Iterator[str]:
    day, path = delivery.snapshot_date, delivery.path
    if complete.marker:
        names = {"name": path.name, "entity": delivery.entity.name}
        marker = filled(complete.marker, day, **names)
        places = [path.parent, *([] if delivery.is_file else [path])]
        if not any((place / marker).exists() for place in places):
            yield f"its marker {marker} has not come"
    parts = parts_of(delivery, silent)
    checksum = complete.checksum_of(delivery)
    for file in parts.values() if checksum else ():
        name = (checksum or "").replace("{name}", file.name)
        if not (file.parent / name).is_file():
            yield f"its checksum file {name} has not come"
    # Of a zip, what is in it is counted when it has come.
    is_zip = delivery.is_file and path.name.lower().endswith(".zip")
    if complete.parts and len(parts) < complete.parts and not is_zip:
        yield f"{len(parts)} of its {complete.parts} parts have come"
    if complete.still_for is not None:
        changed = max(filter(None, map(_changed, parts.values())), default=None)
        if changed is None:
            yield "when it last changed is not told there"
        elif (now - changed).total_seconds() < complete.still_for:
            yield f"it has changed in the last {complete.still_for:g} seconds"


def version_seen(delivery: Delivery, now: datetime) -> str | None:
    """Return what tells this delivery from any other, as far as its file system knows.

    None where it does not know: a file that has changed this very minute may change
    again and have the same time.

    Raises:
        Refused: it cannot be read.
    """
    digest = hashlib.sha256()
    with reading(delivery.name):
        for name, path in parts_of(delivery, silent).items():
            changed = _changed(path)
            if changed is None or (now - changed).total_seconds() < _SETTLED_SECONDS:
                return None
            digest.update(repr((name, version_of(path))).encode())
    return digest.hexdigest()


def _changed(path: DropPath) -> datetime | None:
    if isinstance(path, Path) and not isinstance(path, UPath):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    path.fs.invalidate_cache()
    info = path.fs.info(path.path)
    for key in ("mtime", "LastModified", "last_modified", "created"):
        moment = info.get(key)
        if isinstance(moment, int | float):
            return datetime.fromtimestamp(moment, UTC)
        if isinstance(moment, datetime):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
