"""What all papers have in common: head, cells, bytes, codes, what may be asked."""

import json
import re
import shutil
import stat
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from komek.base.errors import KomekError, UsageError
from komek.base.places import Home
from komek.cli import main
from komek.papers import (
    KINDS,
    Request,
    code_of,
    default_folder,
    is_code,
    make,
    make_papers,
    resolve,
)
from komek.papers import pages as pages_module
from komek.papers.source import opened
from komek.trust.signoffs import confirm
from made_papers import Papers
from paper_files import on_page, pages, pdfs, rows_of, sheets, squeezed, title_sheet

WIDE = {"SMS", "Состав", "Цена", "Договор"}


def test_every_kind_is_made(papers: Papers) -> None:
    found = {path.name.partition("-")[0] for path in papers.folder.rglob("*.xlsx")}
    assert found == {*KINDS}
    assert {*papers.notes.values()} == {""}


def test_each_has_both_forms_and_is_its_owners_alone(papers: Papers) -> None:
    for workbook in papers.folder.rglob("*.xlsx"):
        assert pdfs(workbook), workbook.name
    for path in papers.folder.rglob("*"):
        if path.is_file() and path.suffix != ".toml":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [*papers.folder.rglob(".*")]


def test_what_cells_say_stands_on_the_pages(papers: Papers) -> None:
    compared = 0
    for workbook in papers.folder.rglob("*.xlsx"):
        text = squeezed("".join(pages(*pdfs(workbook))))
        for title, (header, *rows) in sheets(workbook):
            for row in rows:
                for heading, value in zip(header, row, strict=True):
                    if value is None or heading.split()[0] in WIDE:
                        continue
                    shown = on_page(value)
                    # A page shows the beginning of what is long.
                    assert shown[:230] in text, (workbook.name, title, heading)
                    compared += 1
    assert compared > 3_000


def test_the_head_of_a_paper_leads_back(papers: Papers) -> None:
    with papers.warehouse() as warehouse:
        (run_id,) = warehouse.sql("select run_id from marts.run").fetchone()
    publication = next(papers.home.publications.iterdir()).name
    code = code_of(publication)
    for workbook in papers.folder.rglob("*.xlsx"):
        facts = title_sheet(workbook)
        assert facts["Расчёт"] == run_id
        assert facts["Код проверки"] == code
        assert "№ 109" in facts["Основание"]
        assert "№ 118" in facts["Основание"]
        *_, last = texts = pages(*pdfs(workbook))
        assert f"Код проверки {code} · расчёт {run_id}" in last
        numbers = [re.search(r"стр\. (\d+) из (\d+)", text) for text in texts]
        assert [(int(n[1]), int(n[2])) for n in numbers if n] == [
            (number, len(texts)) for number in range(1, len(texts) + 1)
        ]
    assert (
        resolve(papers.home, code.lower().replace("-", "")).publication == publication
    )
    assert resolve(papers.home, code).is_current
    assert is_code(code)
    assert not is_code(run_id)


def test_a_code_of_no_publication_is_refused(papers: Papers) -> None:
    with pytest.raises(UsageError, match="no publication"):
        resolve(papers.home, "0000-0000-0000")


