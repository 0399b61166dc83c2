"""Payments: the register, the bank's file, the configuration of the payer."""

import sys
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
import xmlschema
from pyiso20022.pain import pain_001_001_09
from xsdata.formats.dataclass.parsers import XmlParser

from komek.base.errors import UsageError
from komek.cli import main
from komek.papers import Request, make, make_papers, pain001
from komek.papers.payer import payer_of
from made_papers import Papers
from paper_files import PAYER, rows_of, sheets, title_sheet

CASH = "150000000"
SCHEMA = files("sepaxml").joinpath("schemas", "pain.001.001.09.xsd")


def bank_files(papers: Papers, region: str = CASH) -> list[Path]:
    return sorted((papers.folder / region).glob("pain001-*.xml"))


def read_back(path: Path) -> pain_001_001_09.CustomerCreditTransferInitiationV09:
    return XmlParser().parse(str(path), pain_001_001_09.Document).cstmr_cdt_trf_initn


def plan(papers: Papers, condition: str) -> list[tuple[object, ...]]:
    with papers.warehouse() as warehouse:
        return warehouse.execute(
            "select iin, account_iin, iban, amount from marts.delivery_plan"
            f" where region_kato = '{CASH}' and {condition} order by all"
        ).fetchall()


def test_every_file_holds_to_the_schema(papers: Papers) -> None:
    schema = xmlschema.XMLSchema(str(SCHEMA))
    found = [*papers.folder.rglob("pain001-*.xml")]
    assert found
    for path in found:
        schema.validate(str(path))


def test_a_bank_reads_back_what_is_to_pay(papers: Papers) -> None:
    (path,) = bank_files(papers)
    message = read_back(path)
    (batch,) = message.pmt_inf
    wanted = plan(papers, "allocation = 'account' and delivery_status <> 'delivered'")
    found = []
    for one in batch.cdt_trf_tx_inf:
        owner = one.cdtr.id.prvt_id.othr[0].id
        recipient = one.ultmt_cdtr.id.prvt_id.othr[0].id if one.ultmt_cdtr else owner
        found.append((recipient, owner, one.cdtr_acct.id.iban, one.amt.instd_amt.value))
        assert one.amt.instd_amt.ccy == "KZT"
        assert one.cdtr_agt.fin_instn_id.bicfi == "BANKKZKX"
        assert one.purp.prtry == "000"
        assert [*one.rmt_inf.ustrd] == [
            "Продуктово-бытовой набор за апрель 2020 года, пункт 29 Правил",
            "EKNP 1219KZT000",
        ]
    assert sorted(found) == wanted
    # One is paid on the account of a parent: the child is the ultimate creditor.
    assert [one for one in found if one[0] != one[1]]
    total = sum(amount for *_, amount in wanted)
    for sums in (message.grp_hdr, batch):
        assert (sums.nb_of_txs, sums.ctrl_sum) == (str(len(wanted)), total)
    assert batch.dbtr.nm == "ГУ «Управление занятости» & Co <тест>"
    assert batch.dbtr.id.org_id.othr[0].id == "000140000025"
    assert batch.dbtr_acct.id.iban == "KZ35070KK1KS00000001"
    ends = [one.pmt_id.end_to_end_id for one in batch.cdt_trf_tx_inf]
    assert len({*ends}) == len(ends)
    assert max(map(len, ends)) <= 35


def test_the_register_adds_up_to_file_and_settlement(papers: Papers) -> None:
    (workbook,) = (papers.folder / CASH).glob("payments-*.xlsx")
    by_title = {
        title: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        for title, rows in sheets(workbook)
    }
    to_pay = by_title["К перечислению"]
    worklist = by_title["Нет счёта получить реквизиты"]
    (path,) = bank_files(papers)
    total = sum(Decimal(row["Сумма, тенге"]) for row in to_pay)
    assert total == read_back(path).grp_hdr.ctrl_sum
    no_account = plan(
        papers, "allocation = 'no_account' and delivery_status <> 'delivered'"
    )
    assert sorted(row["ИИН"] for row in worklist) == [row[0] for row in no_account]
    with papers.warehouse() as warehouse:
        (sets,) = warehouse.sql(
            "select sets from marts.list_reconciliation"
            f" where region_kato = '{CASH}' and list_month = '2020-04-01'"
        ).fetchone()
    assert title_sheet(workbook)["Итого"] == len(rows_of(workbook)) == sets


def test_a_large_region_is_several_files(
    papers: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pain001, "MOST", 2)
    files_made = make(papers.home, "payments", None, CASH, "ru", tmp_path)
    parts = [read_back(path).grp_hdr for path in files_made if path.suffix == ".xml"]
    whole = read_back(bank_files(papers)[0]).grp_hdr

    assert [int(one.nb_of_txs) for one in parts] == [2, 2, 1]
    assert sum(one.ctrl_sum for one in parts) == whole.ctrl_sum
    assert len({one.msg_id for one in parts}) == 3


def test_a_name_that_xml_cannot_hold_is_shown() -> None:
    person = pain001.Person("А\x00" * 200, "000000000101")
    payment = pain001.Payment("KZ85125KZT0000000001", person, None, Decimal("1.10"))
    day = date(2020, 4, 20)
    batch = pain001.Batch(payer_of(CASH), "X", "набор", day, day)

    message, content = pain001.message(batch, 1, [payment])

    assert (message.payments, message.total) == (1, Decimal("1.10"))
    assert "А\\u0000А" in content.decode()


# The payer


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("name", "payer's name"),
        ("bin", "БИН"),
        ("iban", "account"),
        ("bic", "bank"),
        ("kod", "КОд"),
        ("kbe", "КБе"),
        ("knp", "КНП"),
        ("purpose", "purpose"),
    ],
)
def test_what_is_missing_is_named(payer: Path, key: str, named: str) -> None:
    head, *lines = PAYER.split("[regions")[0].splitlines()
    kept = [line for line in lines if not line.startswith(f"{key} =")]
    payer.write_text("\n".join([head, *kept]), encoding="utf-8")

    with pytest.raises(UsageError, match=rf"{CASH} lacks {key} \(.*{named}"):
        payer_of(CASH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[payer", "no TOML"),
        (PAYER.replace('kod = "12"', 'kod = "99"'), "kod"),
        (PAYER.replace("KZ35", "KZ36"), "check digits"),
        (PAYER.replace("KKMFKZ2A", "bank"), "bic"),
    ],
)
def test_what_is_wrong_is_named(payer: Path, text: str, said: str) -> None:
    payer.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        payer_of(CASH)


def test_a_region_may_have_its_own(payer: Path) -> None:
    assert payer_of("790000000").bin == "000240000025"
    assert payer_of(CASH).bin == "000140000025"


def test_without_a_payer_payments_are_refused_and_the_rest_is_made(
    papers: Papers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("KOMEK_PAYER")
    home = str(papers.home.root)
    asked = ["--region", CASH, "--kind", "payments", "--to", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["komek", "papers", "--home", home, *asked])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "КНП" in capsys.readouterr().err

    monkeypatch.setattr("komek.papers.making.KINDS", _few())
    made = make_papers(papers.home, Request((), None, CASH), tmp_path)
    assert [(one.kind, bool(one.files)) for one in made] == [
        ("list", True),
        ("payments", False),
    ]
    assert "KOMEK_PAYER" in made[1].note


def _few() -> dict[str, object]:
    from komek.papers import KINDS  # noqa: PLC0415

    return {kind: KINDS[kind] for kind in ("list", "payments")}
