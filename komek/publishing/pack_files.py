"""The files of a pack that list its recipients: as CSV, Parquet and workbook.

Where what is written is encrypted they are Parquet alone, under a key of the region's
own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow
import pyarrow.compute

from komek.base.database import (
    add_parquet_key,
    encrypts,
    footer_key,
    key_of,
    scan_encrypted,
    text_literal,
)
from komek.publishing.cells import MOST_UNITS, cut, shown, without_formula
from komek.publishing.pack_rows import TEXTS, batches, between, replaced, whole_rows
from komek.publishing.publication import ChainHead
from komek.publishing.workbook import (
    MAX_ROWS,
    Sheet,
    SheetColumn,
    Styles,
    Summary,
    row_sql,
    write_workbook,
)

# DuckDB's own size of a row group; where rows are long, so many bytes.
_GROUP_ROWS = 122_880
_GROUP_BYTES = 32 << 20


def add_pack_key(connection: duckdb.DuckDBPyConnection, region_kato: str) -> None:
    """Let a connection and its cursors read and write a region's encrypted packs.

    Raises:
        UsageError: KOMEK_KEY is not set or too short.
    """
    add_parquet_key(connection, region_kato, key_of(region_kato))


def parquet_options(region_kato: str, group_rows: int = _GROUP_ROWS) -> str:
    """Return what a region's Parquet files are written with, as SQL for `copy`."""
    key = f", encryption_config {footer_key(region_kato)}" if encrypts() else ""
    return f"(format parquet, compression zstd, row_group_size {group_rows}{key})"


def read_parquet(file: Path, region_kato: str) -> str:
    """Return SQL that reads a region's Parquet file, whether it is encrypted or not.

    Raises:
        UsageError: it is, and KOMEK_KEY is not set.
        OSError: the file cannot be read.
    """
    return scan_encrypted(file, region_kato)


COLUMNS = (
    SheetColumn("list_month", 11),
    SheetColumn("iin", 14),
    SheetColumn("last_name", 20),
    SheetColumn("first_name", 16),
    SheetColumn("middle_name", 20),
    SheetColumn("address", 40),
    SheetColumn("region_kato", 12),
    SheetColumn("district_kato", 13),
    SheetColumn("primary_ground", 15),
    SheetColumn("grounds", 20),
    SheetColumn("mode", 9),
    SheetColumn("set_cost", 11, is_amount=True),
    SheetColumn("allocation", 12),
    SheetColumn("contract_id", 16),
    SheetColumn("iban", 23),
    SheetColumn("amount", 11, is_amount=True),
)
# The changes come last.
FILES = ("recipients.csv", "recipients.parquet", "recipients.xlsx", "changes.csv")
ENCRYPTED_FILES = ("recipients.parquet", "changes.parquet")
# RFC 4180, as SQL for `copy`.
CSV_OPTIONS = r"(format csv, header, new_line '\r\n')"
_NAMES = ", ".join(column.name for column in COLUMNS)
# Texts of any kind.
_IDS = ("contract_id", "iban")
_FREE = (*TEXTS, *_IDS)
_ARROW_ROWS = 10_000
_DISTRICTLESS = "no district"
_CUT = f"cells cut at {MOST_UNITS} characters"


@dataclass(frozen=True)
class Origin:
    """What every pack says about the run it came from."""

    run_id: str
    official: bool
    as_of: date
    list_month: date
    chain_head: ChainHead | None = None


@dataclass(frozen=True)
class District:
    """A district of a pack; `kato` is None for recipients without one.

    Its rows follow on one another from the place `first` on.
    """

    kato: str | None
    recipients: int
    amount_total: Decimal
    first: int

    @property
    def name(self) -> str:
        """The district's name in manifests and on sheets."""
        return self.kato or _DISTRICTLESS


@dataclass(frozen=True)
class Pack:
    """A region's pack, amounts in tenge.

    Attributes:
        region_kato: the region.
        districts: in order.
        longest_row: the bytes of the long texts of its longest row.
        has_commands: whether a text has characters that are not shown as they are.
        cut_cells: how many texts are longer than a cell of a workbook may be.
    """

    region_kato: str
    districts: tuple[District, ...]
    longest_row: int = 0
    has_commands: bool = False
    cut_cells: int = 0

    @property
    def recipients(self) -> int:
        """How many rows the pack has."""
        return sum(district.recipients for district in self.districts)

    @property
    def amount_total(self) -> Decimal:
        """What the region's sets cost together."""
        amounts = (district.amount_total for district in self.districts)
        return sum(amounts, Decimal("0.00"))

    @property
    def first(self) -> int:
        """The place of its first row; the others follow on it."""
        return min((district.first for district in self.districts), default=0)

    @property
    def end(self) -> int:
        """The place behind its last row."""
        return self.first + self.recipients


