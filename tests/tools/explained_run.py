"""A finished run and who it explains."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from komek.base.places import Home
from komek.explain.person import explain
from komek.runs.filed import attached


@dataclass(frozen=True)
class Built:
    """A finished run and the home it lies in."""

    home: Home
    run_id: str

    @property
    def file(self) -> Path:
        return self.home.run_file(self.run_id)

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect() as connection, attached(connection, self.file):
            connection.execute("use run")
            rows = connection.execute(sql).fetchall()
            # The one in use cannot be detached.
            connection.execute("use memory")
            return rows

    def explain(self, iin: str) -> dict:
        return explain(self.home, iin, self.run_id)
