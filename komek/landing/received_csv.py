"""One received CSV, proven whole and written as the Parquet that is landed.

The grammar is that of Python's `csv` and of Arrow alike: a quote opens a quoted field
only at the field's start, is doubled inside it, and means itself elsewhere; an empty
line is no row. Arrow reads it in blocks; what is added here is what a registry needs
and a parser does not promise: every row keeps its number, also beside lines that do
not split, and a file that was cut off is not mistaken for a shorter one.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from komek.base.errors import KomekError
from komek.base.registries import Column
from komek.landing.csv_header import TRAILING, Header, read_header
from komek.landing.dialect import AS_REGISTERED, Dialect, canonical
from komek.landing.received import (
    MALFORMED,
    Format,
    Refused,
    check_rows,
    most_unpacked,
)
from komek.landing.received_text import ReceivedText

# A block is what is parsed at once; a row longer than one is refused.
BLOCK_BYTES = 8 << 20
# Malformed lines wait for the well-formed rows around them; this much text may.
MAX_WAITING_CHARACTERS = 256 << 20
# Rows are written together until there are so many, or so many bytes of them.
ROW_GROUP_ROWS = 122_880
ROW_GROUP_BYTES = 64 << 20
_UNCLOSED = "ends inside quotes: cut off, or a quote is never closed"
_CLOSING = "komek:end"


def write_csv(
    received: Path,
    target: BinaryIO,
    file_format: Format,
    declared: Sequence[str],
    *,
    encoding: str = "utf-8",
    columns: Sequence[Column] = (),
    dialect: Dialect = AS_REGISTERED,
    advance: Callable[[int], None] = lambda _: None,
    block_bytes: int = BLOCK_BYTES,
) -> tuple[int, int]:
    """Write a received CSV as Parquet: text columns and `__malformed__`, order kept.

    Args:
        received: the received bytes, private to the caller.
        target: where the Parquet goes.
        file_format: `csv` or `csv.gz`.
        declared: the entity's column names, by which the delimiter is recognised.
        encoding: what the source writes; a UTF-8 byte-order mark outweighs it.
        columns: the entity's, by which the dialect's text is made ours.
        dialect: how the source writes.
        advance: called with the number of received bytes read so far.
        block_bytes: bytes parsed at once.

    Returns:
        Received rows, and how many of them are malformed lines.

    Raises:
        Refused: the file is empty, cut off, not in its encoding, or no CSV.
    """
    with received.open("rb") as file:
        zipped = file_format == "csv.gz"
        raw: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if zipped else file
        most = most_unpacked(received)
        text = ReceivedText(raw, encoding, lambda: advance(file.tell()), most)
        header = read_header(text, declared, dialect)
        closing = _CLOSING + header.delimiter * (len(header.parsed_names) - 1)
        text.close_with(f"{closing}\n".encode())
        malformed = _MalformedLines()
        try:
            reader = _open(text, header, malformed, block_bytes)
        except pa.ArrowException as error:
            raise Refused(_arrow_reason(error, malformed, block_bytes, 0)) from None
        tables = _without_closing(_numbered(reader, malformed, block_bytes), text)
        if header.has_trailing:
            tables = _without_trailing(tables, header)
        tables = (canonical(table, columns, dialect) for table in tables)
        return write_tables(tables, header.names, target)


class _MalformedLines:
    """Lines that do not split, from Arrow's callback until their place is reached."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._lines: list[str] = []
        self._characters = 0
        self._seen = 0
        self.overflowed = False

    def __call__(self, row: pa_csv.InvalidRow) -> Literal["skip", "error"]:
        """Keep a line; Arrow numbers the rows from 1, the header among them."""
        self._characters += len(row.text)
        if self._characters > MAX_WAITING_CHARACTERS:
            self.overflowed = True
            return "error"
        self._seen += 1
        self._rows.append(cast("int", row.number) - 2)
        self._lines.append(row.text)
        return "skip"

    @property
    def seen(self) -> int:
        """How many lines there have been."""
        return self._seen

    def take(self, first: int, rows: int) -> tuple[np.ndarray, list[str]]:
        """Take the lines that lie among or right after the next well-formed rows.

        Args:
            first: 0-based number of the first row not yet placed.
            rows: how many well-formed rows come next.

        Returns:
            The lines' offsets from `first`, ascending, and the lines.
        """
        offsets = np.asarray(self._rows, dtype=np.int64) - first
        before = offsets - np.arange(len(offsets))  # well-formed rows before each
        count = int(np.searchsorted(before, rows, side="right"))
        lines = self._lines[:count]
        del self._rows[:count], self._lines[:count]
        self._characters -= sum(map(len, lines))
        return offsets[:count], lines

    @property
    def waiting(self) -> int:
        """How many lines have found no place."""
        return len(self._rows)


