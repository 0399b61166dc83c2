"""What has changed since a region's previous pack."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from finished_run import AKMOLA, AKTOBE, PEOPLE, Recipient, finish_run
from komek.base.files import sha256
from komek.base.places import Home
from komek.publishing.packs import is_whole
from komek.publishing.words import words
from written_packs import (
    FIRST_SHEETS,
    NAMES,
    ORIGIN,
    packed,
    rows_of,
    workbook,
    write,
)


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
    origin = replace(ORIGIN, run_id="r2")
    write(run_file, root, origin, previous)
    pack = root / "packs" / "2020-04-01" / AKMOLA
    header, *rows, end = (pack / "changes.csv").read_text("utf-8").split("\n")
    assert (header.strip(), end) == ("iin,change,list_no,cause,columns", "")
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
            replace(moves, iban="KZ00"),
            replace(comes, list_no=2),
            replace(elsewhere, address="улица Абая, 2"),
        ),
    )
    assert found == [
        ("000000000202", "changed", "1", "", "iban"),
        ("000000000303", "removed", "", "", ""),
        ("000000000404", "added", "2", "p25_2", ""),
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
    assert found == [("000000000101", "changed", "1", "", "|".join(compared))]


def test_changes_tell_null_from_empty(tmp_path: Path) -> None:
    person = Recipient("000000000101", iban=None)
    found, _ = changes(tmp_path, (person,), (replace(person, iban=""),))
    assert found == [("000000000101", "changed", "1", "", "iban")]


def test_changes_leave_out_a_column_that_the_previous_pack_had_not(
    tmp_path: Path,
) -> None:
    stays, moves = (Recipient(f"{number:012}", iban="KZ00") for number in (101, 202))
    after = (stays, replace(moves, address="elsewhere", iban="KZ01"))
    found, _ = changes(tmp_path, (stays, moves), after, lacking="iban")
    assert found == [("000000000202", "changed", "1", "", "address")]


def test_first_publication_of_a_region_has_no_changes(tmp_path: Path) -> None:
    found, manifest = changes(tmp_path / "none", None, PEOPLE)
    assert (found, manifest["previous_run"]) == ([], None)
    found, manifest = changes(tmp_path / "other_region", PEOPLE[2:], PEOPLE)
    assert (found, manifest["previous_run"]) == ([], None)


@pytest.mark.parametrize("damage", ["recipients.parquet", "manifest.json"])
def test_damaged_previous_pack_is_taken_for_none(tmp_path: Path, damage: str) -> None:
    found, manifest = changes(tmp_path, PEOPLE, PEOPLE[1:], damage)
    assert (found, manifest["previous_run"]) == ([], None)


def test_changes_name_no_value(tmp_path: Path) -> None:
    """Only the IIN, a code and names of columns: nothing that somebody wrote."""
    person = Recipient("000000000101", address="before")
    evil = replace(person, address="=1", last_name="@x", contract_id="\t=1")
    found, _ = changes(tmp_path, (person,), (evil,))
    changed = "last_name|address|contract_id"
    assert found == [("000000000101", "changed", "1", "", changed)]


# What it is called

HERE = Recipient("000000000101")
GONE = replace(
    HERE,
    standing="ended",
    ended_on=date(2020, 4, 20),
    ended_reason="deceased",
    allocation="withdrawn",
    contract_id=None,
    amount=None,
)
OF_AN_END = "standing|ended_on|ended_reason|allocation|contract_id|amount"


@pytest.mark.parametrize(
    ("before", "after", "change", "cause", "columns"),
    [
        (HERE, GONE, "ended", "deceased", OF_AN_END),
        (GONE, HERE, "resumed", "", OF_AN_END),
        (HERE, replace(HERE, kato="112000000"), "moved", "112000000", "moved_to"),
        (
            replace(HERE, kato="112000000"),
            replace(HERE, kato=AKTOBE),
            "moved",
            AKTOBE,
            "moved_to",
        ),
        (replace(HERE, kato="112000000"), HERE, "changed", "", "moved_to"),
        # Whose right ended is told before where they went.
        (
            HERE,
            replace(GONE, kato="112000000"),
            "ended",
            "deceased",
            f"moved_to|{OF_AN_END}",
        ),
        (
            HERE,
            replace(HERE, delivery_status="delivered"),
            "changed",
            "",
            "delivery_status",
        ),
        (GONE, replace(GONE, address="улица Абая, 2"), "changed", "", "address"),
    ],
)
def test_a_change_has_a_name_and_a_cause(
    tmp_path: Path,
    before: Recipient,
    after: Recipient,
    change: str,
    cause: str,
    columns: str,
) -> None:
    # Somebody else keeps the region's norm in sight where no set of theirs costs any.
    other = Recipient("000000000909")
    found, _ = changes(tmp_path, (before, other), (after, other))
    assert found == [("000000000101", change, "1", cause, columns)]


def test_a_pack_of_a_version_without_standing_had_only_the_entitled(
    tmp_path: Path,
) -> None:
    other = Recipient("000000000909")
    found, _ = changes(tmp_path, (HERE, other), (GONE, other), lacking="standing")
    assert [row[:4] for row in found] == [("000000000101", "ended", "1", "deceased")]


def test_the_sheet_of_changes_names_people_and_causes(tmp_path: Path) -> None:
    stays, ends, moves, served = (Recipient(f"{n:012}") for n in (101, 202, 303, 404))
    changes(
        tmp_path,
        (stays, ends, moves, served, Recipient("000000000505", last_name="Уходит")),
        (
            stays,
            replace(GONE, iin=ends.iin, last_name="Иванова"),
            replace(moves, kato="111230100", iban="KZ00"),
            replace(served, delivery_status="delivered"),
            Recipient("000000000606", list_no=2, grounds="p25_2|p25_5"),
        ),
    )
    sheet = workbook(tmp_path / "packs" / "2020-04-01" / AKMOLA)[FIRST_SHEETS[1]]

    rows = rows_of(sheet)
    told = ("Изменение", "№ списка", "ИИН", "Фамилия", "Причина или основание")
    assert [tuple(row[name] for name in told) for row in rows] == [
        (
            "внесён / енгізілді",
            2,
            "000000000606",
            "Ахметов",
            f"{words('ground.p25_2')}; {words('ground.p25_5')}",
        ),
        (
            "право прекращено / құқығы тоқтатылды",
            1,
            ends.iin,
            "Иванова",
            "человек умер / адам қайтыс болған",
        ),
        (
            "переехал / көшті",
            1,
            moves.iin,
            "Ахметов",
            "район № 1, Акмолинская область / № 1 аудан, Ақмола облысы",
        ),
        (
            "в списке больше нет / тізімде енді жоқ",
            None,
            "000000000505",
            "Уходит",
            None,
        ),
    ]
    assert rows[2]["Что изменилось"].startswith("Населённый пункт / Елді мекен; ")
