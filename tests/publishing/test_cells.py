"""What cells of a pack show: nothing that is obeyed, nothing too long, every letter."""

import json
import re
from pathlib import Path

import pytest

from finished_run import AKMOLA, AKTOBE, Recipient, finish_run
from komek.base import database
from komek.base.errors import printable
from komek.base.places import Home
from komek.base.settings import KEY
from komek.publishing import listed_rows, pack_rows
from komek.publishing.cells import CUT, MOST_UNITS, cut, is_cut, shown
from komek.publishing.pack_files import add_pack_key, read_parquet
from komek.publishing.packs import PACK_MANIFEST
from komek.publishing.words import texts, words
from written_packs import (
    FIRST_SHEETS,
    NAMES,
    csv_rows,
    packed,
    parquet_rows,
    sheet_rows,
    workbook,
    write,
)

# A bell, a colour of a terminal, a direction turned round, what is not seen at all.
COMMANDS = "a\x00\x07\x1b[31m\x7f\x85\x9b\u00ad\u061c\u200b\u200f\u202e\u2066\u2028z"
BEYOND = "\U000e0041\U0001d173"
HARMLESS = "Қазақстан «область» № 1\u00a0— 😀\tтак\r\nи \\u202e так"


def said(sql: str, text: str) -> object:
    with database.connect() as connection:
        query = f"select {sql} from (select $text as given)"
        (value,) = connection.execute(query, {"text": text}).fetchone() or (None,)
    return value


def person(iin: int, **values: str) -> Recipient:
    return Recipient(f"{iin:012}", **values)


# What is obeyed


@pytest.mark.parametrize("text", [COMMANDS, BEYOND, f"{HARMLESS}{COMMANDS}", HARMLESS])
def test_a_text_is_shown_as_it_is_in_messages(text: str) -> None:
    assert said(shown("given"), text) == printable(text, keep="\t\r\n")


def test_nothing_is_shown_for_nothing() -> None:
    assert said(shown("nullif(given, '')"), "") is None


@pytest.mark.parametrize("column", ["last_name", "address", "contract_id", "iban"])
def test_a_name_is_shown_harmlessly_and_kept_as_it_is(
    tmp_path: Path, column: str
) -> None:
    people = (
        person(101, **{column: COMMANDS}),
        person(202, **{column: HARMLESS}),
        person(303, region_kato=AKTOBE, district_kato="151000000"),
    )
    month = packed(tmp_path, people)

    seen = [printable(COMMANDS, keep=""), HARMLESS]
    assert [row[column] for row in csv_rows(month / AKMOLA)] == seen
    heading = texts()[f"heading.{column}"][0]
    assert [row[heading] for row in sheet_rows(month / AKMOLA)] == [
        # A parser of XML reads a carriage return and a line feed as one.
        text.replace("\r\n", "\n")
        for text in seen
    ]
    kept = [row[column] for row in parquet_rows(month / AKMOLA)]
    assert kept == [COMMANDS, HARMLESS]
    assert len(csv_rows(month / AKTOBE)) == 1


# What Excel takes for the encoding


def test_excel_is_told_the_encoding(tmp_path: Path) -> None:
    pack = packed(tmp_path, (person(101, last_name="Қасымов"),)) / AKMOLA
    content = (pack / "recipients.csv").read_bytes()

    assert content.startswith(b"\xef\xbb\xbflist_month,list_no,")
    assert content.count(b"\xef\xbb\xbf") == 1
    with database.connect() as connection:
        found = connection.execute(f"from read_csv('{pack / 'recipients.csv'}')")
        assert found.fetchone()[NAMES.index("last_name")] == "Қасымов"


# What is too long for a cell


