"""Packs: what a region takes away, in every format, and what they add up to."""

import codecs
import json
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from finished_run import AKMOLA, AKTOBE, APRIL, PEOPLE, Recipient, finish_run
from komek.base.errors import StoppedError
from komek.base.files import sha256
from komek.base.places import Home
from komek.publishing.pack_files import FILES
from komek.publishing.packs import is_whole
from written_packs import (
    NAMES,
    csv_rows,
    district_sheets,
    packed,
    parquet_rows,
    rows_of,
    sheet_rows,
    workbook,
    write,
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
        "list_no": 1,
        "listed_on": date(2020, 4, 20),
        "iin": "000000000202",
        "last_name": "Ахметов",
        "first_name": "Ержан",
        "middle_name": None,
        "address": "улица Абая, 1",
        "settlement_kato": None,
        "settlement_ru": None,
        "settlement_kk": None,
        "region_kato": AKMOLA,
        "district_kato": "111000000",
        "moved_to": None,
        "primary_ground": "p25_2",
        "grounds": "p25_2",
        "standing": "entitled",
        "ended_on": None,
        "ended_reason": None,
        "delivery_status": "outstanding",
        "mode": "in_kind",
        "set_cost": Decimal("5302.00"),
        "allocation": "allocated",
        "contract_id": "C-1",
        "iban": None,
        "account_iin": None,
        "amount": Decimal("5302.00"),
    }
    assert list(expected) == NAMES
    assert parquet_rows(pack)[0] == expected
    assert csv_rows(pack)[0] == {
        name: "" if value is None else str(value) for name, value in expected.items()
    }
    assert sheet_rows(pack)[0] == {
        "№ списка": 1,
        "Внесён в список": datetime(2020, 4, 20),  # noqa: DTZ001
        "ИИН": "000000000202",
        "Фамилия": "Ахметов",
        "Имя": "Ержан",
        "Отчество": None,
        "Населённый пункт": None,
        "Адрес": "улица Абая, 1",
        "Основание": "ребёнок с инвалидностью до 16 лет"
        " / 16 жасқа дейінгі мүгедектігі бар бала",
        "Форма": "в натуральном виде / заттай",
        "Сумма, тенге": 5302,
        "Обеспечение": "по договору / шарт бойынша",
        "Договор": "C-1",
        "Счёт": None,
        "ИИН владельца счёта": None,
        "Выдача": "сведений нет / мәлімет жоқ",
        "Состояние": "имеет право / құқығы бар",
        "Право прекращено": None,
        "Причина": None,
        "Зарегистрирован теперь в": None,
    }


# Where the set goes


