"""Excel workbooks of many rows, without Python touching a row.

xlsxwriter makes the workbook (styles, properties, frozen headers, the summary); the
data rows are sheet XML that DuckDB renders from an SQL expression and that is streamed
into the sheets. Every value is a text cell with a text format, so Excel neither strips
an identifier's leading zeros nor takes a text for a formula; amounts are numbers.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
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


@dataclass(frozen=True)
class SheetColumn:
    """A column of the data sheets: its name, its width in characters, its kind."""

    name: str
    width: int
    is_amount: bool = False


@dataclass(frozen=True)
class Styles:
    """The numbers the workbook's styles have in its sheets' XML."""

    text: int
    amount: int


@dataclass(frozen=True)
class Sheet:
    """A data sheet: its name, how many rows follow the header, and their XML.

    `rows_xml` gets the workbook's styles and yields what `row_sql` rendered, in order.
    """

    name: str
    rows: int
    rows_xml: Callable[[Styles], Iterable[bytes | memoryview]]


@dataclass(frozen=True)
class Summary:
    """The first sheet: labelled facts, then a table of counts with its header."""

    facts: Sequence[tuple[str, str | int | float]]
    header: Sequence[str]
    table: Sequence[Sequence[str | int | float]]


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
    if column.is_amount:
        start = f"""'<c r="{letter}' || {row} || '" s="{styles.amount}"><v>'"""
        return f"coalesce({start} || {column.name}::varchar || '</v></c>', '')"
    text = _escaped_sql(f"{column.name}::varchar")
    start = f"""'<c r="{letter}' || {row} || '" s="{styles.text}" t="inlineStr">'"""
    opened = f"""{start} || '<is><t xml:space="preserve">'"""
    return f"coalesce({opened} || {text} || '</t></is></c>', '')"


def row_sql(columns: Sequence[SheetColumn], row: str, styles: Styles) -> str:
    """Return an SQL expression for a row's XML.

    Args:
        columns: the columns, from A on; their names are columns in the query, with no
            text longer than a cell may be and no control character but tab and line.
        row: SQL for the sheet's row number, as text.
        styles: the workbook's styles.
    """
    cells = ", ".join(
        _cell_sql(column, xl_col_to_name(position), row, styles)
        for position, column in enumerate(columns)
    )
    return f"""concat('<row r="', {row}, '">', {cells}, '</row>')"""


def _skeleton(
    summary: Summary,
    columns: Sequence[SheetColumn],
    sheets: Sequence[Sheet],
    created: date,
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
    bold = workbook.add_format({"bold": True})
    text = workbook.add_format({"num_format": "@"})
    amount = workbook.add_format({"num_format": "#,##0.00"})
    _summary_sheet(workbook, summary, bold=bold, text=text, amount=amount)
    for sheet in sheets:
        page = workbook.add_worksheet(sheet.name)
        page.freeze_panes(1, 0)
        page.autofilter(0, 0, sheet.rows, len(columns) - 1)
        for position, column in enumerate(columns):
            style = amount if column.is_amount else text
            page.set_column(position, position, column.width, style)
            page.write_string(0, position, column.name, bold)
    workbook.close()
    return file.getvalue(), Styles(text=text.xf_index, amount=amount.xf_index)


def _summary_sheet(
    workbook: xlsxwriter.Workbook,
    summary: Summary,
    *,
    bold: xlsxwriter.format.Format,
    text: xlsxwriter.format.Format,
    amount: xlsxwriter.format.Format,
) -> None:
    page = workbook.add_worksheet("Summary")
    page.set_column(0, 3, 18)

    def write(row: int, column: int, value: str | float) -> None:
        if isinstance(value, str):
            page.write_string(row, column, value, text)
        else:
            page.write_number(
                row, column, value, amount if isinstance(value, float) else None
            )

    for row, (label, value) in enumerate(summary.facts):
        page.write_string(row, 0, label, bold)
        write(row, 1, value)
    top = len(summary.facts) + 1
    for column, label in enumerate(summary.header):
        page.write_string(top, column, label, bold)
    page.freeze_panes(top + 1, 0)
    for row, values in enumerate(summary.table, start=top + 1):
        for column, value in enumerate(values):
            write(row, column, value)


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
    path: Path,
    summary: Summary,
    columns: Sequence[SheetColumn],
    sheets: Sequence[Sheet],
    created: date,
) -> None:
    """Write a workbook: the summary, then the data sheets in order.

    The same arguments give the same bytes. A sheet has at most `MAX_ROWS` rows.

    Raises:
        OSError: the file cannot be written.
    """
    skeleton, styles = _skeleton(summary, columns, sheets, created)
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
