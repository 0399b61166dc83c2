"""Packs of a finished run's file, written and read again in every format."""

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
from openpyxl.worksheet.worksheet import Worksheet

from finished_run import APRIL, Recipient, finish_run
from komek.base.places import Home
from komek.publishing.listed_rows import gathered
from komek.publishing.pack_files import COLUMNS, Origin, Pack
from komek.publishing.packs import write_packs

ORIGIN = Origin("r1", True, date(2020, 4, 20), APRIL)
NAMES = [*COLUMNS]
# Sheets before those of the districts.
FIRST_SHEETS = ["Сводка · Жиынтық", "Изменения · Өзгерістер"]


def packed(
    root: Path, people: tuple[Recipient, ...], blocked: dict[str, str] | None = None
) -> Path:
    """Write the packs of a run with these people; return the month's folder."""
    run_file = finish_run(Home(root / "home"), "r1", people, blocked=blocked)
    write(run_file, root)
    return root / "packs" / "2020-04-01"


def write(
    run_file: Path, root: Path, origin: Origin = ORIGIN, previous: Path | None = None
) -> list[Pack]:
    """Write the packs of a run into `packs/`."""
    (root / "work").mkdir(exist_ok=True)
    with gathered(run_file, root / "work") as connection:
        return write_packs(connection, root / "packs", origin, previous)


def csv_rows(pack: Path) -> list[dict[str, str]]:
    with (pack / "recipients.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def parquet_rows(pack: Path) -> list[dict[str, object]]:
    return pyarrow.parquet.read_table(pack / "recipients.parquet").to_pylist()


def workbook(pack: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(pack / "recipients.xlsx")


def sheet_rows(pack: Path) -> list[dict[str, object]]:
    """Return the rows of all district sheets by their Russian heading."""
    return [row for sheet in district_sheets(pack) for row in rows_of(sheet)]


def district_sheets(pack: Path) -> list[Worksheet]:
    """Return the sheets of the districts, without those before them."""
    return [
        sheet
        for sheet in workbook(pack).worksheets
        if sheet.title not in (*FIRST_SHEETS, "Договоры · Шарттар")
    ]


def rows_of(sheet: Worksheet) -> list[dict[str, object]]:
    header, *data = sheet.iter_rows(values_only=True)
    headings = [heading.partition(" / ")[0] for heading in header]
    return [dict(zip(headings, row, strict=True)) for row in data]
