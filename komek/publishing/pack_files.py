"""What a pack is, and its files for programs: CSV and Parquet.

Where what is written is encrypted they are Parquet alone, under a key of the region's
own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from komek.base.database import (
    add_parquet_key,
    encrypts,
    footer_key,
    key_of,
    scan_encrypted,
    text_literal,
)
from komek.publishing.cells import shown, without_formula
from komek.publishing.listed import ListOfMonth
from komek.publishing.listed_rows import TEXTS, replaced
from komek.publishing.pack_rows import between, whole_rows
from komek.publishing.publication import ChainHead

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
    "list_month",
    "list_no",
    "listed_on",
    "iin",
    "last_name",
    "first_name",
    "middle_name",
    "address",
    "settlement_kato",
    "settlement_ru",
    "settlement_kk",
    "region_kato",
    "district_kato",
    "moved_to",
    "primary_ground",
    "grounds",
    "standing",
    "ended_on",
    "ended_reason",
    "delivery_status",
    "mode",
    "set_cost",
    "allocation",
    "contract_id",
    "iban",
    "account_iin",
    "amount",
)
_AMOUNTS = ("set_cost", "amount")
# The changes come last.
FILES = (
    "recipients.csv",
    "recipients.parquet",
    "recipients.xlsx",
    "contracts.csv",
    "changes.csv",
)
ENCRYPTED_FILES = ("recipients.parquet", "contracts.parquet", "changes.parquet")
# RFC 4180, as SQL for `copy`.
CSV_OPTIONS = r"(format csv, header, new_line '\r\n')"
_NAMES = ", ".join(COLUMNS)
# Texts of any kind.
IDS = ("contract_id", "iban")
FREE = (*TEXTS, "settlement_ru", "settlement_kk", *IDS)
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
class Place:
    """A region or district: its code and its names, None where it has none."""

    kato: str | None
    name_ru: str | None = None
    name_kk: str | None = None

    @property
    def name(self) -> str:
        """Its code as manifests have it."""
        return self.kato or _DISTRICTLESS


@dataclass(frozen=True)
class District:
    """A district of a pack; its place has no code for rows without a district.

    Its rows, one per set, follow on one another from the place `first` on.
    """

    place: Place
    rows: int
    amount_total: Decimal
    first: int


@dataclass(frozen=True)
class Settlement:
    """A month of `marts.list_reconciliation`; counts of sets, amount in tenge."""

    list_month: date
    listed: int
    ended: int
    sets: int
    delivered: int
    failed: int
    returned: int
    outstanding: int
    withdrawn: int
    amount_delivered: Decimal


@dataclass(frozen=True)
class Pack:
    """A region's pack, amounts in tenge.

    Attributes:
        region: the region.
        recipients: who lives there and is a recipient on the day, wherever listed.
        districts: in order, as listed.
        lists: the lists of the month, by number.
        settlements: the months of the lists.
        contract_findings: how many.
        longest_row: the bytes of the long texts of its longest row.
        has_commands: whether a text has characters that are not shown as they are.
        cut_cells: how many texts are longer than a cell of a workbook may be.
    """

    region: Place
    recipients: int
    districts: tuple[District, ...]
    lists: tuple[ListOfMonth, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    contract_findings: int = 0
    longest_row: int = 0
    has_commands: bool = False
    cut_cells: int = 0

    @property
    def region_kato(self) -> str:
        """The region's code."""
        return str(self.region.kato)

    @property
    def rows(self) -> int:
        """How many rows the pack has, one per set."""
        return sum(district.rows for district in self.districts)

    @property
    def amount_total(self) -> Decimal:
        """What the region's sets cost together, those withdrawn left out."""
        amounts = (district.amount_total for district in self.districts)
        return sum(amounts, Decimal("0.00"))

    @property
    def first(self) -> int:
        """The place of its first row; the others follow on it."""
        return min((district.first for district in self.districts), default=0)

    @property
    def end(self) -> int:
        """The place behind its last row."""
        return self.first + self.rows


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


def shown_texts(pack: Pack) -> list[str]:
    """Return SQL that puts what cells show in place of texts, where that is another."""
    return [replaced(FREE, shown)] if pack.has_commands else []


def write_csv(connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path) -> None:
    """Write RFC 4180: UTF-8, a header, CRLF; formulas get a leading apostrophe.

    A byte-order mark comes first, by which Excel knows the encoding.
    """
    cells = [
        name if name in _AMOUNTS else without_formula(f"{name}::varchar")
        for name in COLUMNS
    ]
    names = ["\ufeff" + COLUMNS[0], *COLUMNS[1:]]
    columns = ", ".join(
        f'{cell} as "{name}"' for cell, name in zip(cells, names, strict=True)
    )
    with _rows_of(connection, pack, *shown_texts(pack)) as rows:
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


def write_contracts(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path
) -> None:
    """Write what was found of the region's contracts (p28)."""
    csv = path.suffix == ".csv"
    contract = without_formula(shown("contract_id")) if csv else "contract_id"
    options = CSV_OPTIONS if csv else parquet_options(pack.region_kato)
    connection.execute(
        f"copy (select {contract} as contract_id, finding, paragraph"
        " from run.marts.contract_findings as findings where region_kato = $region"
        " order by findings.contract_id, finding)"
        f" to {text_literal(path)} {options}",
        {"region": pack.region_kato},
    )