def _open(
    text: ReceivedText,
    header: Header,
    malformed: _MalformedLines,
    block_bytes: int,
) -> pa_csv.CSVStreamingReader:
    reader = pa_csv.open_csv(
        cast("BinaryIO", text),
        # One thread: Arrow knows a malformed line's number only then.
        read_options=pa_csv.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=pa_csv.ParseOptions(
            delimiter=header.delimiter,
            quote_char=header.quote or False,
            newlines_in_values=header.quote is not None,
            ignore_empty_lines=True,
            invalid_row_handler=malformed,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header.parsed_names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    if reader.schema.names != header.parsed_names:
        raise Refused("has a header that cannot be split for certain")
    return reader


def _numbered(
    reader: pa_csv.CSVStreamingReader, malformed: _MalformedLines, block_bytes: int
) -> Iterator[pa.Table]:
    """Yield all rows in received order, malformed lines in their places."""
    first = 0
    # Lines after the last well-formed row come with a batch of none.
    none = pa.RecordBatch.from_pylist([], schema=reader.schema)
    for batch in chain(_batches(reader, malformed, block_bytes), [none]):
        offsets, lines = malformed.take(first, batch.num_rows)
        table = _in_order(pa.Table.from_batches([batch]), offsets, lines)
        first += table.num_rows
        if table.num_rows:
            yield table
    if malformed.waiting:
        raise Refused("has rows that cannot be numbered for certain")


def _batches(
    reader: pa_csv.CSVStreamingReader, malformed: _MalformedLines, block_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Yield what Arrow reads; what it gives up on is refused."""
    well_formed = 0
    try:
        for batch in reader:
            well_formed += batch.num_rows
            yield batch
    except pa.ArrowException as error:
        rows = well_formed + malformed.seen
        reason = _arrow_reason(error, malformed, block_bytes, rows)
        raise Refused(reason) from None


def _in_order(well_formed: pa.Table, offsets: np.ndarray, lines: list[str]) -> pa.Table:
    rows = well_formed.num_rows
    table = well_formed.append_column(MALFORMED, pa.nulls(rows, pa.string()))
    if not lines:
        return table
    others = pa.table({MALFORMED: pa.array(lines, pa.string())})
    is_line = np.zeros(rows + len(lines), dtype=bool)
    is_line[offsets] = True
    return _merged(table, others, is_line)


def _merged(table: pa.Table, others: pa.Table, is_other: np.ndarray) -> pa.Table:
    """Return the rows of two tables in one, those of the other where it is said."""
    order = np.empty(len(is_other), dtype=np.int64)
    order[is_other] = np.arange(table.num_rows, len(is_other))
    order[~is_other] = np.arange(table.num_rows)
    return pa.concat_tables([table, others], promote_options="default").take(order)


def _without_closing(
    tables: Iterator[pa.Table], text: ReceivedText
) -> Iterator[pa.Table]:
    """Yield the rows before the closing row, having seen that it stands alone."""
    last = None
    ends_malformed = False
    for table in tables:
        if last is not None:
            yield last
            ends_malformed = last.column(MALFORMED)[-1].is_valid
        last = table
    if last is None or not _is_closing(last.slice(last.num_rows - 1)):
        raise Refused(_UNCLOSED)
    last = last.slice(0, last.num_rows - 1)
    if last.num_rows:
        ends_malformed = last.column(MALFORMED)[-1].is_valid
    if ends_malformed and not text.ends_in_line_end:
        raise Refused("is cut off: its last line has no end and too few columns")
    yield last


def _without_trailing(tables: Iterator[pa.Table], header: Header) -> Iterator[pa.Table]:
    """Yield the tables without what is behind the trailing delimiter.

    Where something is, the line is malformed; where only the delimiter is missing, it
    is not.
    """
    for parsed in tables:
        trailing, malformed = parsed.column(TRAILING), parsed.column(MALFORMED)
        is_odd = pc.or_(pc.is_valid(trailing), pc.is_valid(malformed))
        table = parsed.drop_columns([TRAILING])
        if not pc.any(is_odd).as_py():
            yield table
            continue
        odd = [
            _judged(*row.values(), behind=behind, header=header)
            for row, behind in zip(
                table.filter(is_odd).to_pylist(),
                trailing.filter(is_odd).to_pylist(),
                strict=True,
            )
        ]
        others = pa.Table.from_pylist(odd, schema=table.schema)
        yield _merged(table.filter(pc.invert(is_odd)), others, is_odd.to_numpy())


def _judged(
    *values: str | None, behind: str | None, header: Header
) -> dict[str, str | None]:
    """Return a row that is not as its file's lines are, malformed or not."""
    *fields, line = values
    if line is None:
        written = io.StringIO(newline="")
        escape = None if header.quote else "\\"
        writer = csv.writer(
            written, lineterminator="", escapechar=escape, **header.csv_options
        )
        writer.writerow([*fields, behind])
        return {MALFORMED: written.getvalue()}
    split = next(csv.reader([line], **header.csv_options), [])
    if len(split) != len(header.names):
        return {MALFORMED: line}
    return {name: text or None for name, text in zip(header.names, split, strict=True)}


def _is_closing(row: pa.Table) -> bool:
    first, *others = row.to_pylist()[0].values()
    return first == _CLOSING and not any(others)


def write_tables(
    tables: Iterator[pa.Table], names: Sequence[str], target: BinaryIO
) -> tuple[int, int]:
    """Write tables as Parquet in row groups of even size; return rows and malformed.

    What waits to be written is in memory: long rows make smaller groups.
    """
    schema = pa.schema([(name, pa.string()) for name in (*names, MALFORMED)])
    rows = malformed_rows = 0
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(
        target, schema, compression="zstd", write_page_checksum=True
    ) as writer:
        for table in tables:
            column = table.column(MALFORMED)
            rows += table.num_rows
            check_rows(rows)
            malformed_rows += table.num_rows - column.null_count
            waiting.append(table)
            rows_waiting = sum(part.num_rows for part in waiting)
            bytes_waiting = sum(part.nbytes for part in waiting)
            if rows_waiting >= ROW_GROUP_ROWS or bytes_waiting >= ROW_GROUP_BYTES:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        writer.write_table(
            pa.concat_tables(waiting) if waiting else schema.empty_table()
        )
    return rows, malformed_rows


def _arrow_reason(
    error: pa.ArrowException, malformed: _MalformedLines, block_bytes: int, rows: int
) -> str:
    """Say why Arrow gave up after some rows; its own words may quote rows.

    Raises:
        KomekError: not because of what it read, but for lack of memory.
    """
    if isinstance(error, MemoryError):
        raise KomekError("out of memory: what is received cannot be read") from None
    if malformed.overflowed:
        return "begins with too many lines that do not split into the header's columns"
    words = str(error)
    if "straddl" in words:
        return (
            f"has a row longer than {block_bytes >> 20} MB, or a quote is never closed,"
            f" after row {rows}"
        )
    if "Empty CSV" in words:
        return _UNCLOSED
    return "cannot be read as CSV"