@pytest.mark.parametrize("letter", ["a", "қ", "😀"])
@pytest.mark.parametrize("more", [-1, 0, 1, 2, 60_000])
def test_a_text_is_cut_where_a_cell_ends(letter: str, more: int) -> None:
    units = len(letter.encode("utf-16-le")) // 2
    text = "x" + letter * ((MOST_UNITS + more) // units)
    found = str(said(cut("given"), text))
    length = len(found.encode("utf-16-le")) // 2

    if len(text.encode("utf-16-le")) // 2 <= MOST_UNITS:
        assert (found, said(is_cut("given"), text)) == (text, False)
    else:
        assert said(is_cut("given"), text) is True
        assert found == text[: len(found) - 1] + CUT
        assert length <= MOST_UNITS
        assert length == MOST_UNITS if units == 1 else length > MOST_UNITS // 2


def test_what_was_cut_is_said(tmp_path: Path) -> None:
    people = (
        person(101, address="д" * MOST_UNITS),
        person(202, address="д" * (MOST_UNITS + 1), last_name="ы" * 40_000),
        person(303, region_kato=AKTOBE, district_kato="151000000"),
    )
    month = packed(tmp_path, people)

    addresses = [row["Адрес"] for row in sheet_rows(month / AKMOLA)]
    assert addresses == ["д" * MOST_UNITS, "д" * (MOST_UNITS - 1) + CUT]
    facts = [row[:2] for row in workbook(month / AKMOLA)[FIRST_SHEETS[0]].values]
    assert (words("fact.cut_cells"), 2) in facts
    manifest = json.loads((month / AKMOLA / "manifest.json").read_text("utf-8"))
    assert manifest["files"]["recipients.xlsx"]["cut_cells"] == 2
    for rows in (csv_rows(month / AKMOLA), parquet_rows(month / AKMOLA)):
        assert [row["address"] for row in rows] == [one.address for one in people[:2]]
    others = json.loads((month / AKTOBE / "manifest.json").read_text("utf-8"))
    assert "cut_cells" not in others["files"]["recipients.xlsx"]


# What is long

LONG = tuple(
    person(
        number,
        region_kato=AKTOBE if number % 5 == 0 else AKMOLA,
        district_kato=None if number % 7 == 0 else f"11{number % 3 + 1}000000",
        kato="111230100" if number % 4 else None,
        last_name=f"Қасымов {number}" if number % 3 else None,
        address=f"{COMMANDS if number % 11 == 0 else ''}улица {number}" * (number % 4),
        primary_ground=f"p25_{ground}",
    )
    for number in range(60)
    for ground in ((2, 5) if number % 10 == 1 else (2,))
)


@pytest.mark.parametrize("key", ["", "correct-horse-battery"])
def test_long_texts_are_written_like_short_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(KEY, key)
    short = written(tmp_path / "short")
    monkeypatch.setattr(listed_rows, "LONG_BYTES", 10)
    monkeypatch.setattr(pack_rows, "_BYTES_AT_ONCE", 1_000)
    long = written(tmp_path / "long")

    assert [*long] == [*short]
    for name, content in short.items():
        assert long[name] == content, name


def written(root: Path) -> dict[str, object]:
    """Write packs twice, the second time with changes; return what is in them."""
    moved = tuple(
        person(number, address=f"улица {number}, дом {number % 2}")
        for number in range(60)
    )
    previous = packed(root / "first", moved).parent
    run_file = finish_run(Home(root / "home"), "r1", LONG)
    write(run_file, root, previous=previous)
    packs = sorted((root / "packs" / "2020-04-01").iterdir())
    assert [pack.name for pack in packs] == [AKMOLA, AKTOBE]
    return {
        f"{pack.name}/{file.name}": content(file)
        for pack in packs
        for file in sorted(pack.iterdir())
        if file.name != PACK_MANIFEST
    }


def content(file: Path) -> object:
    """Return what is in a file of a pack, under the region's key if it is encrypted."""
    if file.suffix == ".xlsx":
        # Where changes are named, a long name is its beginning and its hash.
        return re.sub(
            r"… [0-9a-f]{32}",
            "",
            str([[*sheet.values] for sheet in workbook(file.parent).worksheets]),
        )
    if file.suffix == ".csv":
        return file.read_bytes()
    with database.connect() as connection:
        if database.encrypts():
            add_pack_key(connection, file.parent.name)
        query = f"from {read_parquet(file, file.parent.name)}"
        return connection.execute(query).fetchall()
