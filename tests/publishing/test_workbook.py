"""The workbook of a pack: sheets, words, cells, print."""

import json
import re
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from finished_run import AKMOLA, PEOPLE, Recipient, finish_run
from komek.base import grounds, places
from komek.base.places import Home
from komek.publishing import pack_workbook
from komek.publishing.pack_files import COLUMNS
from komek.publishing.words import texts, words
from written_packs import (
    FIRST_SHEETS,
    district_sheets,
    packed,
    parquet_rows,
    rows_of,
    sheet_rows,
    workbook,
    write,
)


def test_workbook_has_a_summary_and_a_sheet_per_district(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    book = workbook(pack)
    assert book.sheetnames == [*FIRST_SHEETS, "город Кокшетау", "район № 1"]
    summary = [
        tuple(value for value in row if value is not None)
        for row in book[FIRST_SHEETS[0]].iter_rows(values_only=True)
    ]
    assert [row[0].partition(" / ")[0:3:2] if row else () for row in summary[:9]] == [
        ("Регион", "Өңір"),
        ("Месяц списка", "Тізім айы"),
        ("По состоянию на", "Мына күнгі жағдай бойынша"),
        ("Расчёт", "Есептеу"),
        ("Официальный", "Ресми"),
        ("Наборов в списке", "Тізімдегі жиынтықтар"),
        ("Получателей проживает в регионе", "Өңірде тұратын алушылар"),
        ("Сумма, тенге", "Сома, теңге"),
        ("Замечаний по договорам", "Шарттар бойынша ескертулер"),
    ]
    day = datetime(2020, 4, 20)  # noqa: DTZ001
    assert [row[1] for row in summary[:9]] == [
        f"Акмолинская область / Ақмола облысы ({AKMOLA})",
        "04.2020",
        day,
        "r1",
        "да / иә",
        2,
        2,
        10604,
        0,
    ]
    tables = [row for row in summary[9:] if len(row) > 1 and " / " not in str(row[1])]
    assert tables == [
        ("город Кокшетау / Көкшетау қаласы (111000000)", 1, 5302),
        (
            "район № 1, Акмолинская область / № 1 аудан, Ақмола облысы (111200000)",
            1,
            5302,
        ),
        (1, day, 2, 0, 0, 0, 0, 2),
        ("04.2020", 2, 0, 2, 0, 0, 0, 2, 0, 0),
    ]


def test_every_sheet_prints_on_pages_with_its_header(tmp_path: Path) -> None:
    pack = packed(tmp_path, PEOPLE) / AKMOLA
    for sheet in workbook(pack).worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (
            1,
            0,
        )
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == (
            "&A",
            "&P / &N",
        )
        if sheet.title != FIRST_SHEETS[0]:
            assert sheet.print_title_rows == "$1:$1"
            assert sheet.freeze_panes == "A2"
    for sheet in district_sheets(pack):
        assert sheet.dimensions == sheet.auto_filter.ref == "A1:T2"


def test_workbook_cells_are_texts_numbers_and_true_dates(tmp_path: Path) -> None:
    ended = Recipient(
        "000000000101", standing="ended", ended_on=date(2020, 4, 28), list_no=12
    )
    (sheet,) = district_sheets(packed(tmp_path, (ended,)) / AKMOLA)
    header, row = sheet.iter_rows()
    found = {
        name.value.partition(" / ")[0]: (cell.data_type, cell.number_format)
        for name, cell in zip(header, row, strict=True)
        if cell.value is not None
    }
    day = ("d", "dd.mm.yyyy")
    others = {
        "№ списка": ("n", "#,##0"),
        "Внесён в список": day,
        "Право прекращено": day,
        "Сумма, тенге": ("n", "#,##0.00"),
    }
    assert {name: found[name] for name in others} == others
    assert {found[name] for name in found.keys() - others.keys()} == {("s", "@")}
    (values,) = rows_of(sheet)
    assert values["Внесён в список"].date() == date(2020, 4, 20)
    assert values["Право прекращено"].date() == date(2020, 4, 28)


@pytest.mark.parametrize(
    ("name", "tab"),
    [
        ("город Кокшетау", "город Кокшетау"),
        ("район № 7, Акмолинская область", "район № 7"),
        ("[р]:*?/\\'айон'", "р айон"),
        ("д" * 31, "д" * 31),
        ("д" * 32, "д" * 21 + " 111000000"),
        ("Сводка · жиынтық", "Сводка · жиынтық 111000000"),
        ("", "111000000"),
        (None, "111000000"),
        ("History", "History 111000000"),
    ],
)
def test_a_tab_has_the_districts_name(
    tmp_path: Path, name: str | None, tab: str
) -> None:
    assert tabs(tmp_path, {"111000000": name}) == [tab, "район № 1"]


def test_districts_of_one_name_are_told_apart(tmp_path: Path) -> None:
    assert tabs(tmp_path, {"111000000": "РАЙОН № 1"}) == [
        "РАЙОН № 1 111000000",
        "район № 1 111200000",
    ]


def tabs(root: Path, names: dict[str, str | None]) -> list[str]:
    """Return the tabs of Akmola's districts where some have other names."""
    run_file = finish_run(Home(root / "home"), "r1")
    with duckdb.connect(str(run_file)) as run:
        for kato, name in names.items():
            run.execute(
                "update facts.territories set name_ru = ? where kato = ?", [name, kato]
            )
    write(run_file, root)
    pack = root / "packs" / "2020-04-01" / AKMOLA
    return [sheet.title for sheet in district_sheets(pack)]


# Words


def test_every_code_of_a_pack_has_words() -> None:
    """What a model may say is read where the models say it."""
    said = {
        kind: {key.partition(".")[2] for key in texts() if key.startswith(f"{kind}.")}
        for kind in ("ground", "mode", "allocation", "standing", "delivery_status")
    }
    assert said["ground"] == set(grounds.codes())
    models = places.DBT_PROJECT / "models" / "law"
    plan = (models / "p28_plan.sql").read_text("utf-8")
    assert said["allocation"] == set(re.findall(r"(?:then|else) '(\w+)'", plan))
    lists = (models / "p26_lists.sql").read_text("utf-8")
    stands = set(re.findall(r"(?:then|else) '(entitled|ended|held)'", lists))
    assert said["standing"] == stands - {"held"}
    found = (models / "p28_contract_findings.sql").read_text("utf-8")
    assert {f"finding.{code}" for code in re.findall(r"'(\w+)' as finding", found)} <= {
        *texts()
    }
    reasons = {
        reason
        for model in grounds.models().values()
        for reason in re.findall(
            r'^ +\(".*", \'(\w+)\'\),$',
            (models / f"{model}.sql").read_text("utf-8"),
            re.M,
        )
    }
    assert reasons
    assert {f"reason.{reason}" for reason in (*reasons, "no_record")} <= {*texts()}
    compared = {*COLUMNS} - {"list_month", "iin"}
    assert {f"heading.{name}" for name in compared} <= {*texts()}
    assert all(all(pair) for pair in texts().values())


def test_a_code_without_words_is_shown_as_it_is(tmp_path: Path) -> None:
    person = Recipient("000000000101", primary_ground="p25_9", grounds="p25_2|p25_9")
    (row,) = sheet_rows(packed(tmp_path, (person,)) / AKMOLA)
    assert row["Основание"] == f"p25_9; {words('ground.p25_2')}"


# What is long


def test_workbook_drops_what_xml_cannot_hold_and_cuts_what_is_too_long(
    tmp_path: Path,
) -> None:
    people = (
        Recipient("000000000101", address="a\x00b\x0b\ufffec"),
        Recipient("000000000202", address="д" * 40_000),
    )
    pack = packed(tmp_path, people) / AKMOLA
    addresses = [row["Адрес"] for row in sheet_rows(pack)]
    assert addresses[0] == "a\\u0000b\\u000bc"
    assert addresses[1] == "д" * 32_766 + "…"
    assert [row["address"] for row in parquet_rows(pack)] == [
        person.address for person in people
    ]


def test_a_full_sheet_continues_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_workbook, "MAX_ROWS", 2)
    people = tuple(Recipient(f"{number:012}") for number in range(5))
    pack = packed(tmp_path, people) / AKMOLA
    book = workbook(pack)
    name = "город Кокшетау"
    assert book.sheetnames[2:] == [name, f"{name} (2)", f"{name} (3)"]
    assert [sheet.max_row for sheet in book.worksheets[2:]] == [3, 3, 2]
    assert [row["ИИН"] for row in sheet_rows(pack)] == [p.iin for p in people]


def test_recipients_without_a_district_have_a_sheet(tmp_path: Path) -> None:
    pack = packed(tmp_path, (*PEOPLE, Recipient("000000000909", district_kato=None)))
    assert workbook(pack / AKMOLA).sheetnames[2] == "без района · аудансыз"
    manifest = json.loads((pack / AKMOLA / "manifest.json").read_text())
    assert manifest["districts"]["no district"] == 1
