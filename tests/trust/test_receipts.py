"""Receipts and their chain, on runs' files made by hand."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from finished_run import PEOPLE, finish_run
from hand_filed import calendar_alone
from komek.base.errors import KomekError
from komek.base.places import Home
from komek.publishing.publish import publish
from komek.runs.run import Request, Run
from komek.trust.chain import broken_links, chain_path, read_chain, receipt_path
from komek.trust.contents import Content, contents_of
from komek.trust.receipts import read_receipt, seal_if_missing, write_receipt

DAY = date(2020, 4, 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def finished(home: Home, run_id: str, **made: object) -> Run:
    finish_run(home, run_id, **made)
    request = Request(DAY, DAY, {})
    inputs = calendar_alone(home)
    return Run(home, run_id, request, "1", "f" * 64, datetime.now(UTC), inputs)


def file_run(home: Home, run_id: str, **made: object) -> dict:
    return write_receipt(home, finished(home, run_id, **made), {"approved": "no"})


def chain_of(home: Home, *run_ids: str) -> list[bytes]:
    """File runs; return the lines of the chain."""
    for run_id in run_ids:
        file_run(home, run_id)
    assert broken_links(home) == []
    return chain_path(home).read_bytes().splitlines(keepends=True)


def table(tmp_path: Path, *statements: str) -> Content:
    """Return the content of marts.t after statements."""
    path = tmp_path / f"{random.random()}.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        for statement in statements:
            connection.execute(statement)
    return contents_of(path)["t"]


def rows(tmp_path: Path, values: str, columns: str = "a, b") -> Content:
    return table(
        tmp_path,
        f"create table marts.t as select * from (values {values}) as v ({columns})",
    )


def test_content_is_of_rows_in_any_order(tmp_path: Path) -> None:
    once = rows(tmp_path, "('x', 1), ('y', null)")
    assert once == rows(tmp_path, "('y', null), ('x', 1)")
    assert once.rows == 2


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ("('x', 'y')", "('x', 'z')"),
        ("('x', null)", "('x', '')"),
        ("('x', '-')", "('x', null)"),
        ("('x1:', 'y')", "('x', '1:y')"),
        ("('a' || chr(31) || 'b', 'c')", "('a', 'b' || chr(31) || 'c')"),
        ("('x', 'y'), ('x', 'y')", "('z', 'z'), ('z', 'z')"),
        ("('x', 'y')", "('y', 'x')"),
    ],
)
def test_other_rows_are_other_content(tmp_path: Path, values: str, others: str) -> None:
    assert rows(tmp_path, values) != rows(tmp_path, others)


def test_columns_are_part_of_the_content(tmp_path: Path) -> None:
    once = rows(tmp_path, "('1', '2')")
    assert once != rows(tmp_path, "('1', '2')", "a, c")
    assert once != rows(tmp_path, "('1', 2)")


def test_the_clock_is_no_part_of_the_content(home: Home) -> None:
    def run_table(finished_at: str) -> Content:
        path = finish_run(home, "r1")
        with duckdb.connect(path) as run:
            run.execute("alter table marts.run add column finished_at timestamp")
            run.execute("update marts.run set finished_at = ?", [finished_at])
        return contents_of(path)["run"]

    assert run_table("2020-04-20 10:00:00") == run_table("2020-04-20 11:00:00")


def test_receipt_says_what_the_run_was_and_gave(home: Home) -> None:
    receipt = file_run(home, "r1")
    assert read_receipt(home, "r1") == receipt
    assert (receipt["run_id"], receipt["as_of"], receipt["approved"]) == (
        "r1",
        "2020-04-20",
        "no",
    )
    assert receipt["tables"]["food_set_lists"]["rows"] == len(PEOPLE)


def test_the_same_run_again_leaves_the_same_receipt(home: Home) -> None:
    file_run(home, "r1")
    before = receipt_path(home, "r1").read_bytes()
    file_run(home, "r1", people=PEOPLE[::-1])
    assert receipt_path(home, "r1").read_bytes() == before
    # Same rows, another file: a link of its own, and the chain holds.
    assert [link.run_id for link in read_chain(home).links] == ["r1", "r1"]
    assert broken_links(home) == []


def test_nothing_new_is_no_link(home: Home) -> None:
    run = finished(home, "r1")
    for _ in range(2):
        write_receipt(home, run, {})
    assert len(read_chain(home).links) == 1


def test_other_rows_under_the_same_id_are_refused_by_name(home: Home) -> None:
    file_run(home, "r1")
    with pytest.raises(
        KomekError, match=r"r1 gave other rows.* in delivery_plan, food"
    ):
        file_run(home, "r1", people=PEOPLE[1:])


@pytest.mark.parametrize("damage", [None, b"{", b"[]"])
def test_a_lost_receipt_is_restored_by_the_same_run(
    home: Home, damage: bytes | None
) -> None:
    receipt = file_run(home, "r1")
    path = receipt_path(home, "r1")
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert broken_links(home) != []
    with pytest.raises(KomekError, match="receipt"):
        read_receipt(home, "r1")
    assert file_run(home, "r1") == receipt
    assert broken_links(home) == []


def test_a_lost_receipt_is_not_replaced_by_another(home: Home) -> None:
    file_run(home, "r1")
    receipt_path(home, "r1").unlink()
    with pytest.raises(KomekError, match="gave other rows"):
        file_run(home, "r1", people=PEOPLE[1:])


def test_links_hold_the_hash_of_the_one_before(home: Home) -> None:
    chain_of(home, "r1", "r2", "r3")
    links = read_chain(home).links
    assert [link.sequence for link in links] == [1, 2, 3]
    assert [link.previous for link in links] == [
        None,
        links[0].sha256,
        links[1].sha256,
    ]


@pytest.mark.parametrize("run_id", ["r1", "r2", "r3"])
def test_a_removed_receipt_is_named(home: Home, run_id: str) -> None:
    chain_of(home, "r1", "r2", "r3")
    receipt_path(home, run_id).unlink()
    assert broken_links(home) == [f"reports/{run_id}/receipt.json is missing"]


@pytest.mark.parametrize("run_id", ["r1", "r2", "r3"])
def test_an_edited_receipt_is_named(home: Home, run_id: str) -> None:
    chain_of(home, "r1", "r2", "r3")
    path = receipt_path(home, run_id)
    path.write_text(path.read_text().replace("2020-04-20", "2020-04-21"))
    (found,) = broken_links(home)
    assert found.startswith(f"reports/{run_id}/receipt.json is not")


def test_any_flipped_byte_of_the_chain_is_noticed(home: Home) -> None:
    text = b"".join(chain_of(home, "r1", "r2"))
    path = chain_path(home)
    for place in range(len(text)):
        path.write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        assert any("chain" in found for found in broken_links(home)), place
    path.write_bytes(text)
    assert broken_links(home) == []


@pytest.mark.parametrize("kept", [[1, 2], [0, 2], [0, 1], [1, 0, 2], []])
def test_removed_and_moved_links_are_noticed(home: Home, kept: list[int]) -> None:
    lines = chain_of(home, "r1", "r2", "r3")
    chain_path(home).write_bytes(b"".join(lines[number] for number in kept))
    assert broken_links(home) != []


def test_a_removed_chain_is_noticed(home: Home) -> None:
    chain_of(home, "r1")
    chain_path(home).unlink()
    assert broken_links(home) == ["reports/r1/receipt.json is in no chain"]


@pytest.mark.parametrize("cut", [1, 10])
def test_a_chain_that_was_cut_off_is_noticed_and_goes_on(home: Home, cut: int) -> None:
    text = b"".join(chain_of(home, "r1", "r2"))
    chain_path(home).write_bytes(text[:-cut])
    assert any("cut off" in found for found in broken_links(home))
    file_run(home, "r3")
    found = broken_links(home)
    # What was damaged stays to be seen; what follows stands.
    assert (found == []) == (cut == 1)
    assert not any("r3" in line for line in found)


def test_an_edited_link_does_not_hide_what_follows(home: Home) -> None:
    first, *others = chain_of(home, "r1", "r2", "r3")
    edited = first.replace(b'"run_id": "r1"', b'"run_id": "r9"')
    chain_path(home).write_bytes(b"".join([edited, *others]))
    assert broken_links(home) == [
        "link 1 of the chain of receipts was edited",
        "reports/r1/receipt.json is in no chain",
    ]


def test_a_link_of_a_crash_before_its_time_is_caught_up(home: Home) -> None:
    """A receipt was written, its link not: the run is filed again."""
    chain_of(home, "r1")
    run = finished(home, "r2")
    write_receipt(home, run, {})
    lines = chain_path(home).read_bytes().splitlines(keepends=True)
    chain_path(home).write_bytes(lines[0])
    assert broken_links(home) == ["reports/r2/receipt.json is in no chain"]
    write_receipt(home, run, {})
    assert broken_links(home) == []


def test_a_publication_is_sealed_once(home: Home) -> None:
    file_run(home, "r1")
    publication = publish(home, "r1", True, lambda _: None)
    assert publication
    seal_if_missing(home, publication)
    (link,) = read_chain(home).published("r1")
    names = {path.rpartition("/")[2] for path in link.files if "/roles/" not in path}
    assert names == {"komek.duckdb", "publication.json", "manifest.json"}
    assert any(path.endswith("/roles/ministry.duckdb") for path in link.files)
    state = publication.folder / "publication.json"
    state.write_text(state.read_text().replace("true", "false"))
    seal_if_missing(home, publication)
    assert read_chain(home).published("r1") == [link]


def test_links_are_told_apart_by_what_they_say(home: Home) -> None:
    chain_of(home, "r1")
    (link,) = read_chain(home).links
    assert json.loads(link.line)["sha256"] == link.sha256
    assert replace(link, run_id="r2").sha256 != link.sha256
