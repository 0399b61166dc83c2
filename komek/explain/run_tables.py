"""The tables of one run, as an explanation of one person looks things up in them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import duckdb

from komek.explain.blocks import Block
from komek.explain.rows import Row, records


@dataclass(frozen=True)
class RunTables:
    """A run's file, and what every look-up in it goes by.

    Attributes:
        connection: the run's file, open.
        iin: the person.
        context: the row of `facts.run_context`.
        list_drawn: whether the run drew a list of food sets.
        paragraphs: those with an edition in force for the run.
    """

    connection: duckdb.DuckDBPyConnection
    iin: str
    context: Row
    list_drawn: bool
    paragraphs: Collection[str]
    _looked_up: dict[tuple[str, ...], list[Row]] = field(default_factory=dict)

    def records(self, query: str, *values: object) -> list[Row]:
        """Return the rows of a query by column name."""
        return records(self.connection, query, values)

    def of_person(self, table: str, order: str, column: str = "iin") -> list[Row]:
        """Return a table's rows about the person; none where the run has none such.

        Runs of earlier versions lack the tables that came later.
        """
        if table not in self._names:
            return []
        asked = (table, order, column)
        if asked not in self._looked_up:
            self._looked_up[asked] = self.records(
                f"select * from {table} where {column} = ? order by {order}", self.iin
            )
        # Each who asks may put more into the rows.
        return [dict(row) for row in self._looked_up[asked]]

    def named(self, table: str, column: str, names: Iterable[str]) -> list[Row]:
        """Return a table's rows whose column is one of these."""
        wanted = sorted(set(names))
        if not wanted or table not in self._names:
            return []
        marks = ", ".join("?" * len(wanted))
        return self.records(
            f"select * from {table} where {column} in ({marks})", *wanted
        )

    def none(
        self, kind: str, table: str, paragraph: str, reason: str, *cites: int | None
    ) -> Block:
        """Return why nothing was decided."""
        if paragraph not in self.paragraphs:
            reason, cites = "no_edition", ()
        return Block(
            kind, table, f"{kind}|", paragraph, "not_candidate", reason, {}, cites
        )

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(
            f"{row['table_schema']}.{row['table_name']}"
            for row in self.records(
                "select table_schema, table_name from information_schema.tables"
                " where table_catalog = current_database()"
            )
        )
