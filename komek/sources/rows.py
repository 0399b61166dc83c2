"""Rows of a database or a service, written as Parquet while they come."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from komek.base.files import new_file
from komek.landing.received import check_rows
from komek.landing.received_csv import ROW_GROUP_BYTES, ROW_GROUP_ROWS

# What waits between the one who reads and the one who writes.
_WAITING = 4
_Item = TypeVar("_Item")


def write_rows(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write rows as a Parquet file, in even groups; return how many they are.

    They are read in one thread and written in another: both take their time.

    Raises:
        Refused: they are too many.
        OSError: the file cannot be written.
    """
    rows = 0
    waiting: list[pa.RecordBatch] = []
    with (
        new_file(path) as file,
        pq.ParquetWriter(
            file, schema, compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        for batch in _ahead(batches):
            rows += batch.num_rows
            check_rows(rows)
            waiting.append(batch)
            if _is_enough(waiting):
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting = []
        writer.write_table(pa.Table.from_batches(waiting, schema))
    return rows


def _is_enough(batches: Sequence[pa.RecordBatch]) -> bool:
    rows = sum(batch.num_rows for batch in batches)
    return rows >= ROW_GROUP_ROWS or sum(b.nbytes for b in batches) >= ROW_GROUP_BYTES


def _ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield items that another thread gets, a few ahead; what stops it stops us."""
    queue: Queue[tuple[_Item | None, BaseException | None]] = Queue(_WAITING)
    gone = False

    def read() -> None:
        try:
            for item in items:
                if gone:
                    return
                queue.put((item, None))
            queue.put((None, None))
        except BaseException as error:
            queue.put((None, error))

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            item, error = queue.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        gone = True
        while reader.is_alive():
            # It may be waiting for room.
            while not queue.empty():
                queue.get_nowait()
            reader.join(0.1)
