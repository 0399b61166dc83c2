"""One received zip: the files in it, each written out under a number of ours."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from komek.base.say import Say
from komek.landing.received import Refused, most_unpacked

_MAX_FILES = 10_000
_CHUNK = 4 << 20
_ENDINGS = (".csv", ".csv.gz", ".parquet", ".xlsx", ".ods", ".txt", ".tsv")
_DAMAGED = "is no whole zip: it cannot be unpacked"
_ENCRYPTED = 1


def members(
    received: Path,
    open_new: Callable[[Path], AbstractContextManager[BinaryIO]],
    say: Say,
) -> Iterator[tuple[str, Path, int, str]]:
    """Unpack the files of a zip beside it, and remove it.

    No name in it leads anywhere: what is unpacked is numbered.

    Args:
        received: the zip, private to the caller.
        open_new: opens a new file to write.
        say: takes what is ignored.

    Yields:
        Of each file its name in the zip, where its bytes are, how many, their sha256.

    Raises:
        Refused: it is no zip, damaged, encrypted, empty, or unpacks to too much.
        OSError: a file cannot be written.
    """
    most = left = most_unpacked(received)
    try:
        packed = zipfile.ZipFile(received)
    except zipfile.BadZipFile:
        raise Refused(_DAMAGED) from None
    with packed:
        for number, part in enumerate(_files(packed, say)):
            target = received.with_name(f"{received.name}-{number:05}")
            digest = hashlib.sha256()
            size = 0
            with open_new(target) as file:
                for chunk in _chunks(packed, part):
                    size += len(chunk)
                    if size > left:
                        raise Refused(f"unpacks to more than {most:,} bytes")
                    digest.update(chunk)
                    file.write(chunk)
            left -= size
            yield part.filename, target, size, digest.hexdigest()
    received.unlink()


def _files(packed: zipfile.ZipFile, say: Say) -> list[zipfile.ZipInfo]:
    found = []
    for part in packed.infolist():
        name = PurePosixPath(part.filename).name
        if part.is_dir() or name.startswith((".", "_")):
            continue
        if not part.filename.isprintable():
            raise Refused("has a file in it whose name is not printable")
        if part.flag_bits & _ENCRYPTED:
            raise Refused("is encrypted: its owner's password is not known here")
        if not name.lower().endswith(_ENDINGS):
            say(f"{part.filename}: not a part, ignored")
        elif part.file_size == 0:
            raise Refused(f"has {part.filename} in it, which is empty: zero bytes")
        else:
            found.append(part)
    if not found:
        raise Refused("is empty: a zip without a part")
    if len(found) > _MAX_FILES:
        raise Refused(f"has more than {_MAX_FILES:,} files in it")
    return sorted(found, key=lambda part: part.filename)


def _chunks(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with packed.open(part) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise Refused(_DAMAGED) from None
