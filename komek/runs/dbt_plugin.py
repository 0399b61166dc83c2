"""How dbt gets at a run's file: a plugin of dbt-duckdb, which the profile names.

The profile attaches the file too (dbt wants to read its name there), but only where it
is not attached yet, and without a key: none is in what dbt knows, logs or writes.
"""

from pathlib import Path

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from komek.base import database, interrupts
from komek.base.errors import KomekError


class Plugin(BasePlugin):
    """Attaches the files of the profile; dbt-duckdb asks for a class of this name."""

    @property
    def _profile(self) -> DuckDBCredentials:
        if self.creds is None:
            raise KomekError("dbt gave its plugin no profile")
        return self.creds

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Set what every database has, and attach before dbt would.

        Once for the database: settings of the profile would be set again for every
        model, and DuckDB refuses that of a folder it has spilled into.
        """
        database.secure(conn)
        for attached in self._profile.attach or ():
            # By its real place: the link that the profile names goes before dbt does.
            file = Path(attached.path).resolve()
            database.configure(conn, database.spill_beside(file))
            database.attach(
                conn,
                Path(attached.path),
                str(attached.alias),
                read_only=attached.read_only,
            )

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Make the run's file what a name without a database is about.

        A model is built by a thread of dbt's: no signal reaches it there.
        """
        interrupts.watch(cursor)
        cursor.execute(f'use "{self._profile.database}"')
