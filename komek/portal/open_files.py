"""DuckDB files that stay open from one request to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import duckdb

Beside = TypeVar("Beside")


@dataclass
class _Open(Generic[Beside]):
    """A file: its connection once it is open, and what is kept beside it."""

    beside: Beside
    connection: duckdb.DuckDBPyConnection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class OpenFiles(Generic[Beside]):
    """The files asked for last; the one not asked for the longest is closed first."""

    def __init__(self, most: int, beside: Callable[[], Beside]) -> None:
        """Take how many stay open, and what makes the thing that is kept beside one."""
        self._most = most
        self._beside = beside
        self._open: OrderedDict[Path, _Open[Beside]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def cursor(
        self, path: Path, opened: Callable[[], duckdb.DuckDBPyConnection], name: str
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Beside]]:
        """Yield a cursor of a file, and what is kept beside it.

        Args:
            path: the file.
            opened: opens it, where it is not open yet; who wants another file meanwhile
                does not wait for that.
            name: what it is attached as.

        Raises:
            UsageError, duckdb.Error: it cannot be opened.
        """
        with self._lock:
            file = self._open.pop(path, None) or _Open(self._beside())
            self._open[path] = file
            while len(self._open) > self._most:
                # Whoever reads it has a cursor, which keeps it open.
                self._open.popitem(last=False)
        with file.lock:
            if file.connection is None:
                file.connection = opened()
            cursor = file.connection.cursor()
        try:
            cursor.execute(f"use {name}")
            yield cursor, file.beside
        finally:
            cursor.close()
