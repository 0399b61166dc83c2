"""Excel workbooks of many rows, without Python touching a row.

xlsxwriter makes the workbook (styles, properties, frozen headers, the summary); the
data rows are sheet XML that DuckDB renders from an SQL expression and that is streamed
into the sheets. Texts are text cells with a text format, so Excel neither strips an
identifier's leading zeros nor takes one for a formula; amounts, counts and dates are
numbers. Sheets print on landscape A4, as wide as a page, each page with the header.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

# Excel's own limit is 1,048,576 rows; one of them is the header.
MAX_ROWS = 1_048_575
# What XML cannot hold and is no control character, inside a regular expression's [].
_NOT_XML = r"\x{FFFE}\x{FFFF}"
# From this many rows a sheet's XML may pass 2 GiB, where the zip needs another header.
_LARGE_SHEET = 500_000
# Half the time of the default for a tenth more bytes.
_LEVEL = 1
# What Excel counts days from, and its number of the paper.
_DAY_0 = "1899-12-30"
_A4 = 9
_SUMMARY_COLUMNS = 10


class Kind(Enum):
    """What the cells of a column are."""

    TEXT = "@"
    AMOUNT = "#,##0.00"
    COUNT = "#,##0"
    DATE = "dd.mm.yyyy"


@dataclass(frozen=True)
class SheetColumn:
    """A column of a data sheet: its heading, width in characters, SQL and kind."""

    heading: str
    width: int
    sql: str
    kind: Kind = Kind.TEXT


# The number each kind's style has in the XML of a workbook's sheets.
Styles = Mapping[Kind, int]
Cell = str | int | Decimal | date


@dataclass(frozen=True)
class Sheet:
    """A data sheet: its name, its columns, how many rows follow the header, their XML.

    `rows_xml` gets the workbook's styles and yields what `row_sql` rendered, in order.
    """

    name: str
    columns: Sequence[SheetColumn]
    rows: int
    rows_xml: Callable[[Styles], Iterable[bytes | memoryview]]


@dataclass(frozen=True)
class Table:
    """A small table of the first sheet: its title, its header, its rows."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Summary:
    """The first sheet: its name, labelled facts, then tables."""

    name: str
    facts: Sequence[tuple[str, Cell]]
    tables: Sequence[Table]


def _escaped_sql(text: str) -> str:
    """Return SQL for a text as XML, free of characters that XML cannot hold."""
    clean = f"regexp_replace({text}, '[{_NOT_XML}]', '', 'g')"
    # Excel reads _x0041_ as the letter A: escape what only looks like an escape.
    clean = f"regexp_replace({clean}, '_(x[0-9A-Fa-f]{{4}}_)', '_x005F_\\1', 'g')"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        clean = f"replace({clean}, '{character}', '{entity}')"
    # Few texts need any of it, and one look is cheaper than five replacements.
    special = f"regexp_matches({text}, '[&<>_{_NOT_XML}]')"
    return f"case when {special} then {clean} else {text} end"


def _cell_sql(column: SheetColumn, letter: str, row: str, styles: Styles) -> str:
    """Return SQL for one cell's XML, '' where the value is null."""
    start = f"""'<c r="{letter}' || {row} || '" s="{styles[column.kind]}"'"""
    if column.kind is Kind.TEXT:
        text = _escaped_sql(f"({column.sql})::varchar")
        opened = f"""{start} || ' t="inlineStr"><is><t xml:space="preserve">'"""
        return f"coalesce({opened} || {text} || '</t></is></c>', '')"
    number = column.sql
    if column.kind is Kind.DATE:
        number = f"date_diff('day', date '{_DAY_0}', {column.sql})"
    return f"coalesce({start} || '><v>' || ({number})::varchar || '</v></c>', '')"


def row_sql(columns: Sequence[SheetColumn], row: str, styles: Styles) -> str:
    """Return an SQL expression for a row's XML.

    Args:
        columns: the columns, from A on; their SQL gives no text longer than a cell may
            be, no control character but tab and line, and no day before March 1900.
        row: SQL for the sheet's row number, as text.
        styles: the workbook's styles.
    """
    cells = ", ".join(
        _cell_sql(column, xl_col_to_name(position), row, styles)
        for position, column in enumerate(columns)
    )
    return f"""concat('<row r="', {row}, '">', {cells}, '</row>')"""


