import codecs
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from finished_run import AKMOLA, AKTOBE, APRIL, PEOPLE, Recipient, finish_run
from komek.base.errors import StoppedError
from komek.base.files import sha256
from komek.base.places import Home
from komek.publishing import pack_files
from komek.publishing.pack_files import FILES
from komek.publishing.packs import is_whole, write_packs
from written_packs import (
    NAMES,
    ORIGIN,
    csv_rows,
    packed,
    parquet_rows,
    sheet_rows,
    workbook,
)


def test_a_pack_per_published_region(tmp_path: Path) -> None:
    month = packed(tmp_path, PEOPLE, blocked={AKTOBE: "no_norm"})
    assert [folder.name for folder in month.iterdir()] == [AKMOLA]
    assert {file.name for file in (month / AKMOLA).iterdir()} == {
        *FILES,
        "manifest.json",
    }


def test_csv_parquet_and_xlsx_hold_the_same_rows(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    expected = {
        "list_month": APRIL,
        "iin": "000000000202",
        "last_name": "Ахметов",
        "first_name": "Ержан",
        "middle_name": None,
        "address": "улица Абая, 1",
        "region_kato": AKMOLA,
        "district_kato": "111000000",
        "primary_ground": "p25_2",
        "grounds": "p25_2",
        "mode": "in_kind",
        "set_cost": Decimal("5302.00"),
        "allocation": "allocated",
        "contract_id": "C-1",
        "iban": None,
        "amount": Decimal("5302.00"),
    }
    assert list(expected) == NAMES
    assert parquet_rows(pack)[0] == expected
    assert csv_rows(pack)[0] == {
        name: "" if value is None else str(value) for name, value in expected.items()
    }
    assert sheet_rows(pack)[0] == {
        **expected,
        "list_month": "2020-04-01",
        "set_cost": 5302,
        "amount": 5302,
    }


def test_rows_are_in_order_of_district_then_iin_then_ground(tmp_path: Path) -> None:
    people = (
        Recipient("000000000404", district_kato="112000000"),
        Recipient("000000000303", primary_ground="p25_5"),
        Recipient("000000000303", primary_ground="p25_2"),
        Recipient("000000000101"),
    )
    pack = packed(tmp_path, people) / AKMOLA
    expected = [
        ("000000000101", "p25_2"),
        ("000000000303", "p25_2"),
        ("000000000303", "p25_5"),
        ("000000000404", "p25_2"),
    ]
    for rows in (csv_rows(pack), parquet_rows(pack), sheet_rows(pack)):
        assert [(row["iin"], row["primary_ground"]) for row in rows] == expected


def test_manifest_says_what_the_pack_is(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    files = manifest.pop("files")
    assert manifest == {
        "run_id": "r1",
        "official": True,
        "as_of": "2020-04-20",
        "list_month": "2020-04-01",
        "region_kato": AKMOLA,
        "chain_head": None,
        "previous_run": None,
        "recipients": 2,
        "amount_total": "10604.00",
        "districts": {"111000000": 1, "111200000": 1},
    }
    assert files == {
        name: {
            "sha256": sha256(pack / name),
            "bytes": (pack / name).stat().st_size,
            "rows": 0 if name == "changes.csv" else 2,
        }
        for name in FILES
    }


def changes(
    root: Path,
    before: tuple[Recipient, ...] | None,
    after: tuple[Recipient, ...],
    damage: str | None = None,
    lacking: str | None = None,
) -> tuple[list[tuple[str, ...]], dict[str, object]]:
    """Return the rows of Akmola's changes.csv, and the pack's manifest."""
    previous = packed(root / "before", before).parent if before is not None else None
    if previous and damage:
        (previous / "2020-04-01" / AKMOLA / damage).write_bytes(b"x")
    if previous and lacking:
        leave_out(previous / "2020-04-01" / AKMOLA, lacking)
    run_file = finish_run(Home(root / "home"), "r2", after)
    (root / "work").mkdir()
    origin = replace(ORIGIN, run_id="r2")
    write_packs(run_file, root / "packs", root / "work", origin, previous)
    pack = root / "packs" / "2020-04-01" / AKMOLA
    header, *rows, end = (pack / "changes.csv").read_text("utf-8").split("\n")
    assert (header.strip(), end) == ("iin,change,columns", "")
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["changes.csv"]["rows"] == len(rows)
    assert is_whole(pack)
    return [tuple(row.strip().split(",")) for row in rows], manifest


def leave_out(pack: Path, column: str) -> None:
    """Make a pack one of a version that had not the column."""
    file, manifest = pack / "recipients.parquet", pack / "manifest.json"
    rows = pyarrow.parquet.read_table(file).drop_columns([column])
    pyarrow.parquet.write_table(rows, file)
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["files"][file.name]["sha256"] = sha256(file)
    manifest.write_text(json.dumps(said), encoding="utf-8")


def test_changes_since_the_previous_publication(tmp_path: Path) -> None:
    stays, moves, leaves, comes = (
        Recipient(f"{number:012}") for number in (101, 202, 303, 404)
    )
    elsewhere = Recipient("000000000505", AKTOBE, "151000000")
    found, manifest = changes(
        tmp_path,
        (stays, moves, leaves, elsewhere),
        (
            stays,
            replace(moves, district_kato="112000000", iban="KZ00"),
            comes,
            replace(elsewhere, address="улица Абая, 2"),
        ),
    )
    assert found == [
        ("000000000202", "changed", "district_kato|iban"),
        ("000000000303", "removed", ""),
        ("000000000404", "added", ""),
    ]
    assert manifest["previous_run"] == "r1"


def test_changes_take_a_persons_sets_together(tmp_path: Path) -> None:
    sets = tuple(
        Recipient("000000000101", primary_ground=ground)
        for ground in ("p25_2", "p25_5")
    )
    found, _ = changes(tmp_path / "same", sets, sets[::-1])
    assert found == []
    found, _ = changes(tmp_path / "fewer", sets, sets[:1])
    compared = [name for name in NAMES if name not in ("list_month", "iin")]
    assert found == [("000000000101", "changed", "|".join(compared))]


def test_changes_tell_null_from_empty(tmp_path: Path) -> None:
    person = Recipient("000000000101", iban=None)
    found, _ = changes(tmp_path, (person,), (replace(person, iban=""),))
    assert found == [("000000000101", "changed", "iban")]


def test_changes_leave_out_a_column_that_the_previous_pack_had_not(
    tmp_path: Path,
) -> None:
    stays, moves = (Recipient(f"{number:012}", iban="KZ00") for number in (101, 202))
    after = (stays, replace(moves, address="elsewhere", iban="KZ01"))
    found, _ = changes(tmp_path, (stays, moves), after, lacking="iban")
    assert found == [("000000000202", "changed", "address")]


def test_first_publication_of_a_region_has_no_changes(tmp_path: Path) -> None:
    found, manifest = changes(tmp_path / "none", None, PEOPLE)
    assert (found, manifest["previous_run"]) == ([], None)
    found, manifest = changes(tmp_path / "other_region", PEOPLE[2:], PEOPLE)
    assert (found, manifest["previous_run"]) == ([], None)


@pytest.mark.parametrize("damage", ["recipients.parquet", "manifest.json"])
def test_damaged_previous_pack_is_taken_for_none(tmp_path: Path, damage: str) -> None:
    found, manifest = changes(tmp_path, PEOPLE, PEOPLE[1:], damage)
    assert (found, manifest["previous_run"]) == ([], None)


def test_workbook_has_a_summary_and_a_sheet_per_district(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    book = workbook(pack)
    assert book.sheetnames == ["Summary", "111000000", "111200000"]
    summary = [
        tuple(value for value in row if value is not None)
        for row in book["Summary"].iter_rows(values_only=True)
    ]
    assert summary == [
        ("region_kato", AKMOLA),
        ("list_month", "2020-04-01"),
        ("as_of", "2020-04-20"),
        ("run_id", "r1"),
        ("official", "true"),
        ("recipients", 2),
        ("amount_total", 10604),
        (),
        ("district_kato", "recipients", "amount_total"),
        ("111000000", 1, 5302),
        ("111200000", 1, 5302),
    ]
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.dimensions == sheet.auto_filter.ref == "A1:P2"


def test_workbook_cells_are_text_but_amounts(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    header, row = workbook(pack).worksheets[1].iter_rows()
    for name, cell in zip(header, row, strict=True):
        if name.value in ("set_cost", "amount"):
            assert (cell.data_type, cell.number_format) == ("n", "#,##0.00")
        elif cell.value is not None:
            assert (cell.data_type, cell.number_format) == ("s", "@")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_formulas_are_neutralised(tmp_path: Path, first: str) -> None:
    name = f"{first}1+1"
    pack = packed(tmp_path, (Recipient("000000000101", last_name=name),)) / AKMOLA
    assert csv_rows(pack)[0]["last_name"] == f"'{name}"
    assert parquet_rows(pack)[0]["last_name"] == name
    cell = workbook(pack).worksheets[1]["C2"]
    assert cell.data_type == "s"
    # A parser of XML reads a carriage return as a line feed.
    assert cell.value == name.replace("\r", "\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # Shown, it is no sign at a cell's beginning.
        ("\ufeff=1", "\\ufeff=1"),
        ("\u200b\u3000＝1", "\\u200b\u3000＝1"),
        ("\x01\x1f@x", "\\u0001\\u001f@x"),
        # What is not seen before the sign, or taken for the end of a quotation.
        (" =1", "' =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\u3000＝1", "'\u3000＝1"),
        ('"=1', "'\"=1"),
        ("'=1", "''=1"),
        # Where another mark parts the cells, another cell begins.
        ("дом 1;=1", "дом 1;'=1"),
        ("дом 1; +1;-1", "дом 1;' +1;'-1"),
        ("дом\t@x", "дом\t'@x"),
        ("дом\r\n=1\n=2", "дом\r\n'=1\n'=2"),
        (";\n=1", ";\n'=1"),
        ("\t=1", "'\t'=1"),
        ("=1;=2", "'=1;'=2"),
        # None of these is one.
        ("Абай-ата, 1-2", "Абай-ата, 1-2"),
        ("a=1, -2; a@b", "a=1, -2; a@b"),
        ("; ;", "; ;"),
        ("1\t2\n3", "1\t2\n3"),
    ],
    ids=ascii,
)
def test_formulas_are_neutralised_wherever_a_cell_may_begin(
    tmp_path: Path, text: str, written: str
) -> None:
    columns = ("last_name", "first_name", "middle_name", "address")
    columns += ("contract_id", "iban")
    person = Recipient("000000000101", **dict.fromkeys(columns, text))
    pack = packed(tmp_path, (person,)) / AKMOLA
    (row,), (kept,) = csv_rows(pack), parquet_rows(pack)
    assert [row[name] for name in columns] == [written] * len(columns)
    assert [kept[name] for name in columns] == [text] * len(columns)
    cells = {cell.data_type for cell in workbook(pack).worksheets[1][2]}
    assert cells <= {"s", "n"}


def test_changes_name_no_value(tmp_path: Path) -> None:
    """Only the IIN, a code and names of columns: nothing that somebody wrote."""
    person = Recipient("000000000101", address="before")
    evil = replace(person, address="=1", last_name="@x", contract_id="\t=1")
    found, _ = changes(tmp_path, (person,), (evil,))
    assert found == [("000000000101", "changed", "last_name|address|contract_id")]


@pytest.mark.parametrize(
    "text",
    [
        "a=1",
        " padded ",
        'says "yes", <b>&amp;</b>',
        "two\nlines",
        "_x0041_ is no A",
        "Қазақстан 😀",
    ],
)
def test_awkward_text_survives_in_every_format(tmp_path: Path, text: str) -> None:
    pack = packed(tmp_path, (Recipient("000000000101", address=text),)) / AKMOLA
    assert csv_rows(pack)[0]["address"] == text
    assert parquet_rows(pack)[0]["address"] == text
    in_sheet = openpyxl.utils.escape.unescape(sheet_rows(pack)[0]["address"])
    assert in_sheet == text


def test_workbook_drops_what_xml_cannot_hold_and_cuts_what_is_too_long(
    tmp_path: Path,
) -> None:
    people = (
        Recipient("000000000101", address="a\x00b\x0b\ufffec"),
        Recipient("000000000202", address="д" * 40_000),
    )
    pack = packed(tmp_path, people) / AKMOLA
    addresses = [row["address"] for row in sheet_rows(pack)]
    assert addresses[0] == "a\\u0000b\\u000bc"
    assert addresses[1] == "д" * 32_766 + "…"
    assert [row["address"] for row in parquet_rows(pack)] == [
        person.address for person in people
    ]


def test_csv_is_rfc_4180(tmp_path: Path) -> None:
    pack = packed(tmp_path, (Recipient("000000000101", address='a "b", c'),)) / AKMOLA
    header, row, end = (pack / "recipients.csv").read_bytes().split(b"\r\n")
    assert header == codecs.BOM_UTF8 + ",".join(NAMES).encode()
    assert b',"a ""b"", c",' in row
    assert end == b""


def test_a_full_sheet_continues_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_files, "MAX_ROWS", 2)
    people = tuple(Recipient(f"{number:012}") for number in range(5))
    pack = packed(tmp_path, people) / AKMOLA
    book = workbook(pack)
    assert book.sheetnames[1:] == ["111000000", "111000000 (2)", "111000000 (3)"]
    assert [sheet.max_row for sheet in book.worksheets[1:]] == [3, 3, 2]
    assert [row["iin"] for row in sheet_rows(pack)] == [p.iin for p in people]


def test_recipients_without_a_district_have_a_sheet(tmp_path: Path) -> None:
    pack = packed(tmp_path, (*PEOPLE, Recipient("000000000909", district_kato=None)))
    assert workbook(pack / AKMOLA).sheetnames[1] == "no district"
    manifest = json.loads((pack / AKMOLA / "manifest.json").read_text())
    assert manifest["districts"]["no district"] == 1


def test_published_region_without_recipients_has_an_empty_pack(tmp_path: Path) -> None:
    run_file = finish_run(Home(tmp_path), "r1", ())
    with duckdb.connect(str(run_file)) as run:
        run.execute(
            "insert into marts.region_status values (?, 0, 0, 'published', null)",
            [AKMOLA],
        )
    (tmp_path / "work").mkdir()
    (pack,) = write_packs(run_file, tmp_path / "packs", tmp_path / "work", ORIGIN)
    assert (pack.recipients, pack.amount_total) == (0, Decimal("0.00"))
    folder = tmp_path / "packs" / "2020-04-01" / AKMOLA
    assert csv_rows(folder) == parquet_rows(folder) == sheet_rows(folder) == []
    assert is_whole(folder)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = (
        packed(tmp_path / name, PEOPLE) / AKMOLA for name in ("once", "again")
    )
    for name in (*FILES, "manifest.json"):
        assert (once / name).read_bytes() == (again / name).read_bytes()


def test_a_pack_that_does_not_add_up_stops(tmp_path: Path) -> None:
    run_file = finish_run(Home(tmp_path), "r1")
    with duckdb.connect(str(run_file)) as run:
        run.execute(
            "insert into marts.delivery_plan "
            "select * from marts.delivery_plan where region_kato = ?",
            [AKTOBE],
        )
    (tmp_path / "work").mkdir()
    with pytest.raises(StoppedError, match=f"pack of region {AKTOBE} has 2 rows"):
        write_packs(run_file, tmp_path / "packs", tmp_path / "work", ORIGIN)


@pytest.mark.parametrize("code", ["../../etc", "11100000", "١١١٠٠٠٠٠٠"])
def test_a_code_that_is_no_kato_stops(tmp_path: Path, code: str) -> None:
    with pytest.raises(StoppedError, match="is no KATO code in 1 rows"):
        packed(tmp_path, (replace(PEOPLE[0], region_kato=code),))


def test_a_pack_is_whole_until_a_byte_changes(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    assert is_whole(pack)
    with (pack / "recipients.csv").open("ab") as file:
        file.write(b"x")
    assert not is_whole(pack)
    (pack / "recipients.csv").unlink()
    assert not is_whole(pack)
