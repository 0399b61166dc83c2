"""One received file, proven whole: what is common, and Parquet.

A refusal never quotes the file: its rows are personal data. What the machine lacks
(memory, a path it cannot open) is no refusal: it is no fault of what was delivered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal, cast

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from komek.base import database
from komek.base.database import LANDING, quoted, scan
from komek.base.errors import KomekError, listed
from komek.base.files import sync

Format = Literal["csv", "csv.gz", "parquet", "xlsx", "ods"]
# The column of a landed CSV that holds the lines that did not split.
MALFORMED = "__malformed__"
# Where DuckDB says which landed file a row is of; it numbers the rows of each.
FILE_NAME = "__filename__"
_RESERVED = (MALFORMED, FILE_NAME, "file_row_number")
MAX_COLUMNS = 1_000
MAX_NAME_LENGTH = 1_000
# A billion: the rows of a file are numbered in ten digits.
MAX_ROWS = 1_000_000_000
# As long as a row of a CSV may be.
MAX_FIELD_BYTES = 8 << 20
# A file that unpacks to so many times its size, and to more than so much, is a trap.
MAX_UNPACKED_RATIO = 200
MAX_UNPACKED_BYTES = 1 << 30
# What Arrow decodes at once.
_READ_ROWS = 65_536
_READ_BYTES = 32 << 20
_NO_PARQUET = "is no whole Parquet: its footer or a page cannot be read"
_NO_TYPE = "has a column of a type that is not read here"
# DuckDB's names of text, dates, moments, numbers, and true and false.
_READ_TYPE = re.compile(
    r"VARCHAR|DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?|BOOLEAN|FLOAT|DOUBLE"
    r"|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(.*\)"
)
# What DuckDB says of the machine, not of the file it reads.
_MACHINE = re.compile(
    r"Out of Memory Error|No files found|Cannot open file|Could not read from file"
)


class Refused(Exception):  # noqa: N818 - a verdict, turned into a StoppedError
    """A delivery that cannot be landed; the text says why, without row content.

    Attributes:
        name: what is refused, as a path in the drop; '' until somebody knows.
        may_pass: whether it may go well when it is tried again.
        wait: after how many seconds at the earliest, where the source says so.
        day: the day that it is of; None until somebody knows.
    """

    day: date | None = None

    def __init__(
        self,
        reason: str,
        name: str = "",
        *,
        may_pass: bool = False,
        wait: float | None = None,
    ) -> None:
        """Refuse for a reason, worded as what follows the name."""
        super().__init__(reason)
        self.name = name
        self.may_pass = may_pass
        self.wait = wait


def check_parquet(received: Path, declared: Sequence[str]) -> int:
    """Decode all of a received Parquet, verifying page checksums where it has any.

    DuckDB decodes it first, which holds little at once whatever is repeated in it, and
    measures it; then Arrow, as many rows at a time as what is in them allows.

    Args:
        received: the received bytes.
        declared: the entity's column names.

    Returns:
        Number of rows.

    Raises:
        Refused: the footer or a page cannot be read, a column name is ambiguous, text
            is not UTF-8, or something is larger or of another type than is read here.
        KomekError: the machine has too little memory.
    """
    with decoding(_NO_PARQUET), pq.ParquetFile(received) as file:
        check_names(file.schema_arrow.names)
        check_rows(file.metadata.num_rows)
        expected = file.metadata.num_rows
    columns = _columns(received)
    _check_types(columns, declared)
    measured = _decoded_by_duckdb(received, declared)
    if expected != sum(rows for rows, _, _ in measured.values()):
        raise Refused(_NO_PARQUET)
    most = most_unpacked(received)
    if sum(size for _, size, _ in measured.values()) > most:
        raise Refused(f"unpacks to more than {most:,} bytes")
    longest = {part: longest for part, (_, _, longest) in measured.items()}
    with decoding(_NO_PARQUET):
        if expected != _decoded_by_arrow(received, longest):
            raise Refused(_NO_PARQUET)
    return expected


def most_unpacked(received: Path) -> int:
    """Return to how many bytes a received file may unpack."""
    return max(MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO * received.stat().st_size)


def duckdb_columns(parquet: Path) -> tuple[tuple[str, str], ...]:
    """Return the names and DuckDB type names of a Parquet's received columns.

    Raises:
        UsageError: it is encrypted, and not under KOMEK_KEY.
    """
    with database.connect() as connection, database.opening(parquet):
        described = connection.execute(
            f"describe select * from {database.scan_encrypted(parquet, LANDING)}"
        ).fetchall()
    return tuple((name, kind) for name, kind, *_ in described if name != MALFORMED)


def encrypt(parquet: Path) -> None:
    """Put a Parquet under KOMEK_KEY: the same rows, order, columns and types.

    It is read and written a few row groups at a time, which are as they were: long
    rows lie in small ones. Until it is replaced whole, the readable file lies where it
    was.

    Raises:
        UnwritableError, duckdb.Error: the encrypted one cannot be written.
    """
    encrypted = parquet.with_suffix(".encrypted")
    spill = parquet.with_suffix(".spill")
    metadata = pq.read_metadata(parquet)
    groups = range(metadata.num_row_groups)
    rows = max((metadata.row_group(group).num_rows for group in groups), default=1)
    as_they_are = scan(parquet, bytes_as_text=False)
    with database.connect(spill=spill) as connection:
        connection.execute(
            f"copy (from {as_they_are}) to {database.text_literal(encrypted)}"
            f" (format parquet, compression zstd, row_group_size {max(1, rows)},"
            f" encryption_config {database.footer_key(LANDING)})"
        )
    encrypted.chmod(0o600)
    sync(encrypted)
    encrypted.replace(parquet)


@contextmanager
def decoding(reason: str) -> Iterator[None]:
    """Refuse, for a reason, what Arrow cannot decode.

    Raises:
        Refused: for this reason, or for a type that Arrow lacks.
        KomekError: there is too little memory.
    """
    try:
        yield
    except pa.ArrowNotImplementedError:
        # Whatever Arrow lacks has not been proven whole, nor held against the bounds.
        raise Refused(_NO_TYPE) from None
    except MemoryError:
        raise KomekError("out of memory: what is received cannot be read") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, UnicodeEncodeError) or getattr(error, "errno", None):
            raise
        raise Refused(reason) from None


def check_names(names: Sequence[str]) -> None:
    """Refuse names that would not find their column again; DuckDB ignores case.

    Names are not shown: without a header, they are somebody's data.
    """
    if len(names) > MAX_COLUMNS:
        raise Refused(f"has a header of more than {MAX_COLUMNS} columns")
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        folded = name.lower()
        if len(name) > MAX_NAME_LENGTH:
            raise Refused(
                f"has a name of more than {MAX_NAME_LENGTH} characters for column"
                f" {place}"
            )
        if folded in _RESERVED:
            raise Refused(f"has a column of the reserved name {folded}")
        if folded in places:
            raise Refused(
                f"has a header that names a column twice ({places[folded]} and {place})"
            )
        places[folded] = place


def check_rows(rows: int) -> None:
    """Refuse a file of more rows than are numbered."""
    if rows > MAX_ROWS:
        raise Refused(f"has more than {MAX_ROWS:,} rows")


def _check_fields(batch: pa.RecordBatch, rows_before: int) -> None:
    for place, column in enumerate(batch.columns, start=1):
        has_length = pa.types.is_string(column.type) or pa.types.is_binary(column.type)
        if not has_length or column.nbytes <= MAX_FIELD_BYTES:
            continue
        texts = cast("pa.StringArray", column)
        lengths = pc.binary_length(texts)
        longest = pc.max(lengths).as_py() or 0
        if longest > MAX_FIELD_BYTES:
            row = rows_before + pc.index(lengths, longest).as_py() + 1
            raise Refused(
                f"has a field longer than {MAX_FIELD_BYTES >> 20} MB: column {place}"
                f" of row {row}"
            )


def _columns(parquet: Path) -> tuple[tuple[str, str], ...]:
    with _decoding_by_duckdb():
        return duckdb_columns(parquet)


def _check_types(columns: Sequence[tuple[str, str]], declared: Sequence[str]) -> None:
    """Refuse declared columns of a type that no value of a registry has.

    The names of a type's own fields are not shown: somebody made them up.
    """
    foreign = [
        f"{name.lower()} is {'LIST' if kind.endswith(']') else kind.partition('(')[0]}"
        for name, kind in columns
        if name.lower() in declared and not _READ_TYPE.fullmatch(kind)
    ]
    if foreign:
        raise Refused(f"{_NO_TYPE}: {listed(foreign)}")


def _decoded_by_duckdb(
    parquet: Path, declared: Sequence[str]
) -> dict[int, tuple[int, int, int]]:
    """Have DuckDB decode a whole file; hashing makes it touch every column.

    Bytes in declared columns are text; in others they may be anything.

    Returns:
        For every `_READ_ROWS` rows in order: how many they are, the bytes of their
        texts (and of what is nested) together, and those of the longest row.
    """
    rows = scan(parquet, "file_row_number = true", bytes_as_text=False)
    with _decoding_by_duckdb(), database.connect() as connection:
        described = connection.execute(f"describe select * from {rows}").fetchall()
        decoded, sizes = ["0"], ["0"]
        for name, kind, *_ in described:
            column = quoted(name)
            if kind == "BLOB" and name.lower() in declared:
                decoded.append(f"hash(decode({column}))")
            if kind == "BLOB":
                sizes.append(f"coalesce(octet_length({column}), 0)")
            elif kind == "VARCHAR" or not _READ_TYPE.fullmatch(kind):
                sizes.append(f"coalesce(strlen(cast({column} as varchar)), 0)")
        size = f"cast({' + '.join(sizes)} as bigint)"
        found = connection.execute(
            f"select file_row_number // {_READ_ROWS}, count(*), sum({size}),"
            f" max({size}), bit_xor(hash({', '.join(decoded)})),"
            " bit_xor(hash(columns(* exclude (file_row_number))))"
            f" from {rows} group by 1"
        ).fetchall()
    return {part: (rows, size, longest) for part, rows, size, longest, *_ in found}


@contextmanager
def _decoding_by_duckdb() -> Iterator[None]:
    """Refuse what DuckDB cannot decode; what the machine lacks is its to say."""
    try:
        yield
    except duckdb.Error as error:
        if _MACHINE.search(str(error)):
            raise
        if "valid UTF8" in str(error):
            raise Refused("has text that is not UTF-8") from None
        raise Refused(_NO_PARQUET) from None


def _decoded_by_arrow(parquet: Path, longest: Mapping[int, int]) -> int:
    """Return how many rows Arrow decodes, having looked at the length of each field."""
    decoded = 0
    with pq.ParquetFile(parquet, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            end = decoded + file.metadata.row_group(group).num_rows
            parts = range(decoded // _READ_ROWS, -(-end // _READ_ROWS))
            row = max((longest.get(part, 0) for part in parts), default=0)
            at_once = max(1, min(_READ_ROWS, _READ_BYTES // max(1, row)))
            for batch in file.iter_batches(at_once, [group]):
                _check_fields(batch, decoded)
                decoded += batch.num_rows
    return decoded
