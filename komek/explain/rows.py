"""Source rows of an explanation: found through the lineage, read as they were received.

A row is read by its place: the row groups that hold it and no other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from komek.base import database, registries
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.runs.landed_views import ROWS_PER_FILE
from komek.trust.contents import EVIDENCE

Row = dict[str, Any]


class Place(NamedTuple):
    """Where a source row is: entity, received file, row number in it (from 1)."""

    entity: str
    file: str
    row_number: int


@dataclass(frozen=True)
class SourceRow:
    """A received row: its tag in the explanation and its values as text."""

    tag: int
    entity: str
    values: Mapping[str, str | None]

    def day(self, column: str) -> date | None:
        """Return a date of the row, None where there is none."""
        text = self.values.get(column)
        return date.fromisoformat(text[:10]) if text else None


@dataclass
class Citations:
    """The rows each decision cites; places are told apart, not repeated."""

    connection: duckdb.DuckDBPyConnection
    iin: str
    _places: dict[tuple[str, str], set[Place]] = field(default_factory=dict)
    _files: dict[int, tuple[str, str]] = field(default_factory=dict)

    def of(self, table: str, key: str) -> set[Place]:
        """Return the places a decision cites."""
        return self._places.get((table, key), set())

    def from_lineage(self, decided: Iterable[tuple[str, str]]) -> None:
        """Take up what the lineage has for pairs of mart and row key."""
        keys: dict[str, list[str]] = defaultdict(list)
        for table, key in decided:
            keys[table].append(key)
        # A mart at a time, so that its part of the lineage is read and no other; a list
        # is pushed down to it, a subquery is not.
        for table, row_keys in keys.items():
            marks = ", ".join("?" * len(row_keys))
            # Evidence that names the person is found far sooner; runs of earlier
            # versions have none that does, and of some marts nobody is spoken.
            with suppress(duckdb.BinderException, duckdb.CatalogException):
                evidence = self.connection.execute(
                    f"select row_key, source_row from marts.{EVIDENCE}{table}"
                    f" where iin = ? and row_key in ({marks})",
                    [self.iin, *row_keys],
                ).fetchall()
                for key, source_row in evidence:
                    self.cite(table, key, [source_row])
                continue
            for key, *place in self.connection.execute(
                "select row_key, entity, file, row_number from marts.lineage where"
                f" table_name = ? and row_key in ({marks})",
                [table, *row_keys],
            ).fetchall():
                self._places.setdefault((table, key), set()).add(Place(*place))

    def cite(self, table: str, key: str, source_rows: Iterable[int | None]) -> None:
        """Cite source rows, by their numbers in the run, where nothing was decided."""
        for source_row in source_rows:
            place = self.place(source_row)
            if place is not None:
                self._places.setdefault((table, key), set()).add(place)

    def place(self, source_row: int | None) -> Place | None:
        """Return where a source row is, by its number in the run."""
        if source_row is None:
            return None
        if not self._files:
            self._files = {
                number: (entity, file)
                for number, entity, file in self.connection.execute(
                    "select file_no, entity, file from landing.landed_files"
                ).fetchall()
            }
        number, row_number = divmod(source_row, ROWS_PER_FILE)
        return Place(*self._files[number], row_number)

    def places(self) -> list[Place]:
        """Return every place once, by entity in the registry table's order."""
        order = {entity.name: n for n, entity in enumerate(registries.every_entity())}
        found = {place for places in self._places.values() for place in places}
        return sorted(found, key=lambda place: (order[place.entity], place[1:]))


