"""Text in its owner's spelling becomes the text of the registries, or stands out."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from komek.base import registries
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.base.say import no_progress, silent
from komek.landing.dialect import Dialect, canonical_text
from komek.landing.land import Landing, Place
from komek.landing.snapshots import newest_snapshots
from landed_drop import DAY, put, rows_of

NORMS = registries.entity("food_set_norms")
HEADINGS = {"№": "norm_id", "КАТО": "kato", "Стоимость": "set_cost", "С": "valid_from"}
HEADER = "№;КАТО;mode;Стоимость;С;valid_to;decided_on;act_ref\n"
GOOD = "n1;110000000;cash;5302,50;01.04.2020;;2020/04/01;НПА\n"
DIALECT = Dialect(
    encoding="cp1251",
    delimiter=";",
    dates=("%d.%m.%Y", "%Y/%m/%d"),
    decimal=",",
    nulls=("NULL", "-"),
    columns=HEADINGS,
)
LANDED = ("n1", "110000000", "cash", "5302.50", "2020-04-01", None, "2020-04-01", "НПА")


def land(home: Home, drop: Path, dialect: Dialect) -> None:
    landing = Landing(home, silent, no_progress)
    landing.land_entity(Place(drop, "drop", dialect), NORMS, None)
    landing.end()


def landed(home: Home, drop: Path, content: bytes | str, dialect: Dialect) -> list:
    put(drop, f"food_set_norms/{DAY}.csv", content)
    land(home, drop, dialect)
    return rows_of(newest_snapshots(home, "food_set_norms")[-1])


def test_a_file_is_read_as_its_owner_writes(home: Home, drop: Path) -> None:
    content = HEADER + GOOD + "NULL;-;cash;1;;NULL;-;\nlost\n"
    rows = landed(home, drop, content.encode("cp1251"), DIALECT)
    assert rows[0] == (*LANDED, None)
    assert rows[1] == (None, None, "cash", "1", None, None, None, None, None)
    assert rows[2][-1] == "lost"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "kz1048"])
def test_an_encoding_is_the_one_declared(home: Home, drop: Path, encoding: str) -> None:
    dialect = Dialect(**{**DIALECT.__dict__, "encoding": encoding})
    content = (HEADER + GOOD).encode(encoding)
    assert landed(home, drop, content, dialect) == [(*LANDED, None)]


def test_what_is_not_written_as_declared_stands_out(home: Home, drop: Path) -> None:
    """Else a rule would take it for what it may not be."""
    row = "n1;110000000;cash;5302.50;2020-04-01;1.4.2020;31.02.2020;x\n"
    rows = landed(home, drop, (HEADER + row).encode("cp1251"), DIALECT)
    assert rows[0][3:7] == ("?5302.50", "?2020-04-01", "2020-04-01", "?31.02.2020")


def test_a_header_may_stand_below_a_title(home: Home, drop: Path) -> None:
    dialect = Dialect(**{**DIALECT.__dict__, "header_row": 3})
    content = 'Нормы "на апрель\r\n\r\n' + (HEADER + GOOD).replace("\n", "\r\n")
    assert landed(home, drop, content.encode("cp1251"), dialect) == [(*LANDED, None)]
    put(drop, f"food_set_norms/{DAY}.csv", "one\n")
    with pytest.raises(StoppedError, match="it has no line 3 for a header"):
        land(home, drop, dialect)


@pytest.mark.parametrize(
    ("quote", "text", "read"),
    [
        ('"', '"a;""b"', 'a;"b'),
        ("'", "'a;''b\"'", "a;'b\""),
        (None, "\"a'b", "\"a'b"),
    ],
)
def test_quotes_are_those_declared(
    home: Home, drop: Path, quote: str | None, text: str, read: str
) -> None:
    dialect = Dialect(**{**DIALECT.__dict__, "quote": quote})
    content = HEADER + GOOD.replace("НПА", text) + "lost;\n"
    rows = landed(home, drop, content.encode("cp1251"), dialect)
    assert rows[0][7] == read
    assert rows[1][-1] == "lost;"


def test_letters_of_another_encoding_are_refused(home: Home, drop: Path) -> None:
    content = (
        "kato,name_ru,name_kk,valid_from,valid_to\n110000000,Қ,Қазақ,2019-01-01,\n"
    )
    put(drop, f"kato/{DAY}.csv", content.encode("kz1048"))
    place = Place(drop, "drop", Dialect(encoding="cp1251"))
    landing = Landing(home, silent, no_progress)
    landing.land_entity(place, registries.entity("kato"), None)
    (refusal,) = landing.refusals
    assert "it looks like kz1048 read as cp1251" in refusal.text


def test_words_for_true_and_false() -> None:
    signed = next(
        one for one in registries.entity("applications").columns if one.name == "signed"
    )
    dialect = Dialect(trues=("да", "иә"), falses=("нет",))
    told = [canonical_text(text, signed, dialect) for text in ("да", "нет", "true")]
    assert told == ["true", "false", "?true"]
    assert canonical_text("true", signed, Dialect()) == "true"


# Workbooks


def book(path: Path, *rows: tuple, title: bool = True, sheet: str = "Нормы") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as written:
        written.add_worksheet("О файле")
        page = written.add_worksheet(sheet)
        day = written.add_format({"num_format": "dd.mm.yyyy"})
        first = 3 if title else 0
        if title:
            page.write(0, 0, "Нормы на апрель")
        for number, row in enumerate(rows, start=first):
            for place, cell in enumerate(row, start=1):
                if isinstance(cell, date):
                    page.write_datetime(number, place, cell, day)
                elif cell is not None:
                    page.write(number, place, cell)


SHEET = Dialect(sheet="Нормы", header_row=4, columns=HEADINGS, dates=("%d.%m.%Y",))
NAMES = tuple(HEADER.strip().split(";"))
APRIL = date(2020, 4, 1)
ROW = ("n1", "110000000", "cash", 5302.1, APRIL, None, "01.04.2020", "НПА")


def test_a_workbook_is_its_sheet(home: Home, drop: Path) -> None:
    path = drop / f"food_set_norms/{DAY}.xlsx"
    empty = (None,) * 8
    odd = ("n2", "x", True, 7, 43951, "43951", None, 3.5)
    book(path, NAMES, ROW, empty, odd)
    land(home, drop, SHEET)
    (snapshot,) = newest_snapshots(home, "food_set_norms")
    assert rows_of(snapshot) == [
        (*LANDED[:3], "5302.1", *LANDED[4:], None),
        ("n2", "x", "true", "7", "?43951", "?43951", None, "3.5", None),
    ]
    assert snapshot.files[0].format == "xlsx"


def test_a_number_as_an_identifier_stops_with_its_cell(home: Home, drop: Path) -> None:
    path = drop / f"food_set_norms/{DAY}.xlsx"
    book(path, NAMES, ROW, ("n2", 110000000, *ROW[2:]))
    with pytest.raises(StoppedError) as stopped:
        land(home, drop, SHEET)
    assert (
        f"food_set_norms/{DAY}.xlsx: sheet Нормы, cell C6: a number in the column of"
        " identifiers kato: its leading zeros are lost"
    ) in str(stopped.value)
    assert newest_snapshots(home, "food_set_norms") == []


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (Dialect(), "has 2 sheets, and its dialect says not which"),
        (Dialect(sheet="Другой"), "has no sheet 'Другой'"),
        (Dialect(sheet="Нормы", header_row=2), "sheet Нормы: row 2 has no headings"),
        (Dialect(sheet="Нормы", header_row=99), "sheet Нормы: row 99 has no headings"),
    ],
)
def test_a_workbook_that_is_another_is_refused(
    home: Home, drop: Path, dialect: Dialect, said: str
) -> None:
    book(drop / f"food_set_norms/{DAY}.xlsx", NAMES, ROW)
    with pytest.raises(StoppedError, match=said):
        land(home, drop, dialect)


def test_a_workbook_that_is_none_is_refused(home: Home, drop: Path) -> None:
    put(drop, f"food_set_norms/{DAY}.xlsx", "norm_id\n")
    with pytest.raises(StoppedError, match="is no whole workbook"):
        land(home, drop, Dialect())
    path = drop / f"food_set_norms/{DAY}.xlsx"
    book(path, NAMES, ROW)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(StoppedError, match="is no whole workbook"):
        land(home, drop, Dialect())


def test_a_column_without_a_heading_is_one_more(home: Home, drop: Path) -> None:
    book(drop / f"food_set_norms/{DAY}.xlsx", NAMES, (*ROW, "примечание"))
    land(home, drop, SHEET)
    (snapshot,) = newest_snapshots(home, "food_set_norms")
    assert [column.name for column in snapshot.files[0].columns][-1] == "column J"
