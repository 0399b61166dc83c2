"""What stands on which paper, held against the tables it is made from."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from komek.papers.notifications import SMS_LETTERS, messages
from made_papers import Papers
from paper_files import (
    HOSTILE,
    MARKUP,
    pages,
    pdfs,
    rows_of,
    sheets,
    squeezed,
    title_sheet,
)

EAST, NORTH, CASH, MIXED = "270000000", "110000000", "150000000", "790000000"


def paper(papers: Papers, kind: str, region: str) -> Path:
    (path,) = (papers.folder / region).glob(f"{kind}-{region}-2020-04-ru.xlsx")
    return path


def settled(papers: Papers, region: str) -> dict[str, object]:
    with papers.warehouse() as warehouse:
        cursor = warehouse.execute(
            "select * from marts.list_reconciliation"
            " where region_kato = $region and list_month = '2020-04-01'",
            {"region": region},
        )
        names = [name for name, *_ in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


@pytest.mark.parametrize("region", [EAST, NORTH, CASH, MIXED])
def test_a_list_is_the_numbered_rows_of_the_month(papers: Papers, region: str) -> None:
    workbook = paper(papers, "list", region)
    rows = rows_of(workbook)
    with papers.warehouse() as warehouse:
        wanted = warehouse.execute(
            "select iin, list_no from marts.food_set_lists where region_kato = $region"
            " and list_month = '2020-04-01' and list_no is not null order by all",
            {"region": region},
        ).fetchall()

    assert sorted((row["ИИН"], row["№ перечня"]) for row in rows) == wanted
    facts, counted = title_sheet(workbook), settled(papers, region)
    assert facts["Человек в перечне"] == counted["listed"] == len(rows)
    assert facts["Право прекращено"] == counted["ended"]
    assert facts["Наборов"] == counted["sets"]
    assert facts["Выдано"] == counted["delivered"]
    assert "УТВЕРЖДАЮ" in pages(*pdfs(workbook))[0]


def test_a_district_without_a_name_is_told_by_its_code(papers: Papers) -> None:
    titles = [title for title, _ in sheets(paper(papers, "list", EAST))]
    with papers.warehouse() as warehouse:
        named = warehouse.execute(
            "select distinct lists.district_kato from marts.food_set_lists as lists"
            " left join facts.territories as units on lists.district_kato = units.kato"
            " where lists.region_kato = $region and lists.list_month = '2020-04-01'"
            " and lists.list_no is not null and units.kato is null",
            {"region": EAST},
        ).fetchall()

    assert named
    assert {code for (code,) in named} <= {*titles}


def test_a_supplement_has_who_was_added_and_whose_right_ended(papers: Papers) -> None:
    workbook = paper(papers, "supplement-2", EAST)
    found = {
        title.split(".")[0]: {row[2]: row for row in rows[1:]}
        for title, rows in sheets(workbook)
    }
    with papers.warehouse() as warehouse:
        added, ended = (
            {
                iin
                for (iin,) in warehouse.execute(
                    "select iin from marts.food_set_lists where region_kato = $region"
                    f" and list_month = '2020-04-01' and {condition}",
                    {"region": EAST},
                ).fetchall()
            }
            for condition in ("list_no = 2", "ended_on is not null")
        )

    assert {*found["I"]} == added
    assert {*found["II"], *found.get("III", {})} == ended
    assert title_sheet(workbook)["Номер перечня"] == 2
    assert title_sheet(workbook)["Дата перечня"].date() == date(2020, 4, 20)
    for row in found["II"].values():
        assert row[-2].date() == date(2020, 4, 20)
        assert row[-1]


def test_hand_over_sheets_have_every_set_of_a_contract(papers: Papers) -> None:
    workbook = paper(papers, "handover", NORTH)
    facts, counted = title_sheet(workbook), settled(papers, NORTH)
    with papers.warehouse() as warehouse:
        wanted = warehouse.execute(
            "select iin, contract_id, amount::double from marts.delivery_plan"
            " where region_kato = $region and allocation = 'allocated' order by all",
            {"region": NORTH},
        ).fetchall()

    rows = rows_of(workbook)
    found = sorted((r["ИИН"], r["Договор"], r["Цена набора, тенге"]) for r in rows)
    assert found == wanted
    assert counted["sets"] == (
        facts["Наборов по договорам"]
        + facts["Договора не хватило"]
        + facts["Снято (право прекращено, набор не выдан)"]
    )
    text = squeezed("".join(pages(*pdfs(workbook))))
    # Each district and contract is signed by itself.
    sheets_of = {(row["Договор"]) for row in rows}
    assert text.count(squeezed("Ведомость принял")) >= len(sheets_of)
    assert squeezed("Договор: C-11-4; БИН поставщика:") in text
    waiting = [row for row in rows if "Подпись курьера" in row]
    assert {row["Попытка"] for row in waiting} >= {"1"}
    assert all(row["Подпись получателя"] in (None, "") for row in waiting)


def test_the_settlement_is_that_of_the_tables(papers: Papers) -> None:
    named = {
        "listed": "Человек в перечне",
        "ended": "Право прекращено",
        "sets": "Наборов",
        "delivered": "Выдано",
        "failed": "Не вручено",
        "returned": "Возвращено",
        "outstanding": "Сведений нет",
        "withdrawn": "Снято (право прекращено, набор не выдан)",
        "amount_delivered": "Выдано на сумму, тенге",
    }
    for region in (EAST, NORTH, CASH, MIXED):
        facts, counted = (
            title_sheet(paper(papers, "reconciliation", region)),
            settled(papers, region),
        )
        assert {name: facts[said] for name, said in named.items()} == {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in counted.items()
            if name in named
        }


def test_faulty_deliveries_are_on_one_settlement_each(papers: Papers) -> None:
    found = sorted(
        row["Доставка"]
        for path in papers.folder.rglob("reconciliation-*.xlsx")
        for row in rows_of(path)
    )
    with papers.warehouse() as warehouse:
        wanted = warehouse.sql(
            "select delivery_id from marts.delivery_findings order by all"
        ).fetchall()

    assert found == [delivery for (delivery,) in wanted]


def test_what_is_blocked_says_what_frees_it(papers: Papers) -> None:
    (workbook,) = (papers.folder / "country").glob("blocked-*.xlsx")
    with papers.warehouse() as warehouse:
        blocked = warehouse.sql(
            "select count(*) from marts.region_status where publication = 'blocked'"
        ).fetchone()[0]
        unassigned = warehouse.sql(
            "select iin from marts.food_set_recipients"
            " where region_kato = 'unassigned' order by all"
        ).fetchall()

    assert sorted(row["ИИН"] for row in rows_of(workbook)) == [
        iin for (iin,) in unassigned
    ]
    text = squeezed(pages(*pdfs(workbook))[0])
    assert text.count(squeezed("местный исполнительный орган региона")) == blocked - 1
    assert squeezed("поднять стоимость набора до 5556,00 тенге") in text


def test_extensions_go_to_whom_they_concern(papers: Papers) -> None:
    with papers.warehouse() as warehouse:

        def ids(query: str) -> list[str]:
            return [str(one) for (one,) in warehouse.sql(query).fetchall()]

        awards = ids("select award_id from marts.asp_extensions order by all")
        terms = ids(
            "select term_id from marts.disability_extensions"
            " union all select term_id from marts.mse_queue union all"
            " select term_id from marts.mse_findings where outcome <> 'ok'"
            " order by all"
        )
        payouts = ids("select award_id from marts.payout_schedule order by all")

    def rows(kind: str, heading: str) -> list[str]:
        return sorted(
            row[heading]
            for path in papers.folder.rglob(f"{kind}-*.xlsx")
            for row in rows_of(path)
        )

    assert rows("extensions-asp", "Назначение") == awards
    assert rows("extensions-mse", "Срок (акт)") == terms
    assert rows("extensions-payouts", "Назначение") == payouts


def test_deadlines_are_by_office_the_oldest_first(papers: Papers) -> None:
    books = [*papers.folder.rglob("deadlines-*.xlsx")]
    with papers.warehouse() as warehouse:
        (wanted,) = warehouse.sql(
            """
            select (select count(*) from marts.case_deadlines
                where status in ('late', 'overdue'))
            + (select count(*) from marts.jobseeker_findings)
            + (select count(*) from marts.application_findings
                where paragraph in ('p5', 'p6', 'p8', 'p10'))
            """
        ).fetchone()

    assert sum(len(rows_of(book)) for book in books) == wanted
    for book in books:
        for _, (header, *rows) in sheets(book):
            due = [row[header.index("Срок исполнения")] for row in rows]
            known = [day for day in due if day is not None]
            assert known == sorted(known)


def test_every_rejected_row_goes_back_to_an_owner(papers: Papers) -> None:
    found = [
        row for book in papers.folder.rglob("returns-*.xlsx") for row in rows_of(book)
    ]
    with papers.warehouse() as warehouse:
        wanted = warehouse.sql(
            "select file, row_number from marts.quarantine order by all"
        ).fetchall()

    assert sorted((row["Файл"], row["Строка"]) for row in found) == wanted
    assert all(row["Причина"] and row["Что исправить"] for row in found)


def test_the_summary_adds_up_and_names_nobody(papers: Papers) -> None:
    (workbook,) = (papers.folder / "country").glob("summary-*.xlsx")
    (sheet,) = openpyxl.load_workbook(workbook).worksheets
    rows = [*sheet.iter_rows(values_only=True)]
    start = next(n for n, row in enumerate(rows) if row[0] == "Наборы месяца")
    total = next(row for row in rows[start:] if row[0] == "Итого")
    with papers.warehouse() as warehouse:
        wanted = warehouse.sql(
            "select sum(listed), sum(ended), sum(sets), sum(delivered), sum(failed),"
            " sum(returned), sum(outstanding), sum(withdrawn),"
            " sum(amount_delivered)::double from marts.list_reconciliation"
            " where list_month = '2020-04-01'"
        ).fetchone()
        people = {
            iin for (iin,) in warehouse.sql("select iin from facts.people").fetchall()
        }

    assert tuple(total[1:10]) == wanted
    text = "".join(pages(*pdfs(workbook)))
    assert not [iin for iin in people if iin in text]


def test_hostile_names_are_text_in_both_forms(papers: Papers) -> None:
    shown = {
        "020216600562": MARKUP,
        "020420601133": "a\\u001b[2J\\u0007b\\u009bc",
        "020421600041": "\\u202eобратно\\u202c",
    }
    rows = {row["ИИН"]: row for row in rows_of(paper(papers, "list", EAST))}
    text = squeezed("".join(pages(*pdfs(paper(papers, "list", EAST)))))
    name = "Фамилия, имя, отчество"
    for iin, said in shown.items():
        assert rows[iin][name].startswith(said)
        assert squeezed(said) in text
    assert rows["020215600597"][name].startswith(HOSTILE["020215600597"])
    assert squeezed(HOSTILE["020215600597"]) in text
    assert rows["020331600558"][name].startswith("Ж" * 3_000)
    assert "Ж" * 230 in text
    assert "Ж" * 300 not in text
    # Written from right to left, they come back so or so.
    letters = HOSTILE["020421601159"]
    assert rows["020421601159"][name].startswith(letters)
    assert letters in text or letters[::-1] in text


def test_file_names_have_nothing_of_a_person(papers: Papers) -> None:
    with papers.warehouse() as warehouse:
        people = {
            iin for (iin,) in warehouse.sql("select iin from facts.people").fetchall()
        }
    names = [path.name for path in papers.folder.rglob("*")]
    assert not [name for name in names if any(iin in name for iin in people)]


# Notifications


def test_a_text_fits_an_sms_in_both_languages() -> None:
    for key, texts in messages().items():
        for lang, text in texts.items():
            filled = text.replace("{day}", "01.05.2020")
            assert len(f"1/3 {filled}") <= SMS_LETTERS, (key, lang)
            assert "{" not in filled


def test_whom_to_tell_what(papers: Papers) -> None:
    rows = [
        row
        for book in papers.folder.rglob("notifications-*.xlsx")
        for row in rows_of(book)
    ]
    with papers.warehouse() as warehouse:
        (extended,) = warehouse.sql(
            "select count(distinct (iin, kind, new_valid_until))"
            " from marts.disability_extensions where outcome = 'extended'"
        ).fetchone()
        (awards,) = warehouse.sql(
            "select count(*) from marts.asp_extensions as extensions"
            " inner join facts.asp_awards as awards using (award_id)"
            " left join facts.people as people on awards.applicant_iin = people.iin"
            " where outcome = 'extended' and people.death_date is null"
        ).fetchone()
    by_paragraph = [row["Пункт"] for row in rows]
    assert by_paragraph.count("17") == extended
    assert by_paragraph.count("12") == awards
    assert {"10", "12", "14", "17"} >= {*by_paragraph}
    for row in rows:
        texts = [value for name, value in row.items() if name.startswith("SMS на")]
        assert len(texts) == 6
        assert all(text and len(text) <= SMS_LETTERS for text in texts)
        assert row["Способ"]
        if row["Пункт"] == "17":
            assert "01.05.2020" in texts[0]
            assert "01.05.2020" in texts[3]