@contextmanager
def _rows_of(
    connection: duckdb.DuckDBPyConnection, pack: Pack, *shown_as: str
) -> Iterator[str]:
    """Yield SQL for a pack's rows in order, from `from` on, to be read once."""
    if not pack.longest_row:
        yield between(pack.first, pack.end, *shown_as)
        return
    with whole_rows(connection, _NAMES, pack.first, pack.end, *shown_as) as rows:
        yield rows


def _shown(pack: Pack) -> list[str]:
    """Return SQL that puts what cells show in place of texts, where that is another."""
    return [replaced(_FREE, shown)] if pack.has_commands else []


def write_csv(connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path) -> None:
    """Write RFC 4180: UTF-8, a header, CRLF; formulas get a leading apostrophe.

    A byte-order mark comes first, by which Excel knows the encoding.
    """
    cells = [
        column.name if column.is_amount else without_formula(f"{column.name}::varchar")
        for column in COLUMNS
    ]
    names = ["\ufeff" + COLUMNS[0].name, *(column.name for column in COLUMNS[1:])]
    columns = ", ".join(
        f'{cell} as "{name}"' for cell, name in zip(cells, names, strict=True)
    )
    with _rows_of(connection, pack, *_shown(pack)) as rows:
        connection.execute(
            f"copy (select {columns} {rows}) to {text_literal(path)} {CSV_OPTIONS}"
        )


def write_parquet(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path
) -> None:
    """Write the recipients as Parquet, in the order of the CSV, texts as they are."""
    group = _GROUP_BYTES // max(1, pack.longest_row)
    with _rows_of(connection, pack) as rows:
        connection.execute(
            f"copy (select {_NAMES} {rows}) to {text_literal(path)} "
            + parquet_options(pack.region_kato, max(1, min(group, _GROUP_ROWS)))
        )


def write_xlsx(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path, origin: Origin
) -> None:
    """Write a sheet per district (its staff open their own), behind a summary."""
    sheets = [
        _sheet(connection, pack, district, first)
        for district in pack.districts
        for first in range(0, district.recipients, MAX_ROWS)
    ]
    summary = Summary(
        facts=(
            ("region_kato", pack.region_kato),
            ("list_month", origin.list_month.isoformat()),
            ("as_of", origin.as_of.isoformat()),
            ("run_id", origin.run_id),
            ("official", str(origin.official).lower()),
            ("recipients", pack.recipients),
            ("amount_total", float(pack.amount_total)),
            *([(_CUT, pack.cut_cells)] if pack.cut_cells else []),
        ),
        header=("district_kato", "recipients", "amount_total"),
        table=[
            (district.name, district.recipients, float(district.amount_total))
            for district in pack.districts
        ],
    )
    write_workbook(path, summary, COLUMNS, sheets, created=origin.as_of)


def _sheet(
    connection: duckdb.DuckDBPyConnection, pack: Pack, district: District, first: int
) -> Sheet:
    """Return the sheet of a district's rows from its `first` on."""
    part = first // MAX_ROWS
    name = district.name if part == 0 else f"{district.name} ({part + 1})"
    count = min(MAX_ROWS, district.recipients - first)
    begin, end = district.first + first, district.first + first + count
    shown_as = [*_shown(pack), replaced(_FREE if pack.longest_row else _IDS, cut)]

    def rows_xml(styles: Styles) -> Iterator[memoryview]:
        # Row 1 is the header, and a sheet's rows count from 1.
        select = row_sql(COLUMNS, f"(place - {begin} + 2)::varchar", styles)
        if pack.longest_row:
            for table in batches(connection, select, begin, end, *shown_as):
                yield from (_joined(batch.column(0)) for batch in table.to_batches())
            return
        query = f"select {select} {between(begin, end, *shown_as)}"
        for batch in connection.execute(query).to_arrow_reader(_ARROW_ROWS):
            yield _joined(batch.column(0))

    return Sheet(name, count, rows_xml)


def _joined(texts: "pyarrow.Array[Any]") -> memoryview:
    """Return all texts of a column as one run of bytes."""
    whole = pyarrow.ListArray.from_arrays(
        pyarrow.array([0, len(texts)], pyarrow.int32()), texts
    )
    joined = cast("pyarrow.StringArray", pyarrow.compute.binary_join(whole, ""))
    return memoryview(joined[0].as_buffer())
