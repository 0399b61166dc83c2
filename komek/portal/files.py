"""How a request reads: the one file of its role, locked, with values bound.

A file is opened read only; then DuckDB is told that nothing outside it may be read and
that its settings stay as they are. What is opened stays open for the next request of
the same role, until another publication holds.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database
from komek.base.places import Home
from komek.explain.person import open_run
from komek.explain.rows import as_json, records
from komek.portal.open_files import OpenFiles
from komek.portal.roles import Role
from komek.publishing.publication import (
    WAREHOUSE,
    Publication,
    current_publication,
    stated,
)
from komek.publishing.role_files import FOLDER, key_of_file, region_file

# Two thirds of a nation's roles: with all of them open the portal passes 600 MiB, and
# to open one again takes a page 10 ms.
_MOST_OPEN = 16
_MOST_RUNS = 2
_MOST_KEPT = 200
_MEMORY = "64MB"
_MEMORY_OF_RUN = "96MB"
_NAME = "role"
Row = dict[str, Any]


class NotThereError(Exception):
    """What was asked for is not there, or not the role's: nobody learns which."""


class Reader:
    """A role's file, open for one request."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        publication: Publication,
        figures: "Figures",
    ) -> None:
        """Take a cursor of the file, its publication, and what was read of it."""
        self.connection = connection
        self.publication = publication
        self._figures = figures

    def figures(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """Return rows that name nobody; a file never changes, so they are kept."""
        return self._figures.rows(self, query, values)

    def figure(self, query: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of such a query, None where there is none."""
        return next(iter(self.figures(query, values)), None)

    def rows(
        self, query: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[Row]:
        """Return the rows of a query by column name; values are bound."""
        if isinstance(values, Mapping):
            cursor = self.connection.execute(query, dict(values))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return records(self.connection, query, values)

    def json_rows(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """Return the rows of a query as JSON takes them."""
        return [
            {name: as_json(value) for name, value in row.items()}
            for row in self.rows(query, values)
        ]

    def one(self, query: str, values: Sequence[object] = ()) -> Row | None:
        """Return the first row of a query, None where there is none."""
        return next(iter(self.rows(query, values)), None)


class Figures:
    """What was read of one file, the latest last; the oldest is forgotten."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._kept: OrderedDict[tuple[object, ...], list[Row]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, reader: Reader, query: str, values: Sequence[object]) -> list[Row]:
        """Return the rows of a query; whoever gets them changes nothing in them."""
        key = (query, *values)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = reader.rows(query, values)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


class Files:
    """The files of the publication that holds now, and of those still there."""

    def __init__(self, home: Home) -> None:
        """Take the home that publications are in."""
        self.home = home
        self._open = OpenFiles(_MOST_OPEN, Figures)
        self._runs = OpenFiles(_MOST_RUNS, object)
        # More at once than can compute at once end later, and take more memory.
        self._explaining = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

    def publication(self) -> Publication | None:
        """Return the publication that holds now."""
        return current_publication(self.home)

    def publications(self) -> list[Publication]:
        """Return the publications that are there, the newest first."""
        found = []
        publication = self.publication()
        while publication is not None:
            found.append(publication)
            publication = stated(self.home, publication.previous)
        return found

    @contextmanager
    def of_region(
        self, role: Role, region_kato: str, publication: Publication | None = None
    ) -> Iterator[Reader]:
        """Open a region's file, where the role may see its people.

        Raises:
            NotThereError: it may not, or there is none.
        """
        with self.reading(role, region_file(region_kato), publication) as reader:
            yield reader

    @contextmanager
    def reading(
        self, role: Role, name: str, publication: Publication | None = None
    ) -> Iterator[Reader]:
        """Open a file of a publication for a role, None: of the one that holds.

        Raises:
            NotThereError: it is none of the role's, or not there.
        """
        # First of all, and for every way in.
        if not role.may_open(name):
            raise NotThereError
        publication = publication or self.publication()
        if publication is None:
            raise NotThereError
        path = publication.folder / FOLDER / f"{name}.duckdb"
        with self._cursor(path, name) as (cursor, figures):
            yield Reader(cursor, publication, figures)

    @contextmanager
    def auditing(
        self, role: Role, publication: Publication | None = None
    ) -> Iterator[Reader]:
        """Open the publication itself, for an auditor.

        Raises:
            NotThereError: the role is no auditor's, or nothing is published.
        """
        if not role.sees_everything:
            raise NotThereError
        publication = publication or self.publication()
        if publication is None:
            raise NotThereError
        with self._cursor(publication.folder / WAREHOUSE, None) as (cursor, figures):
            yield Reader(cursor, publication, figures)

    @contextmanager
    def of_run(self, run_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file of a run, to explain one person from.

        Raises:
            UsageError, duckdb.Error: it cannot be opened.
        """

        def opened() -> duckdb.DuckDBPyConnection:
            return _open_run(run_file)

        with (
            self._explaining,
            self._runs.cursor(run_file, opened, "run") as (cursor, _),
        ):
            yield cursor

    @contextmanager
    def _cursor(
        self, path: Path, name: str | None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Figures]]:
        if not path.is_file():
            raise NotThereError
        with self._open.cursor(path, lambda: _opened(path, name), _NAME) as found:
            yield found


def _open_run(run_file: Path) -> duckdb.DuckDBPyConnection:
    connection = open_run(run_file)
    connection.execute(f"set memory_limit = '{_MEMORY_OF_RUN}'")
    # Each reader has a thread of the portal's, and needs no other.
    connection.execute("set threads = 1")
    return connection


def _opened(path: Path, name: str | None) -> duckdb.DuckDBPyConnection:
    """Open a file and nothing else for good; a name's own key opens a role's file."""
    key = key_of_file(name) if name and database.encrypts() else None
    return database.connect_locked(path, _NAME, key, memory=_MEMORY)