def records(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> list[Row]:
    """Return the rows of a query by column name, dates as they are."""
    cursor = connection.execute(query, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def as_json(value: object) -> Any:  # noqa: ANN401  (whatever JSON takes)
    """Return a value as JSON takes it: dates ISO, amounts as text."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def read_rows(
    connection: duckdb.DuckDBPyConnection, home: Home, places: Sequence[Place]
) -> dict[Place, dict[str, str | None]]:
    """Read rows from the landed files: every declared column they have, as text.

    Raises:
        KomekError: a landed file is gone, or has no such row.
    """
    landed = {
        (entity, file): path
        for entity, file, path in connection.execute(
            "select entity, file, landed_path from landing.landed_files"
        ).fetchall()
    }
    wanted: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place in places:
        wanted[place.entity, place.file].append(place.row_number)
    found: dict[Place, dict[str, str | None]] = {}
    for (entity, file), numbers in wanted.items():
        path = home.root / landed[entity, file]
        # By number of row: only the row groups that hold them are read.
        for row in records(
            connection,
            f"select file_row_number, {_texts(connection, entity, path)}"
            f" from {_numbered(path)}"
            f" where file_row_number in ({', '.join('?' * len(numbers))})",
            [number - 1 for number in numbers],
        ):
            number = row.pop("file_row_number") + 1
            found[Place(entity, file, number)] = row
    absent = {place.entity for place in places if place not in found}
    if absent:
        raise KomekError(
            f"the landed files of {', '.join(sorted(absent))} are not those of the run"
        )
    return found


def register_row(
    connection: duckdb.DuckDBPyConnection, home: Home, iin: str
) -> list[Place]:
    """Return where the population register has a person (no row, one, or copies)."""
    return _rows_about(connection, home, "persons", "iin", iin)


def set_aside(
    connection: duckdb.DuckDBPyConnection, home: Home, iin: str
) -> dict[Place, list[str]]:
    """Return the rows about a person that went to quarantine, with the reasons."""
    found: dict[Place, list[str]] = {}
    for row in records(
        connection,
        "select entity, file, row_number, reason from marts.quarantine"
        " where contains(concat('|', key, '|'), ?) order by all",
        [f"|{iin}|"],
    ):
        place = Place(row["entity"], row["file"], row["row_number"])
        found.setdefault(place, []).append(row["reason"])
    # Of these the key does not say whom they are about.
    others = [
        entity
        for entity in registries.entities()
        if entity.iin_column and entity.iin_column not in entity.key
    ]
    try:
        aside = connection.execute(
            " union all ".join(
                "select files.entity, files.file, rejected.source_row"
                f" % {ROWS_PER_FILE}, rejected.reason"
                f" from staging.rejected_{entity.name} as rejected"
                " inner join landing.landed_files as files"
                f" on rejected.source_row // {ROWS_PER_FILE} = files.file_no"
                " where rejected.about = $iin"
                for entity in others
            )
            + " order by all",
            {"iin": iin},
        ).fetchall()
    except duckdb.BinderException:
        # Runs of earlier versions do not say it either: it stands in what landed.
        aside = [
            (*place, reason)
            for entity in others
            for place in _rows_about(
                connection, home, entity.name, str(entity.iin_column), iin
            )
            for (reason,) in connection.execute(
                "select reason from marts.quarantine where entity = ? and file = ?"
                " and row_number = ? order by reason",
                place,
            ).fetchall()
        ]
    for *where, reason in aside:
        found.setdefault(Place(*where), []).append(reason)
    return found


def _rows_about(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    entity: str,
    column: str,
    iin: str,
) -> list[Place]:
    places = []
    for file, path in connection.execute(
        "select file, landed_path from landing.landed_files where entity = ?"
        " order by file_no",
        [entity],
    ).fetchall():
        places += [
            Place(entity, file, number)
            for (number,) in connection.execute(
                "select file_row_number + 1"
                f" from {_numbered(home.root / path)}"
                f' where "{column}" = ? order by file_row_number',
                [iin],
            ).fetchall()
        ]
    return places


def _numbered(landed: Path) -> str:
    """Return SQL that reads a landed file, its rows numbered from 0.

    Raises:
        KomekError: it is gone.
    """
    if not landed.is_file():
        raise KomekError(f"the landed file {landed} is gone")
    return database.scan_encrypted(landed, database.LANDING, "file_row_number = true")


def _texts(connection: duckdb.DuckDBPyConnection, entity: str, landed: Path) -> str:
    """Return SQL for the declared columns that a landed file has, as text.

    DuckDB makes the text: Python knows no year beyond 9999.
    """
    types = {
        name: kind
        for name, kind, *_ in connection.execute(
            f"describe from {_numbered(landed)}"
        ).fetchall()
    }
    return ", ".join(
        f'{_text(name, types[name])} as "{name}"'
        for name in registries.entity(entity).column_names
        if name in types
    )


def _text(name: str, kind: str) -> str:
    """Return SQL for a column as text; the empty text is null, a midnight its day."""
    text = f"nullif(cast(\"{name}\" as varchar), '')"
    if not kind.startswith("TIMESTAMP"):
        return text
    is_midnight = f'"{name}" = date_trunc(\'day\', "{name}")'
    day = f'cast(cast("{name}" as date) as varchar)'
    return f"case when {is_midnight} then {day} else {text} end"
