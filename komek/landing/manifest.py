"""What the manifest of a landed snapshot says: where it came from, file by file."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from komek.landing.received import Format

MANIFEST = "manifest.json"
_LANDED = re.compile(r"[0-9]{5,}[.]parquet")


@dataclass(frozen=True)
class LandedColumn:
    """A received column: its name, and its type in DuckDB's words."""

    name: str
    type: str


@dataclass(frozen=True)
class LandedFile:
    """A received file, and the Parquet it landed as.

    Attributes:
        file: its path in the drop.
        landed: the Parquet's name in the revision's folder.
        sha256: hash of the received bytes.
        landed_sha256: hash of the Parquet.
        bytes: how many were received.
        rows: received data rows, malformed lines included.
        malformed_rows: lines that did not split.
        format: how the received file is written.
        columns: what it has, a column of malformed lines left out.
    """

    file: str
    landed: str
    sha256: str
    landed_sha256: str
    bytes: int
    rows: int
    malformed_rows: int
    format: Format
    columns: tuple[LandedColumn, ...]


@dataclass(frozen=True)
class Manifest:
    """What a landed revision says of itself.

    Attributes:
        entity: whose snapshot it is.
        snapshot_date: the day it is of.
        revision: its number among those of the day, from 1.
        source: where it was delivered.
        sha256: hash of the received bytes.
        files: one per received file, in order of file name.
        seen: hash of what the source said of its version, where it says anything: what
            says the same is not read again.
    """

    entity: str
    snapshot_date: date
    revision: int
    source: str
    sha256: str
    files: tuple[LandedFile, ...]
    seen: str | None = None

    @property
    def rows(self) -> int:
        """Received data rows, malformed lines included."""
        return sum(file.rows for file in self.files)

    @property
    def malformed_rows(self) -> int:
        """How many of them are lines that did not split."""
        return sum(file.malformed_rows for file in self.files)

    @property
    def text(self) -> str:
        """The manifest as JSON."""
        said: dict[str, Any] = {
            "entity": self.entity,
            "snapshot_date": self.snapshot_date.isoformat(),
            "revision": self.revision,
            "source": self.source,
            "sha256": self.sha256,
            "bytes": sum(file.bytes for file in self.files),
            "rows": self.rows,
            "malformed_rows": self.malformed_rows,
            "files": [asdict(file) for file in self.files],
        }
        if self.seen is not None:
            said["seen"] = self.seen
        return json.dumps(said, ensure_ascii=False, indent=2)


def read_manifest(text: str) -> Manifest:
    """Return what a manifest's JSON says.

    Raises:
        ValueError, RecursionError: it is not JSON, or no manifest.
    """
    said = json.loads(text)
    try:
        manifest = Manifest(
            entity=said["entity"],
            snapshot_date=date.fromisoformat(said["snapshot_date"]),
            revision=said["revision"],
            source=said["source"],
            sha256=said["sha256"],
            files=tuple(_file(file) for file in said["files"]),
            seen=said.get("seen"),
        )
        is_whole = isinstance(manifest.sha256, str) and manifest.rows == said["rows"]
    except (KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise ValueError("no manifest")
    return manifest


def _file(said: dict[str, Any]) -> LandedFile:
    columns = tuple(LandedColumn(**column) for column in said["columns"])
    file = LandedFile(**{**said, "columns": columns})
    # It leads to a file of its own folder, and to no other.
    if not _LANDED.fullmatch(file.landed):
        raise ValueError("no manifest")
    return file
