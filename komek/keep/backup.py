"""A copy of a home, taken while runs go on, and a home made of such a copy.

Nearly all in a home is never changed once it is there: snapshots, run files,
publications. These are copied first; then, quickly, the few that are replaced: the
chain, reports, and the link to what is published. Where the chain or that link has
moved on meanwhile, what is new is copied too, until the copy is of one moment. A copy
that is there already is only brought up to date.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from komek.base.errors import KomekError, UsageError, listed
from komek.base.files import make_private, private_files, put, writing_to
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.base.say import Say
from komek.publishing.publication import ChainHead
from komek.trust.audit import audit
from komek.trust.chain import chain_path, read_chain
from komek.trust.signatures import public_keys

BACKUP = "backup.json"
# What a home is made of; what else lies in its folder is not ours to copy.
_PARTS = ("landing", "warehouse", "published", "reports", "days")
# What belongs to processes that are at work, and to no other home.
_LEFT_OUT = ("warehouse/scratch", "warehouse/writer.lock", "warehouse/claim.json")
# What is replaced as runs end; all else is there once and for all.
_REPLACED = ("reports", "days", "warehouse/current")
_TRIES = 10


@dataclass(frozen=True)
class Copied:
    """What a backup or a restore has copied: files, bytes, the chain's head."""

    files: int
    bytes: int
    head: ChainHead | None

    def as_json(self) -> dict[str, int | str | None]:
        """Return it ready for JSON."""
        head = str(self.head) if self.head else None
        return {"files": self.files, "bytes": self.bytes, "chain_head": head}


def backup(home: Home, folder: Path, say: Say) -> Copied:
    """Copy a home into a folder, or bring the copy there up to date.

    Args:
        home: what is copied; nobody who writes to it waits.
        folder: where to; it is made if needed.
        say: takes lines for people.

    Raises:
        UsageError: there is no home, or the folder is in it, or holds something else.
        KomekError: the folder cannot be written, or the home never holds still.
    """
    target = Home(folder.resolve())
    _refuse_place(home, target)
    files = copied = 0
    with private_files(), writing_to(target):
        make_private(target.root)
        for _ in range(_TRIES):
            before = _state(home)
            for replaced in (False, True):
                for path in _paths(home, replaced=replaced):
                    size = _copy(home.root / path, target.root / path)
                    files, copied = files + (size is not None), copied + (size or 0)
            if _state(home) == before:
                break
            say("a run has ended meanwhile: copying what it left")
        else:
            raise KomekError(f"{home.root} never holds still: no backup was finished")
        _remove_gone(home, target)
        head = read_chain(target).head
        said = {
            "home": str(home.root),
            "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "chain_head": str(head) if head else None,
        }
        put(target.root / BACKUP, (json.dumps(said, indent=1) + "\n").encode())
        os.sync()
    say(f"{files} files, {copied:,} bytes copied to {target.root}; chain: {head}")
    return Copied(files, copied, head)


def restore(folder: Path, home: Home, say: Say) -> Copied:
    """Make an empty home of a backup, and hold it against its chain.

    Args:
        folder: the backup.
        home: where to; nothing may be there.
        say: takes lines for people.

    Raises:
        UsageError: the folder is no finished backup, or the home is not empty.
        KomekError: the home cannot be written, or is not what the chain says.
    """
    source = Home(folder.resolve())
    if not (source.root / BACKUP).is_file():
        raise UsageError(f"{source.root} is no finished backup: it has no {BACKUP}")
    if any((home.root / part).exists() for part in _PARTS):
        raise UsageError(
            f"{home.root} is a home already: a backup is restored into none"
        )
    files = copied = 0
    with writer_lock(home, "komek restore", say):
        for replaced in (False, True):
            for path in _paths(source, replaced=replaced):
                size = _copy(source.root / path, home.root / path)
                files, copied = files + (size is not None), copied + (size or 0)
        os.sync()
    found = audit(home, public_keys())
    say(f"{files} files, {copied:,} bytes restored to {home.root}; chain: {found.head}")
    if found.findings:
        raise KomekError(
            f"restored, but not all is what it was: {listed(found.findings, '; ')}"
        )
    return Copied(files, copied, found.head)


def _refuse_place(home: Home, target: Home) -> None:
    if not home.landing.is_dir():
        raise UsageError(f"there is no home {home.root}")
    if target.root.is_relative_to(home.root) or home.root.is_relative_to(target.root):
        raise UsageError(f"a backup of {home.root} cannot be kept in {target.root}")
    if target.root.is_dir():
        there = {path.name for path in target.root.iterdir()}
        others = there.difference(_PARTS, [BACKUP])
        if others:
            raise UsageError(f"{target.root} holds something else: {min(others)}")


def _state(home: Home) -> tuple[bytes, str]:
    """Return what moves when a run ends: the chain, and what is published."""
    chain = published = None
    with suppress(FileNotFoundError):
        chain = chain_path(home).read_bytes()
    with suppress(OSError):
        published = str(home.current.readlink())
    return chain or b"", published or ""


def _paths(home: Home, *, replaced: bool) -> Iterator[Path]:
    """Yield the files and links of a home, below it, of one of the two kinds.

    Of what is replaced, the link to what is published comes last.
    """
    found = []
    for folder, names, files in os.walk(home.root):
        below = Path(folder).relative_to(home.root)
        # Hidden names are scratch folders and locks.
        links = [name for name in names if (Path(folder) / name).is_symlink()]
        names[:] = sorted(
            name
            for name in names
            if name[0] != "." and name not in links and _belongs(below / name)
        )
        found += [
            below / name
            for name in sorted([*files, *links])
            if name[0] != "." and not name.endswith(".partial")
        ]
    for path in sorted(found, key=lambda path: (path.name == "current", path)):
        is_replaced = path.as_posix().startswith(_REPLACED)
        if _belongs(path) and is_replaced == replaced:
            yield path


def _belongs(path: Path) -> bool:
    is_part = path.parts[0] in _PARTS
    return is_part and not any(path.is_relative_to(out) for out in _LEFT_OUT)


def _copy(source: Path, target: Path) -> int | None:
    """Copy a file or link, unless it is there; return its bytes, None for nothing.

    What was taken away meanwhile is left out: nobody needs it any more.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        if source.is_symlink():
            return _copy_link(source, target, partial)
        there = source.stat()
        with suppress(FileNotFoundError):
            copy = target.stat()
            if (copy.st_size, copy.st_mtime_ns) == (there.st_size, there.st_mtime_ns):
                return None
        make_private(target.parent)
        shutil.copyfile(source, partial)
    except FileNotFoundError:
        if source.exists():
            raise
        return None
    os.utime(partial, ns=(there.st_atime_ns, there.st_mtime_ns))
    partial.replace(target)
    return there.st_size


def _copy_link(source: Path, target: Path, partial: Path) -> int | None:
    leads_to = source.readlink()
    if target.is_symlink() and target.readlink() == leads_to:
        return None
    make_private(target.parent)
    partial.unlink(missing_ok=True)
    partial.symlink_to(leads_to)
    partial.replace(target)
    return 0


def _remove_gone(home: Home, target: Home) -> None:
    """Take from a backup what is not in the home any more, now that it is whole."""
    there = {path for kind in (False, True) for path in _paths(home, replaced=kind)}
    for kind in (False, True):
        for path in _paths(target, replaced=kind):
            if path not in there:
                (target.root / path).unlink()