def test_a_street_has_its_village(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    row = next(row for row in parquet_rows(pack) if row["iin"] == "000000000101")

    names = ("settlement_kato", "settlement_ru", "settlement_kk", "district_kato")
    assert [row[name] for name in names] == [
        "111230100",
        "село № 2",
        "№ 2 ауыл",
        "111200000",
    ]
    assert row["moved_to"] is None
    assert [row["Населённый пункт"] for row in sheet_rows(pack)] == [
        None,
        "сельский округ № 1, село № 2 / № 1 ауылдық округ, № 2 ауыл (111230100)",
    ]


@pytest.mark.parametrize(
    ("kato", "settlement", "moved_to", "said"),
    [
        ("111000000", None, None, None),
        # A rural district is a settlement's place too.
        ("111230000", "111230000", "111200000", "район № 1"),
        ("112000000", None, "112000000", "город Степногорск"),
        ("151000000", None, "151000000", "город Актобе"),
        # The region alone is known of where they live now.
        (AKTOBE, None, AKTOBE, "Актюбинская область"),
        ("119999999", None, "unassigned", "unassigned"),
        (None, None, "unassigned", "unassigned"),
    ],
)
def test_who_moved_is_served_where_listed_and_it_is_said_where_they_are(
    tmp_path: Path,
    kato: str | None,
    settlement: str | None,
    moved_to: str | None,
    said: str | None,
) -> None:
    pack = packed(tmp_path, (Recipient("000000000101", kato=kato),)) / AKMOLA
    ((row,), (seen,)) = parquet_rows(pack), sheet_rows(pack)

    assert (row["region_kato"], row["district_kato"]) == (AKMOLA, "111000000")
    assert (row["settlement_kato"], row["moved_to"]) == (settlement, moved_to)
    found = seen["Зарегистрирован теперь в"]
    assert found is said if said is None else found.startswith(said)


def test_whose_account_it_is_goes_with_the_account(tmp_path: Path) -> None:
    child = Recipient(
        "000000000101",
        mode="cash",
        allocation="account",
        contract_id=None,
        iban="KZ85125KZT0000000001",
        account_iin="000000000909",
    )
    pack = packed(tmp_path, (child,)) / AKMOLA
    ((row,), (seen,)) = parquet_rows(pack), sheet_rows(pack)

    assert (row["iban"], row["account_iin"]) == (child.iban, "000000000909")
    assert (seen["Счёт"], seen["ИИН владельца счёта"]) == (child.iban, "000000000909")
    assert seen["Форма"] == "деньгами / ақшалай"


# How a row stands

ENDED = Recipient(
    "000000000404",
    standing="ended",
    ended_on=date(2020, 4, 20),
    ended_reason="age_16_or_over",
    list_no=1,
    listed_on=date(2020, 4, 2),
    allocation="withdrawn",
    contract_id=None,
    amount=None,
)
DELIVERED = replace(
    ENDED,
    iin="000000000505",
    allocation="allocated",
    contract_id="C-1",
    amount=Decimal("5302.00"),
    delivery_status="delivered",
)
NEW = Recipient("000000000606", list_no=2)


def test_who_ended_stays_on_the_list_withdrawn_or_served(tmp_path: Path) -> None:
    pack = packed(tmp_path, (ENDED, DELIVERED, NEW)) / AKMOLA

    names = ("list_no", "standing", "ended_reason", "allocation", "amount")
    cost = Decimal("5302.00")
    assert [tuple(row[name] for name in names) for row in parquet_rows(pack)] == [
        (1, "ended", "age_16_or_over", "withdrawn", None),
        (1, "ended", "age_16_or_over", "allocated", cost),
        (2, "entitled", None, "allocated", cost),
    ]
    seen = sheet_rows(pack)
    assert [row["Обеспечение"].partition(" / ")[0] for row in seen] == [
        "снят",
        "по договору",
        "по договору",
    ]
    assert [row["Выдача"].partition(" / ")[0] for row in seen] == [
        "сведений нет",
        "выдан",
        "сведений нет",
    ]
    assert seen[0]["Причина"] == "исполнилось 16 лет / 16 жасқа толған"


def test_the_manifest_says_the_lists_and_the_settlement(tmp_path: Path) -> None:
    pack = packed(tmp_path, (ENDED, DELIVERED, NEW)) / AKMOLA
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))

    assert (manifest["sets"], manifest["amount_total"]) == (3, "10604.00")
    of_list = {"list_month": "2020-04-01", "failed": 0, "returned": 0}
    assert manifest["lists"] == [
        of_list
        | {
            "list_no": 1,
            "listed_on": "2020-04-02",
            "listed": 2,
            "ended": 2,
            "delivered": 1,
            "outstanding": 1,
        },
        of_list
        | {
            "list_no": 2,
            "listed_on": "2020-04-20",
            "listed": 1,
            "ended": 0,
            "delivered": 0,
            "outstanding": 1,
        },
    ]
    assert manifest["settlement"] == [
        {
            "list_month": "2020-04-01",
            "listed": 3,
            "ended": 2,
            "sets": 3,
            "delivered": 1,
            "failed": 0,
            "returned": 0,
            "outstanding": 2,
            "withdrawn": 1,
            "amount_delivered": "5302.00",
        }
    ]


def test_who_is_held_back_is_in_no_pack(tmp_path: Path) -> None:
    held = Recipient("000000000404", AKTOBE, "151000000", list_no=None, listed_on=None)
    month = packed(
        tmp_path,
        (*PEOPLE, replace(held, standing="held")),
        blocked={AKTOBE: "below_floor"},
    )

    assert [folder.name for folder in month.iterdir()] == [AKMOLA]


