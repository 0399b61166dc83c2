"""The checksum that an owner lays beside a file: honoured wherever there is one."""

import re
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from komek.landing.received import Refused

_LENGTHS = {"sha256": 64, "md5": 32}
_MAX_BYTES = 1 << 20
_MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class Checksum:
    """What a file's bytes hash to, as its owner says.

    Attributes:
        kind: `sha256` or `md5`.
        value: the hash, in hex.
        file: the name of the file that says so.
    """

    kind: str
    value: str
    file: str


def is_beside(name: str) -> bool:
    """Say whether a name is that of a checksum file, by its ending."""
    return name.lower().endswith(tuple(f".{kind}" for kind in _LENGTHS))


def checksums(path: Path | UPath, named: str | None = None) -> list[Checksum]:
    """Return what lies beside a file about its bytes.

    Args:
        path: the file.
        named: the name of a checksum file that must be there, `{name}` the file's.

    Raises:
        Refused: a checksum file says nothing about the file.
        OSError: it cannot be read.
    """
    names = {f"{path.name}.{kind}" for kind in _LENGTHS}
    if named:
        names.add(named.replace("{name}", path.name))
    # Beside a name as long as names may be lies no longer one.
    fitting = [name for name in sorted(names) if len(name.encode()) <= _MAX_NAME_BYTES]
    beside = [path.parent / name for name in fitting]
    return [_checksum(file, path.name) for file in beside if file.is_file()]


def _checksum(file: Path | UPath, name: str) -> Checksum:
    with file.open("rb") as opened:
        lines = opened.read(_MAX_BYTES).decode(errors="replace").splitlines()
    about = [line for line in lines if name in line] or lines
    for kind, length in _LENGTHS.items():
        pattern = rf"(?<![0-9A-Fa-f])[0-9A-Fa-f]{{{length}}}(?![0-9A-Fa-f])"
        found = {match.lower() for line in about for match in re.findall(pattern, line)}
        if len(found) == 1:
            return Checksum(kind, found.pop(), file.name)
    raise Refused(f"has a checksum file {file.name} that says nothing about it")
