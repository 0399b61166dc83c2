"""A paper as PDF, for signing: typst sets it, a volume at a time.

What is filled in goes to typst as JSON and is text there, never markup. Fonts come with
typst, and no clock is looked at: the same paper gives the same bytes. A long paper is
several volumes, each with its own pages, head and signatures, so that neither memory
nor a binder bursts; volumes are set at the same time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from komek.base.errors import KomekError
from komek.base.files import put
from komek.papers.paper import BLANK, RUN, Cell, Column, Kind, Paper, Section, Table
from komek.papers.sheets import joined
from komek.papers.words import Words, shown
from komek.publishing.cells import shown as shown_sql

TEMPLATE = Path(__file__).with_name("paper.typ")
TYPESETTER = Path(__file__).with_name("typesetter.py")
# Rows of a volume, at most: some sixty pages.
VOLUME_ROWS = 2_000
_ARROW_ROWS = 10_000
# What a cell of a page shows of a text; the workbook has more.
_MOST = 240
# A long run of letters may break after so many.
_AFTER = 18
_ALIGNED = {
    Kind.TEXT: "left",
    Kind.AMOUNT: "right",
    Kind.COUNT: "right",
    Kind.DATE: "left",
}


@dataclass(frozen=True)
class _Volume:
    """The sections, or parts of them, of one PDF."""

    number: int
    of: int
    parts: Sequence[Section]


def write_pages(
    connection: duckdb.DuckDBPyConnection, paper: Paper, folder: Path
) -> list[Path]:
    """Write a paper's PDF, or those of its volumes.

    Raises:
        OSError, duckdb.Error: they cannot be written.
    """
    volumes = _volumes(paper)
    threads = min(os.cpu_count() or 1, len(volumes))
    written: list[Path] = []
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting: list[tuple[Path, Future[bytes]]] = []

        def write_first() -> None:
            path, pages = waiting.pop(0)
            put(path, pages.result())
            written.append(path)

        for volume in volumes:
            # No more are held than are being set.
            if len(waiting) > threads:
                write_first()
            texts = _texts(connection, paper, volume)
            end = f"-v{volume.number:02}" if volume.of > 1 else ""
            path = folder / f"{paper.stem}{end}.pdf"
            waiting.append((path, pool.submit(_set, texts)))
        while waiting:
            write_first()
    return written


def _set(texts: dict[str, str]) -> bytes:
    """Return the PDF of the template and its texts.

    Raises:
        KomekError: it cannot be set.
    """
    given = {"template": TEMPLATE.read_text(encoding="utf-8"), "texts": texts}
    done = subprocess.run(
        [sys.executable, "-I", TYPESETTER],
        input=json.dumps(given).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode or not done.stdout:
        # What typst says may quote a text: it is not repeated.
        raise KomekError(f"a PDF cannot be set: typst ended with {done.returncode}")
    return done.stdout


def _volumes(paper: Paper) -> list[_Volume]:
    """Return the volumes: sections in order, each as full as it may be."""
    continued = Words(paper.lang)("label.continued")
    filled: list[list[Section]] = [[]]
    room = VOLUME_ROWS
    for section in paper.sections:
        # A section that would fit whole in a volume is not parted.
        if room < section.rows <= VOLUME_ROWS and filled[-1]:
            filled.append([])
            room = VOLUME_ROWS
        first, end = section.first, section.first + section.rows
        while True:
            rows = min(room, end - first)
            filled[-1].append(section.part(first, rows, continued))
            first, room = first + rows, room - rows
            if first >= end:
                break
            filled.append([])
            room = VOLUME_ROWS
    return [
        _Volume(number, len(filled), parts) for number, parts in enumerate(filled, 1)
    ]


def _texts(
    connection: duckdb.DuckDBPyConnection, paper: Paper, volume: _Volume
) -> dict[str, str]:
    """Return what the template reads, as JSON: the head, the rows of each part."""
    words = Words(paper.lang)
    said = {
        "lang": paper.lang,
        "landscape": paper.landscape,
        "title": paper.title,
        "volume": words("label.volume", number=volume.number, of=volume.of)
        if volume.of > 1
        else "",
        "approve": words("label.approve") if paper.approval else "",
        "approval": paper.approval,
        "line_date": words("label.line_date"),
        "facts": [[label, shown(value)] for label, value in paper.facts],
        "notes": list(paper.notes) if volume.number == 1 else [],
        "tables": [_table(one) for one in paper.tables] if volume.number == 1 else [],
        "sections": [_part(one, words) for one in volume.parts],
        "signatures": [one.role for one in paper.signatures],
        "is_signed_whole": not any(one.is_signed for one in paper.sections),
        "line_signature": words("label.line_signature"),
        "line_name": words("label.line_name"),
        "footer": words("label.footer", code=paper.code, run_id=paper.run_id),
        "page": words("label.page"),
        "nothing": words("label.nothing"),
    }
    texts = {"paper": json.dumps(said, ensure_ascii=False)}
    for number, part in enumerate(volume.parts):
        texts[f"rows-{number}"] = b"".join(_rows(connection, part)).decode()
    return texts


def _part(part: Section, words: Words) -> dict[str, object]:
    columns = _columns(part)
    return {
        "title": part.title,
        "notes": list(part.notes),
        "breaks": part.breaks,
        "headings": [one.heading for one in columns],
        "widths": [one.width for one in columns],
        "aligned": [_ALIGNED[one.kind] for one in columns],
        "totals": [[label, shown(value)] for label, value in part.totals],
        "total": words("label.total"),
        "is_signed": part.is_signed,
        # Who signs in a row needs room for it.
        "is_tall": any(one.sql == BLANK for one in columns),
        "is_long": part.rows > VOLUME_ROWS // 4,
    }


def _columns(part: Section) -> list[Column]:
    return [column for column in part.columns if column.on != "sheet"]


def _table(table: Table) -> dict[str, object]:
    def is_number(value: Cell) -> bool:
        return not isinstance(value, str)

    return {
        "title": table.title,
        "headings": list(table.header),
        "rows": [[shown(value) for value in row] for row in table.rows],
        "aligned": [
            "right" if any(is_number(row[column]) for row in table.rows) else "left"
            for column in range(len(table.header) or 2)
        ]
        if table.rows
        else ["left"] * len(table.header),
    }


def _rows(connection: duckdb.DuckDBPyConnection, part: Section) -> Iterator[bytes]:
    """Yield the rows of a part as JSON: a list of lists of texts."""
    columns = _columns(part)
    is_odd = part.is_odd(connection)
    cells = ", ".join(_cell(one, n, is_odd) for n, one in enumerate(columns))
    query = (
        f"select to_json([{cells}])::varchar from ({part.cells(columns)})"
        " order by place"
    )
    yield b"["
    between = b""
    for batch in connection.execute(query).to_arrow_reader(_ARROW_ROWS):
        yield between + bytes(joined(batch.column(0), ","))
        between = b","
    yield b"]"


def _cell(column: Column, number: int, is_odd: bool) -> str:
    """Return SQL for what a cell shows of `cell_<number>`."""
    sql = f"cell_{number}"
    if column.kind is Kind.DATE:
        text = f"strftime({sql}, '%d.%m.%Y')"
    elif column.kind is Kind.AMOUNT:
        whole = _grouped(f"trunc(abs({sql}))::bigint")
        cents = f"right(({sql})::decimal(18, 2)::varchar, 2)"
        text = f"concat(case when {sql} < 0 then '-' end, {whole}, ',', {cents})"
        text = f"case when {sql} is not null then {text} end"
    elif column.kind is Kind.COUNT:
        text = _grouped(f"({sql})::bigint")
    elif column.is_free and is_odd:
        text = _free(sql)
    else:
        text = f"{sql}::varchar"
    return f"coalesce({text}, '')"


def _grouped(number: str) -> str:
    """Return SQL for a whole number in groups of three."""
    return f"replace(format('{{:,}}', {number}), ',', '\u00a0')"


def _free(sql: str) -> str:
    """Return SQL for a text that somebody wrote: short, harmless, and it can break."""
    cut = f"left({sql}, {_MOST}) || '…'"
    short = f"case when length({sql}) > {_MOST} then {cut} else {sql} end"
    text = shown_sql(f"({short})")
    broken = rf"regexp_replace({text}, '(\S{{{_AFTER}}})', '\1' || chr(8203), 'g')"
    is_run = rf"regexp_matches({text}, '\S{{{RUN}}}')"
    return f"case when {is_run} then {broken} else {text} end"
