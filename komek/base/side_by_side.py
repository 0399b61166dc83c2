"""Work on many things in threads, each with a cursor of one database."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import duckdb

from komek.base import database

T = TypeVar("T")


def side_by_side(
    connection: duckdb.DuckDBPyConnection,
    act: Callable[[duckdb.DuckDBPyConnection, T], None],
    things: Iterable[T],
) -> None:
    """Do something with each thing, as many at once as there are cores.

    Once one fails, none begins any more.

    Args:
        connection: of the database.
        act: gets a cursor of its own, and a thing.
        things: in the order in which they begin.

    Raises:
        Exception: what the first that failed raised.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        begun = [
            threads.submit(act, database.cursor(connection), thing) for thing in things
        ]
        try:
            for one in begun:
                one.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
