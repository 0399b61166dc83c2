"""What the run decided on the rows that an explanation's decisions were made from."""

from collections.abc import Collection, Iterable
from functools import cached_property

from komek.explain.rows import Row, SourceRow
from komek.explain.run_tables import RunTables


class Judged:
    """Decisions of the run that others rest on, looked up by their source rows."""

    def __init__(self, tables: RunTables, rows: Collection[SourceRow]) -> None:
        """Take the run's tables and every source row of the explanation."""
        self._tables = tables
        self._rows = rows

    @cached_property
    def terms(self) -> dict[str, Row]:
        """Return what p17 decided on the terms among the rows, by term_id."""
        judged = self._of("marts.disability_extensions", "term_id")
        for term_id, row in self._of("law.p17_disability_extension", "term_id").items():
            judged[term_id]["examined_for"] = row.get("examined_for")
        return judged

    @cached_property
    def awards(self) -> dict[str, Row]:
        """Return what p12 decided on the awards among the rows, by award_id."""
        return self._of("marts.asp_extensions", "award_id")

    @cached_property
    def in_hand(self) -> dict[str, int]:
        """Return how many sets were in hand after each delivery of the person."""
        return {
            row["delivery_id"]: row["in_hand"]
            for row in self._tables.of_person("law.p30_deliveries", "delivery_id")
        }

    @cached_property
    def residents(self) -> frozenset[str]:
        """Return who lives in an institution for good, of those the rows name."""
        persons = self._values("persons", "iin")
        stays = self._tables.named(
            "facts.open_stays", "iin", [self._tables.iin, *persons]
        )
        return frozenset(row["iin"] for row in stays)

    def _of(self, table: str, key: str) -> dict[str, Row]:
        entity = {"term_id": "disability_terms", "award_id": "asp_awards"}[key]
        found = self._tables.named(table, key, self._values(entity, key))
        return {row[key]: row for row in found}

    def _values(self, entity: str, column: str) -> Iterable[str]:
        values = (row.values.get(column) for row in self._rows if row.entity == entity)
        return {value for value in values if value is not None}
