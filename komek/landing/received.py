"""One received file, proven whole: what is common, and Parquet.

A refusal never quotes the file: its rows are personal data.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from komek.base import database
from komek.base.database import scan

Format = Literal["csv", "csv.gz", "parquet"]
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
_READ_ROWS = 65_536
_NO_PARQUET = "is no whole Parquet: its footer or a page cannot be read"


class Refused(Exception):  # noqa: N818 - a verdict, turned into a StoppedError
    """A delivery that cannot be landed; the text says why, without row content.

    Attributes:
        name: what is refused, as a path in the drop; '' until somebody knows.
    """

    def __init__(self, reason: str, name: str = "") -> None:
        """Refuse for a reason, worded as what follows the name."""
        super().__init__(reason)
        self.name = name


def check_parquet(received: Path) -> int:
    """Decode all of a received Parquet once, verifying page checksums where it has any.

    Args:
        received: the received bytes.

    Returns:
        Number of rows.

    Raises:
        Refused: the footer or a page cannot be read, a column name is ambiguous, or
            something is larger or of another type than is read here.
    """
    try:
        expected = _decoded_by_arrow(received)
    except pa.ArrowNotImplementedError:
        # Whatever Arrow lacks has not been proven whole, nor held against the bounds.
        raise Refused("has a column of a type that is not read here") from None
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        raise Refused(_NO_PARQUET) from None
    rows = _decoded_by_duckdb(received)
    if expected != rows:
        raise Refused(_NO_PARQUET)
    return rows


def duckdb_columns(parquet: Path) -> tuple[tuple[str, str], ...]:
    """Return the names and DuckDB type names of a Parquet's received columns."""
    with database.connect() as connection:
        described = connection.execute(
            f"describe select * from {scan(parquet)}"
        ).fetchall()
    return tuple((name, kind) for name, kind, *_ in described if name != MALFORMED)


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
        lengths = pc.fill_null(pc.binary_length(column), 0)
        longest = pc.max(lengths).as_py()
        if longest > MAX_FIELD_BYTES:
            row = rows_before + pc.index(lengths, longest).as_py() + 1
            raise Refused(
                f"has a field longer than {MAX_FIELD_BYTES >> 20} MB: column {place}"
                f" of row {row}"
            )


def _decoded_by_arrow(parquet: Path) -> int:
    with pq.ParquetFile(parquet, page_checksum_verification=True) as file:
        check_names(file.schema_arrow.names)
        check_rows(file.metadata.num_rows)
        decoded = 0
        for batch in file.iter_batches(_READ_ROWS):
            _check_fields(batch, decoded)
            decoded += batch.num_rows
        if decoded != file.metadata.num_rows:
            raise Refused(_NO_PARQUET)
    return decoded


def _decoded_by_duckdb(parquet: Path) -> int:
    """Return how many rows DuckDB decodes; hashing makes it touch every column."""
    try:
        with database.connect() as connection:
            count, *_ = connection.execute(
                f"select count(*), bit_xor(hash(columns(*))) from {scan(parquet)}"
            ).fetchone()
    except duckdb.Error:
        raise Refused(_NO_PARQUET) from None
    return count