def test_a_code_is_found_by_the_chain_when_the_publication_is_gone(
    papers: Papers, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.reports.mkdir()
    chain = (papers.home.reports / "chain.jsonl").read_bytes()
    (home.reports / "chain.jsonl").write_bytes(chain)
    name = next(papers.home.publications.iterdir()).name

    found = resolve(home, code_of(name))

    assert (found.publication, found.is_current, found.as_of) == (name, False, None)


def test_the_same_publication_gives_the_same_bytes(
    papers: Papers, tmp_path: Path
) -> None:
    for kind, region in (("list", "270000000"), ("payments", "150000000")):
        again = make(papers.home, kind, None, region, "ru", tmp_path)
        assert len(again) >= 2
        for path in again:
            before = papers.folder / region / path.name
            assert path.read_bytes() == before.read_bytes(), path.name


def test_a_long_paper_is_several_volumes(
    papers: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_module, "VOLUME_ROWS", 20)
    files = make(papers.home, "list", None, "270000000", "kk", tmp_path)
    volumes = [path for path in files if path.suffix == ".pdf"]
    (workbook,) = (path for path in files if path.suffix == ".xlsx")

    assert len(volumes) > 2
    text = squeezed("".join(pages(*volumes)))
    for row in rows_of(workbook):
        assert row["ЖСН"] in text
    for number, volume in enumerate(volumes, 1):
        first, *_ = found = pages(volume)
        assert squeezed(f"{number}-том, барлығы {len(volumes)}") in squeezed(first)
        assert f"1-бет, барлығы {len(found)}" in first
        assert "(қолы)" in found[-1]
    assert "(жалғасы)" in text


def test_formulas_are_texts(papers: Papers) -> None:
    for workbook in papers.folder.rglob("*.xlsx"):
        for sheet in openpyxl.load_workbook(workbook).worksheets:
            kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
            assert "f" not in kinds


def test_a_confirmed_list_shows_so_on_every_paper(
    papers: Papers, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(papers.home.root, home.root, symlinks=True)
    one = confirm(home, "110000000", date(2020, 4, 1), 1, "ab12", "А. Б. Подписал")
    # Of another month, and another region's, it stands on none.
    confirm(home, "110000000", date(2020, 3, 1), 1, "cd34", "Март")
    confirm(home, "150000000", date(2020, 4, 1), 1, "ef56", "Другая")
    asked = Request(("list", "reconciliation"), None, "110000000")
    made = make_papers(home, asked, tmp_path / "papers")
    day = one.at.astimezone(ZoneInfo("Asia/Almaty"))
    for one in made:
        workbook, pdf = one.files
        said = f"А. Б. Подписал, {day:%d.%m.%Y}, ab12"
        assert title_sheet(workbook)["Перечень № 1 подтверждён"] == said
        assert squeezed(said) in squeezed(pages(pdf)[0])
        others = {"cd34", "ef56"}
        assert not [sha for sha in others if sha in str(title_sheet(workbook))]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--kind", "lists"], 2, "no kind of paper 'lists'"),
        (["--month", "april"], 2, "not a month"),
        (["--month", "2020-13"], 2, "not a month"),
        (["--month", "2019-04", "--kind", "list"], 2, "no month 2019-04"),
        (["--region", "990000000", "--kind", "list"], 2, "no region '990000000'"),
        (["--region", "110000000", "--kind", "summary"], 2, "whole country"),
        (["--lang", "en"], 2, "ru or kk"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    papers: Papers,
    tmp_path: Path,
    arguments: list[str],
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = str(papers.home.root)
    command = ["komek", "papers", "--home", home, "--to", str(tmp_path), *arguments]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(KomekError, match="nothing is published") as ended:
        make(Home(tmp_path / "home"), "list", None, None, "ru", tmp_path / "papers")
    assert ended.value.exit_code == 1


def test_the_command_says_where_papers_are(
    papers: Papers,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = str(papers.home.root)
    asked = ["--kind", "blocked", "--lang", "kk", "--month", "2020-04", "--json"]
    command = ["komek", "papers", "--home", home, "--to", str(tmp_path), *asked]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)
    (kind,) = told["papers"]
    assert (told["folder"], kind["kind"], kind["note"]) == (
        str(tmp_path),
        "blocked",
        None,
    )
    assert all(Path(path).is_file() for path in kind["files"])


def test_verify_takes_a_code(
    papers: Papers,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = next(papers.home.publications.iterdir()).name
    command = ["komek", "verify", code_of(name), "--home", str(papers.home.root)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert f"publication {name}, which holds now" in capsys.readouterr().out


def test_under_a_key_papers_need_a_folder_by_name(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = next(papers.home.publications.iterdir()).name
    assert default_folder(papers.home) == papers.home.root / "papers" / publication
    monkeypatch.setenv("KOMEK_KEY", "a passphrase of ours")
    with pytest.raises(UsageError, match="--to"):
        default_folder(papers.home)


def test_a_month_that_is_not_planned_has_no_sheets(
    papers: Papers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(papers.home, None, None, "ru", tmp_path) as source:
        other = replace(source, month=date(2020, 3, 1))
        for kind in ("handover", "payments", "blocked", "list", "supplement"):
            assert not [*KINDS[kind](other)]
