"""A ledger: lines that are only ever appended, each with the hash of the one before.

The access log and the sign-offs of the portal are such ledgers. A line that is edited
or taken out fits no more, as with the chain of receipts; where there is a key to sign
with, each line is signed.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from komek.base.errors import UnwritableError
from komek.base.files import make_private
from komek.trust.signatures import sign

# What the ledger says of each entry itself.
_OWN = ("sequence", "previous", "sha256", "signed_by", "signature")
# More than the longest line.
_LAST = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A line of a ledger: its number from 1 on, its hash, and what it says."""

    sequence: int
    sha256: str
    said: Mapping[str, Any]


class Ledger:
    """A ledger in a file; several threads and processes may append."""

    def __init__(self, path: Path) -> None:
        """Take the place of the file; it is made by the first entry."""
        self.path = path

    def append(self, said: Mapping[str, Any]) -> Entry:
        """Append an entry: it is on disk when this returns.

        Raises:
            ValueError: it says something by a name that the ledger itself needs.
            UnwritableError: it cannot be written.
        """
        if not said.keys().isdisjoint(_OWN):
            raise ValueError("a name of the ledger's own")
        try:
            make_private(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                entry, line = _next(said, *_last(descriptor))
                os.write(descriptor, line)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnwritableError(
                f"cannot write {self.path}: {error.strerror}"
            ) from None
        return entry

    def entries(self) -> Iterator[Entry]:
        """Yield the entries that can be read, in order."""
        for _, entry in self._read():
            if entry is not None:
                yield entry

    def page(self, begin: int, most: int) -> tuple[list[Entry], int]:
        """Return entries from the newest on, after `begin` of them, and how many lines.

        Only the lines of the page are held against their hashes.
        """
        try:
            lines = self.path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return [], 0
        shown = lines[::-1][begin : begin + most]
        found = [entry for entry in map(_entry, shown) if entry is not None]
        return found, len(lines)

    def wrong(self) -> list[str]:
        """Return what is wrong with the ledger, in words."""
        found, previous = [], None
        for number, entry in self._read():
            if entry is None:
                found.append(f"line {number} of {self.path.name} was edited")
                previous = None
                continue
            if entry.sequence != number or (
                number > 1
                and previous is not None
                and entry.said["previous"] != previous
            ):
                found.append(
                    f"line {number} of {self.path.name} does not follow on the one"
                    " before"
                )
            previous = entry.sha256
        return found

    def _read(self) -> Iterator[tuple[int, Entry | None]]:
        try:
            lines = self.path.open("rb")
        except FileNotFoundError:
            return
        with lines:
            for number, line in enumerate(lines, start=1):
                yield number, _entry(line)


def _next(
    said: Mapping[str, Any], sequence: int, previous: str | None
) -> tuple[Entry, bytes]:
    told = {"sequence": sequence + 1, "previous": previous, **said}
    sha256 = _sha256(told)
    line = {**told, "sha256": sha256}
    if signed := sign(sha256):
        line |= {"signed_by": signed[0], "signature": signed[1]}
    text = json.dumps(line, ensure_ascii=False, sort_keys=True)
    return Entry(sequence + 1, sha256, told), text.encode() + b"\n"


def _sha256(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(line: bytes) -> Entry | None:
    """Return the entry that a line holds, None if it is not what its hash is of."""
    try:
        told = json.loads(line)
        sha256 = told["sha256"]
        said = {name: value for name, value in told.items() if name not in _OWN[2:]}
        held = _sha256(said) == sha256 and line.endswith(b"\n")
        return Entry(said["sequence"], sha256, said) if held else None
    except (ValueError, TypeError, KeyError):
        return None


def _last(descriptor: int) -> tuple[int, str | None]:
    """Return number and hash of the last line; of one that was cut, none.

    A line that is no line goes on to be seen: what follows it stands on nothing.
    """
    size = os.fstat(descriptor).st_size
    if not size:
        return 0, None
    tail = os.pread(descriptor, min(size, _LAST), max(0, size - _LAST))
    if not tail.endswith(b"\n"):
        os.write(descriptor, b"\n")
        tail += b"\n"
    entry = _entry(tail.rstrip(b"\n").rpartition(b"\n")[2] + b"\n")
    if entry is not None:
        return entry.sequence, entry.sha256
    whole = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return whole.count(b"\n"), None