def test_what_was_found_of_the_regions_contracts(tmp_path: Path) -> None:
    run_file = finish_run(Home(tmp_path), "r1")
    with duckdb.connect(str(run_file)) as run:
        run.executemany(
            "insert into marts.contract_findings values (?, ?, ?, ?)",
            [
                ("=C-2", AKMOLA, "price_differs", "p28"),
                ("C-1", AKMOLA, "below_floor", "p27"),
                ("C-9", AKTOBE, "invalid_bin", "p28"),
            ],
        )
    write(run_file, tmp_path)
    pack = tmp_path / "packs" / "2020-04-01" / AKMOLA

    assert (pack / "contracts.csv").read_text("utf-8").splitlines() == [
        "contract_id,finding,paragraph",
        "'=C-2,price_differs,p28",
        "C-1,below_floor,p27",
    ]
    sheet = workbook(pack)["Договоры · Шарттар"]
    assert [(row["Договор"], row["Пункт Правил"]) for row in rows_of(sheet)] == [
        ("=C-2", "28"),
        ("C-1", "27"),
    ]
    assert rows_of(sheet)[0]["Замечание"].startswith("стоимость набора не равна норме")


# What a pack is


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
    for rows in (csv_rows(pack), parquet_rows(pack)):
        assert [(row["iin"], row["primary_ground"]) for row in rows] == expected
    assert [row["ИИН"] for row in sheet_rows(pack)] == [iin for iin, _ in expected]


def test_manifest_says_what_the_pack_is(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    files = manifest.pop("files")
    del manifest["lists"], manifest["settlement"]
    assert manifest == {
        "run_id": "r1",
        "official": True,
        "as_of": "2020-04-20",
        "list_month": "2020-04-01",
        "region_kato": AKMOLA,
        "chain_head": None,
        "previous_run": None,
        "recipients": 2,
        "sets": 2,
        "amount_total": "10604.00",
        "districts": {"111000000": 1, "111200000": 1},
    }
    assert files == {
        name: {
            "sha256": sha256(pack / name),
            "bytes": (pack / name).stat().st_size,
            "rows": 0 if name in ("changes.csv", "contracts.csv") else 2,
        }
        for name in FILES
    }


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_formulas_are_neutralised(tmp_path: Path, first: str) -> None:
    name = f"{first}1+1"
    pack = packed(tmp_path, (Recipient("000000000101", last_name=name),)) / AKMOLA
    assert csv_rows(pack)[0]["last_name"] == f"'{name}"
    assert parquet_rows(pack)[0]["last_name"] == name
    cell = district_sheets(pack)[0]["D2"]
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
    cells = {cell.data_type for cell in district_sheets(pack)[0][2]}
    assert cells <= {"s", "n", "d"}


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
    in_sheet = openpyxl.utils.escape.unescape(sheet_rows(pack)[0]["Адрес"])
    assert in_sheet == text


def test_csv_is_rfc_4180(tmp_path: Path) -> None:
    pack = packed(tmp_path, (Recipient("000000000101", address='a "b", c'),)) / AKMOLA
    header, row, end = (pack / "recipients.csv").read_bytes().split(b"\r\n")
    assert header == codecs.BOM_UTF8 + ",".join(NAMES).encode()
    assert b',"a ""b"", c",' in row
    assert end == b""


def test_published_region_without_recipients_has_an_empty_pack(tmp_path: Path) -> None:
    run_file = finish_run(Home(tmp_path), "r1", ())
    with duckdb.connect(str(run_file)) as run:
        run.execute(
            "insert into marts.region_status values (?, 0, 0, 'published', null, 1)",
            [AKMOLA],
        )
    (pack,) = write(run_file, tmp_path)
    assert (pack.rows, pack.amount_total) == (0, Decimal("0.00"))
    folder = tmp_path / "packs" / "2020-04-01" / AKMOLA
    assert csv_rows(folder) == parquet_rows(folder) == sheet_rows(folder) == []
    assert is_whole(folder)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = (
        packed(tmp_path / name, PEOPLE) / AKMOLA for name in ("once", "again")
    )
    for name in (*FILES, "manifest.json"):
        assert (once / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        "update marts.region_status set norm_cost = norm_cost + 1",
        "delete from marts.food_set_lists where region_kato = '150000000'",
        "update marts.delivery_plan set amount = null",
    ],
)
def test_a_pack_that_does_not_add_up_stops(tmp_path: Path, damage: str) -> None:
    run_file = finish_run(Home(tmp_path), "r1")
    with duckdb.connect(str(run_file)) as run:
        run.execute(
            "create or replace table marts.settled as from marts.list_reconciliation;"
            "create or replace view marts.list_reconciliation as from marts.settled"
        )
        run.execute(damage)
    with pytest.raises(StoppedError, match=r"marts\.list_reconciliation: the pack of"):
        write(run_file, tmp_path)


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
