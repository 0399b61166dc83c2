"""Papers that were made, and the publication they were made from."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from komek.base.places import Home


@dataclass(frozen=True)
class Papers:
    """A home with a publication, and all its papers in Russian."""

    home: Home
    folder: Path
    notes: dict[str, str]

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.home.published_warehouse), read_only=True)
