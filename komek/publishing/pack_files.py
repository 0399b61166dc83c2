"""The files of a pack that list its recipients: as CSV, Parquet and workbook.

Where what is written is encrypted they are Parquet alone, under a key of the region's
own.
"""

from collections.abc import Iterator
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


def add_pack_key(connection: duckdb.DuckDBPyConnection, region_kato: str) -> None:
    """Let a connection and its cursors read and write a region's encrypted packs.

    Raises:
        UsageError: KOMEK_KEY is not set or too short.
    """
    add_parquet_key(connection, region_kato, key_of(region_kato))


def parquet_options(region_kato: str) -> str:
    """Return what a region's Parquet files are written with, as SQL for `copy`."""
    key = f", encryption_config {footer_key(region_kato)}" if encrypts() else ""
    return f"(format parquet, compression zstd{key})"


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
# Spreadsheets take a cell that begins so for a formula, the full-width forms too, and
# some overlook what is not seen before it. Where `;` parts the cells, as in Russian
# settings, quotes inside a line mean nothing: a cell begins after any `;`, tab, line.
_UNSEEN = r"""[\p{Zs}\p{Cf}\x00-\x08\x0B\x0C\x0E-\x1F\x7F"'']*"""
_FORMULA = rf"(^|[;\t\r\n])({_UNSEEN}[=+\-@＝＋－＠])"
_MAY_BE_FORMULA = r"[=+\-@＝＋－＠]|^[\t\r\n]"
_ARROW_ROWS = 10_000
_DISTRICTLESS = "no district"


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
    """A district of a pack; `kato` is None for recipients without one."""

    kato: str | None
    recipients: int
    amount_total: Decimal

    @property
    def name(self) -> str:
        """The district's name in manifests and on sheets."""
        return self.kato or _DISTRICTLESS


@dataclass(frozen=True)
class Pack:
    """A region's pack, amounts in tenge."""

    region_kato: str
    districts: tuple[District, ...]

    @property
    def recipients(self) -> int:
        """How many rows the pack has."""
        return sum(district.recipients for district in self.districts)

    @property
    def amount_total(self) -> Decimal:
        """What the region's sets cost together."""
        amounts = (district.amount_total for district in self.districts)
        return sum(amounts, Decimal("0.00"))


def _rows_of(pack: Pack) -> str:
    region = text_literal(pack.region_kato)
    return f"""
        from pack_rows where region_kato = {region}
        order by district_kato nulls first, number
    """


def write_csv(connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path) -> None:
    """Write RFC 4180: UTF-8, a header, CRLF; formulas get a leading apostrophe."""
    harmless = ", ".join(
        column.name
        if column.is_amount
        else f"{_without_formula(f'{column.name}::varchar')} as {column.name}"
        for column in COLUMNS
    )
    connection.execute(
        f"copy (select {harmless} {_rows_of(pack)}) to {text_literal(path)} "
        + CSV_OPTIONS
    )


def _without_formula(text: str) -> str:
    """Return SQL for a text with an apostrophe before whatever would be a formula."""
    marked = rf"regexp_replace({text}, '{_FORMULA}', '\1''\2', 'g')"
    begins = rf"case when regexp_matches({text}, '^[\t\r\n]') then '''' else '' end"
    return (
        f"case when regexp_matches({text}, '{_MAY_BE_FORMULA}')"
        f" then {begins} || {marked} else {text} end"
    )


def write_parquet(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path
) -> None:
    """Write the recipients as Parquet, in the order of the CSV."""
    connection.execute(
        f"copy (select {_NAMES} {_rows_of(pack)}) to {text_literal(path)} "
        + parquet_options(pack.region_kato)
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

    def rows_xml(styles: Styles) -> Iterator[memoryview]:
        # Row 1 is the header, and a sheet's rows count from 1.
        row = f"(number - {first} + 2)::varchar as sheet_row"
        query = f"""
            select {row_sql(COLUMNS, "sheet_row", styles)}
            from (
                select *, {row} from pack_rows
                where
                    region_kato = $region
                    and district_kato is not distinct from $district
                    and number >= $first and number < $first + $count
            )
            order by number
        """
        wanted = {
            "region": pack.region_kato,
            "district": district.kato,
            "first": first,
            "count": count,
        }
        for batch in connection.execute(query, wanted).to_arrow_reader(_ARROW_ROWS):
            yield _joined(batch.column(0))

    return Sheet(name, count, rows_xml)


def _joined(texts: "pyarrow.Array[Any]") -> memoryview:
    """Return all texts of a column as one run of bytes."""
    whole = pyarrow.ListArray.from_arrays(
        pyarrow.array([0, len(texts)], pyarrow.int32()), texts
    )
    joined = cast("pyarrow.StringArray", pyarrow.compute.binary_join(whole, ""))
    return memoryview(joined[0].as_buffer())