def _skeleton(
    summary: Summary, sheets: Sequence[Sheet], created: date
) -> tuple[bytes, Styles]:
    """Return the workbook without its data rows, and its styles."""
    file = BytesIO()
    workbook = xlsxwriter.Workbook(
        file,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    # Excel stores when a workbook was made: the run's date, so that bytes repeat.
    made = datetime(created.year, created.month, created.day, tzinfo=UTC)
    workbook.set_properties({"created": made})
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    formats = {
        kind: workbook.add_format(
            {"num_format": kind.value, "valign": "top", "text_wrap": kind is Kind.TEXT}
        )
        for kind in Kind
    }
    _summary_sheet(workbook, summary, bold, formats)
    for sheet in sheets:
        page = workbook.add_worksheet(sheet.name)
        _set_up_print(page)
        page.repeat_rows(0)
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, sheet.rows, len(sheet.columns) - 1)
        for position, column in enumerate(sheet.columns):
            page.set_column(position, position, column.width, formats[column.kind])
            page.write_string(0, position, column.heading, bold)
    workbook.close()
    return file.getvalue(), {kind: formats[kind].xf_index for kind in Kind}


def _set_up_print(page: xlsxwriter.worksheet.Worksheet) -> None:
    page.set_landscape()
    page.set_paper(_A4)
    page.set_margins(left=0.3, right=0.3, top=0.4, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.set_footer("&L&A&R&P / &N")


def _summary_sheet(
    workbook: xlsxwriter.Workbook,
    summary: Summary,
    bold: xlsxwriter.format.Format,
    formats: Mapping[Kind, xlsxwriter.format.Format],
) -> None:
    page = workbook.add_worksheet(summary.name)
    _set_up_print(page)
    page.set_column(0, 0, 44)
    page.set_column(1, _SUMMARY_COLUMNS, 18)

    def write(row: int, column: int, value: Cell) -> None:
        kind = _kind_of(value)
        if kind is Kind.TEXT:
            page.write_string(row, column, value, formats[kind])
        elif kind is Kind.DATE:
            page.write_datetime(row, column, value, formats[kind])
        else:
            page.write_number(row, column, value, formats[kind])

    row = 0
    for label, value in summary.facts:
        page.write_string(row, 0, label, bold)
        write(row, 1, value)
        row += 1
    for table in summary.tables:
        page.write_string(row + 1, 0, table.title, bold)
        for column, label in enumerate(table.header):
            page.write_string(row + 2, column, label, bold)
        row += 3
        for values in table.rows:
            for column, value in enumerate(values):
                write(row, column, value)
            row += 1


def _kind_of(value: Cell) -> Kind:
    kinds = {str: Kind.TEXT, int: Kind.COUNT, Decimal: Kind.AMOUNT, date: Kind.DATE}
    return kinds[type(value)]


def _fill(
    target: zipfile.ZipFile, name: str, empty: str, sheet: Sheet, styles: Styles
) -> None:
    """Write a sheet: the skeleton's XML with the data rows behind its header row."""
    # The skeleton says A1:<last column>1 for its one row.
    last = f':\\g<1>{sheet.rows + 1}"'
    sized = re.sub(r'(?<=<dimension ref="A1):([A-Z]+)1"', last, empty, count=1)
    head, end, tail = sized.partition("</sheetData>")
    with target.open(name, "w", force_zip64=sheet.rows > _LARGE_SHEET) as file:
        file.write(head.encode())
        for xml in sheet.rows_xml(styles):
            file.write(xml)
        file.write((end + tail).encode())


def write_workbook(
    path: Path, summary: Summary, sheets: Sequence[Sheet], created: date
) -> None:
    """Write a workbook: the summary, then the data sheets in order.

    The same arguments give the same bytes. A sheet has at most `MAX_ROWS` rows.

    Raises:
        OSError: the file cannot be written.
    """
    skeleton, styles = _skeleton(summary, sheets, created)
    # The summary is sheet1.xml; xlsxwriter numbers the rest in order.
    filled = {
        f"xl/worksheets/sheet{number}.xml": sheet
        for number, sheet in enumerate(sheets, start=2)
    }
    with (
        zipfile.ZipFile(BytesIO(skeleton)) as source,
        zipfile.ZipFile(
            path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
        ) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name in filled:
                _fill(target, name, content.decode(), filled[name], styles)
            else:
                # Opened by name an entry is dated 1980: no clock in the bytes.
                with target.open(name, "w") as file:
                    file.write(content)
