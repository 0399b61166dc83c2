"""Rows of a database or a service, written as Parquet while they come."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq

from komek.base.files import new_file
from komek.base.registries import Entity
from komek.landing.letters import are_names, may_be_foreign
from komek.landing.received import check_rows
from komek.landing.received_csv import ROW_GROUP_BYTES, ROW_GROUP_ROWS

# What waits between the one who reads and the one who writes.
_WAITING = 4
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Written:
    """Rows in a Parquet file.

    Attributes:
        rows: how many.
        odd_letters: whether a name in them may have letters that no name has.
    """

    rows: int
    odd_letters: bool


def write_rows(
    path: Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    entity: Entity,
) -> Written:
    """Write rows as a Parquet file, in even groups.

    They are read in one thread and written in another: both take their time.

    Args:
        path: the file.
        schema: of the rows, under our names.
        batches: the rows.
        entity: whose they are.

    Raises:
        Refused: they are too many.
        OSError: the file cannot be written.
    """
    rows = 0
    odd_letters = False
    waiting: list[pa.RecordBatch] = []
    names = [name for name in are_names(entity) if name in schema.names]
    # What is another in each row is no word of a dictionary.
    unlike = {one.name for one in entity.columns if one.type == "iin"} | {*entity.key}
    with (
        new_file(path) as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            write_page_checksum=True,
            use_dictionary=cast("bool", [*{*schema.names} - unlike]),
        ) as writer,
    ):
        for batch in _ahead(batches):
            rows += batch.num_rows
            check_rows(rows)
            odd_letters = odd_letters or any(
                may_be_foreign(batch.column(name)) for name in names
            )
            waiting.append(batch)
            if _is_enough(waiting):
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting = []
        writer.write_table(pa.Table.from_batches(waiting, schema))
    return Written(rows, odd_letters)


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
