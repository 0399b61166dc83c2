"""Files that stay open between requests, and how many."""

import threading
from pathlib import Path

import duckdb
import pytest

from komek.portal.open_files import OpenFiles

PATIENCE = 30  # seconds


def _memory() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_what_is_open_is_not_opened_again_and_keeps_what_is_beside_it() -> None:
    files = OpenFiles(2, list)
    opened = []

    def one() -> duckdb.DuckDBPyConnection:
        opened.append("one")
        return _memory()

    with files.cursor(Path("one"), one, "memory") as (_, beside):
        beside.append("kept")
    with files.cursor(Path("one"), one, "memory") as (_, beside):
        assert (opened, beside) == (["one"], ["kept"])


def test_the_one_not_asked_for_the_longest_is_closed_first_but_for_its_reader() -> None:
    files = OpenFiles(2, list)
    with files.cursor(Path("one"), _memory, "memory") as (cursor, beside):
        beside.append("kept")
        for name in ("two", "three"):
            with files.cursor(Path(name), _memory, "memory"):
                pass
        assert cursor.execute("select 1").fetchone() == (1,)
    with files.cursor(Path("three"), _memory, "memory"):
        pass
    with files.cursor(Path("one"), _memory, "memory") as (_, beside):
        assert beside == []


def test_nobody_waits_while_another_file_is_opened() -> None:
    files = OpenFiles(2, list)
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> duckdb.DuckDBPyConnection:
        begun.set()
        assert may_end.wait(PATIENCE)
        return _memory()

    def read() -> None:
        with files.cursor(Path("slow"), slow, "memory"):
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert begun.wait(PATIENCE)
        with files.cursor(Path("other"), _memory, "memory") as (cursor, _):
            assert cursor.execute("select 1").fetchone() == (1,)
    finally:
        may_end.set()
        reader.join()


def test_one_that_cannot_be_opened_is_tried_again() -> None:
    files = OpenFiles(2, list)

    def broken() -> duckdb.DuckDBPyConnection:
        raise duckdb.IOException("gone")

    with pytest.raises(duckdb.IOException), files.cursor(Path("one"), broken, "memory"):
        pass
    with files.cursor(Path("one"), _memory, "memory") as (cursor, _):
        assert cursor.execute("select 1").fetchone() == (1,)
