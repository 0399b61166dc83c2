"""Papers as a reader has them: the cells of workbooks, the text of PDF pages."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
from pypdf import PdfReader

PAYER = """
[payer]
name = "ГУ «Управление занятости» & Co <тест>"
bin = "000140000025"
iban = "KZ35070KK1KS00000001"
bic = "KKMFKZ2A"
kod = "12"
kbe = "19"
knp = "000"
purpose = "Продуктово-бытовой набор за {month}, пункт 29 Правил"

[regions.790000000]
bin = "000240000025"

[banks]
125 = "BANKKZKX"
"""
MARKUP = '#import "a": * $x$ *b* _i_ `c` \\u{41} @r <l> // = \\ ~ -- [k] ]'
# By IIN, of people who are listed: of each kind of region one at least.
HOSTILE = {
    "020215600597": '=HYPERLINK("http://a","b")',
    "020216600562": MARKUP,
    "020331600558": "Ж" * 3_000,
    "020420601133": "a\x1b[2J\x07b\x9bc",
    "020421600041": "\u202eобратно\u202c",
    "020421601159": "אבגד",
    "100211602013": '=HYPERLINK("http://a","b")',
    "100212602029": MARKUP,
    "100310602100": MARKUP,
    "701010401365": '@SUM(1+1)*cmd|" /C calc"!A0',
}


def sheets(path: Path) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield the sheets of a workbook behind the first: header and rows as they are."""
    for sheet in openpyxl.load_workbook(path).worksheets[1:]:
        yield sheet.title, [*sheet.iter_rows(values_only=True)]


def title_sheet(path: Path) -> dict[str, Any]:
    """Return the first sheet's rows by what stands first in them."""
    first = openpyxl.load_workbook(path).worksheets[0]
    found: dict[str, Any] = {}
    for row in first.iter_rows(values_only=True):
        if row[0]:
            found.setdefault(str(row[0]), row[1])
    return found


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of all lists of a workbook, by heading."""
    return [
        dict(zip(rows[0], row, strict=True))
        for _, rows in sheets(path)
        for row in rows[1:]
    ]


def pages(*paths: Path) -> list[str]:
    """Return the text of the pages of PDFs."""
    return [text for path in paths for text in _pages(path)]


@cache
def _pages(path: Path) -> tuple[str, ...]:
    return tuple(page.extract_text() for page in PdfReader(path).pages)


def squeezed(text: str) -> str:
    """Return a text without what breaks lines: pages break them where they like."""
    return re.sub(r"[\s\u200b\u00a0]", "", text)


def on_page(value: object) -> str:
    """Return a cell's value as a page has it, squeezed."""
    if isinstance(value, datetime | date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, float):
        return f"{value:.2f}".replace(".", ",")
    return squeezed(str(value))


def pdfs(workbook: Path) -> list[Path]:
    """Return the PDF, or its volumes, of a workbook."""
    stem = workbook.stem
    return sorted(
        path
        for path in workbook.parent.glob(f"{stem}*.pdf")
        if re.fullmatch(rf"{re.escape(stem)}(-v\d+)?", path.stem)
    )
