"""Files: private, written whole or not at all, on disk, and their hashes."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb

from komek.base.errors import UnwritableError
from komek.base.messages import CANNOT_WRITE, unwritten
from komek.base.places import Home


def files_sha256(files: Iterable[Path], root: Path) -> str:
    """Return one hash over the names (below `root`) and the bytes of files."""
    return named_sha256(
        {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    )


def named_sha256(contents: Mapping[str, bytes]) -> str:
    """Return one hash over names and what is under each."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


@contextmanager
def private_files() -> Iterator[None]:
    """Make what is written inside the owner's alone: files 0600, folders 0700.

    The mask is the process's: threads started inside have it too.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def writing_to(home: Home) -> Iterator[None]:
    """Say of a home that cannot be written that it cannot, and why.

    Raises:
        UnwritableError: its disk is full, or it is read-only.
    """
    try:
        yield
    except OSError as error:
        paths = [error.filename2, error.filename]
        named = [Path(path) for path in paths if isinstance(path, str)]
        ours = [path for path in named if path.is_relative_to(home.root)]
        if error.errno not in CANNOT_WRITE or (named and not ours):
            raise
        raise UnwritableError(
            f"cannot write {[*ours, home.root][0]}: {error.strerror}"
        ) from None
    except duckdb.Error as error:
        reason = unwritten(str(error))
        if reason is None:
            raise
        raise UnwritableError(reason) from None


def put(path: Path, content: bytes) -> None:
    """Write a file: killed on the way, it leaves the old one or none.

    Its folder is made if needed. Only one process may write it at a time.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def make_private(folder: Path) -> None:
    """Make a folder that is its owner's alone, and those above it that are missing."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync(folder.parent)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new private file to write; it is on disk when closed."""
    with open_private(path, os.O_CREAT | os.O_EXCL) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def open_private(path: Path, flags: int) -> BinaryIO:
    """Open a file of the owner's alone to write; `flags` are those of os.open."""
    return os.fdopen(os.open(path, os.O_WRONLY | flags, 0o600), "wb")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Put a folder and all below it on disk."""
    for below in folder.rglob("*"):
        sync(below)
    sync(folder)


def sha256_or_none(path: Path) -> str | None:
    """Return the hash of a file's bytes, None where it cannot be read."""
    try:
        return sha256(path)
    except OSError:
        return None
