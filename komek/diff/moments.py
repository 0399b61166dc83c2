"""What happened between two days, of the changes that time caused: turned 6, ran out.

Asked are the source rows behind a change (`touched`), in the state before and after.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from komek.base import registries
from komek.diff.steps import State
from komek.runs.landed_views import ROWS_PER_FILE

# Days that nothing is decided by, and the lists, which say what was decided.
_SILENT = ("birth_date", "contacted_on", "list_month", "listed_on", "month")


@dataclass(frozen=True)
class Days:
    """The days that two runs decide for."""

    first: date
    second: date

    @property
    def in_order(self) -> dict[str, date]:
        """The earlier and the later."""
        earlier, later = sorted((self.first, self.second))
        return {"earlier": earlier, "later": later}


def keep_moments(
    connection: duckdb.DuckDBPyConnection,
    before: State,
    after: State,
    days: Days,
    *,
    is_after: bool,
) -> None:
    """Keep what happened, as one of the states has it, which is attached as `run`.

    Args:
        connection: the comparison's database.
        before: the state before the step that is time.
        after: the state after it.
        days: the two days.
        is_after: which of them is attached.
    """
    side = {"is_after": is_after, **days.in_order}
    touched = connection.execute(
        "select distinct entity from touched where cause = 'time' and is_after = ?",
        [is_after],
    ).fetchall()
    for (name,) in sorted(touched):
        entity = registries.entity(name)
        columns = [
            column.name
            for column in entity.columns
            if column.type == "date" and column.name not in _SILENT
        ]
        if columns and not entity.internal:
            query = _query("happened").format(
                entity=name, columns=", ".join(columns), rows_per_file=ROWS_PER_FILE
            )
            connection.execute(query, {"entity": name, **side})
        if name == "persons":
            query = _query("birthdays").format(rows_per_file=ROWS_PER_FILE)
            connection.execute(query, side)
    if is_after:
        names = {"before": before.name, "after": after.name}
        connection.execute(_query("moments"), {**names, **days.in_order})


def _query(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
