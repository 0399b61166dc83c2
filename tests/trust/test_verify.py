"""`komek verify` on a published run of the golden nation, damaged in many ways."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from filed_run import APRIL_20, GOLDEN, compute
from komek.base.errors import KomekError, UsageError
from komek.base.files import sha256_or_none
from komek.base.places import Home
from komek.landing.land import land
from komek.runs.inputs import Inputs, inputs_from_json
from komek.runs.layout import begin
from komek.runs.run import Request, Run
from komek.runs.version import code_version
from komek.trust import verify as verify_module
from komek.trust.chain import chain_path, receipt_path
from komek.trust.contents import CLOCK, EVIDENCE, tables_of
from komek.trust.receipts import read_receipt, write_receipt
from komek.trust.verify import Verified, check, verify

REQUEST = Request(APRIL_20, APRIL_20, {})
# Where a byte is flipped: every kind of file a run rests on or leaves.
PLACES = {
    "landed Parquet": "landing/*/2020-*/r*/*.parquet",
    "landed manifest": "landing/*/2020-*/r*/manifest.json",
    "calendar": "landing/working_days/*/*",
    "run's file": "warehouse/runs/*.duckdb",
    "receipt": "reports/*/receipt.json",
    "chain": "reports/chain.jsonl",
    "published file": "warehouse/publications/*/komek.duckdb",
    "publication": "warehouse/publications/*/publication.json",
    "pack": "published/*/*/*",
}


def quiet(_line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def built(
    published_golden: Home, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Home, str]:
    home = Home(tmp_path_factory.mktemp("verify") / "home")
    shutil.copytree(published_golden.root, home.root, symlinks=True)
    (run_id,) = home.run_ids()
    return home, run_id


@pytest.fixture
def copied(built: tuple[Home, str], tmp_path: Path) -> tuple[Home, str]:
    home, run_id = built
    shutil.copytree(home.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home"), run_id


@contextmanager
def restored(path: Path) -> Iterator[None]:
    """Put back what a test does to a file: a copy takes longer."""
    before = path.read_bytes()
    try:
        yield
    finally:
        path.write_bytes(before)


def flip(path: Path, place: int) -> None:
    text = bytearray(path.read_bytes())
    text[place] ^= 1 << place % 8
    path.write_bytes(text)


def used(home: Home, run_id: str) -> set[Path]:
    """Return the folders of the snapshots that the run used."""
    inputs = inputs_from_json(read_receipt(home, run_id)["inputs"])
    return {given.folder(home) for given in inputs.all}


def test_an_untouched_run_is_as_it_was(built: tuple[Home, str]) -> None:
    checked = check(*built)
    assert (checked.findings, checked.obstacle) == ([], None)


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_byte_anywhere_is_found_by_name(
    built: tuple[Home, str], seed: int
) -> None:
    home, run_id = built
    draw = random.Random(seed)
    kind = list(PLACES)[seed % len(PLACES)]
    files = sorted(
        path
        for path in home.root.glob(PLACES[kind])
        if "landing" not in path.parts or path.parent in used(home, run_id)
    )
    path = draw.choice(files)
    with restored(path):
        flip(path, draw.randrange(path.stat().st_size))
        found = check(home, run_id).findings
        name = path.resolve().relative_to(home.root).as_posix()
        if kind == "chain":
            name = "chain of receipts"
        assert any(name in finding for finding in found), (kind, name, found)
    assert check(home, run_id).findings == []


UPDATED = {
    "VARCHAR": "coalesce({}, '') || 'x'",
    "DATE": "coalesce({}, date '2020-01-01') + interval 1 day",
    "TIMESTAMP": "coalesce({}, timestamp '2020-01-01') + interval 1 second",
    "BOOLEAN": "not coalesce({}, true)",
}


def tamper(run_file: Path, draw: random.Random) -> str:
    """Change, delete or add one random row of a random mart; return its name."""
    tables = {
        name: columns
        for name, columns in tables_of(run_file).items()
        if not name[1].startswith(EVIDENCE)
    }
    with duckdb.connect(run_file) as connection:
        while True:
            (schema, table), columns = draw.choice(list(tables.items()))
            name = f"{schema}.{table}"
            (rows,) = connection.execute(f"select count(*) from {name}").fetchone()
            if rows:
                break
        row = draw.randrange(rows)
        column, kind = draw.choice(
            [c for c in columns if c[0] not in CLOCK.get(table, ())]
        )
        value = UPDATED.get(kind, "coalesce({}, 0) + 1").format(f'"{column}"')
        connection.execute(
            draw.choice(
                [
                    f'update {name} set "{column}" = {value} where rowid = {row}',
                    f"delete from {name} where rowid = {row}",
                    f"insert into {name} select * from {name} where rowid = {row}",
                ]
            )
        )
    return name


@pytest.mark.parametrize("seed", range(30))
def test_a_changed_row_of_any_mart_is_found_by_name(
    built: tuple[Home, str], seed: int
) -> None:
    home, run_id = built
    run_file = home.run_file(run_id)
    with restored(run_file):
        name = tamper(run_file, random.Random(seed))
        found = check(home, run_id).findings
        assert any(finding.startswith(f"{name}:") for finding in found), (name, found)
        assert any(f"{run_id}.duckdb is not what it was" in line for line in found)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("update law.p25_ledger set person_row = 1", "evidence_food_set_decisions"),
        ("delete from law.p25_3_disability_group", "evidence_food_set_recipients"),
        ("update law.p28_plan set norm_row = null", "evidence_delivery_plan"),
        ("delete from facts.benefit_payments", "evidence_payout_schedule"),
    ],
)
def test_a_changed_row_of_the_law_is_found_in_the_lineage_that_shows_it(
    built: tuple[Home, str], change: str, shown: str
) -> None:
    home, run_id = built
    run_file = home.run_file(run_id)
    with restored(run_file):
        with duckdb.connect(run_file) as run:
            run.execute(change)
        found = check(home, run_id).findings
    assert any(finding.startswith(f"marts.{shown}:") for finding in found), found


@pytest.mark.parametrize(
    "pattern",
    [
        "landing/persons/*/r*/00000.parquet",
        "landing/persons/*/r*/manifest.json",
        "landing/working_days/*/days.parquet",
        "warehouse/runs/*.duckdb",
        "reports/*/receipt.json",
        "warehouse/publications/*/published/2020-04-01/*/recipients.xlsx",
        "warehouse/publications/*/published/2020-04-01/*/changes.csv",
        "warehouse/publications/*/published/2020-04-01/*/manifest.json",
    ],
)
def test_a_removed_file_is_named(copied: tuple[Home, str], pattern: str) -> None:
    home, run_id = copied
    path = next(home.root.glob(pattern))
    path.unlink()
    assert f"{path.relative_to(home.root)} is missing" in check(home, run_id).findings


def test_a_removed_publication_is_noticed(copied: tuple[Home, str]) -> None:
    home, run_id = copied
    shutil.rmtree(home.current.resolve())
    found = check(home, run_id).findings
    assert any(line.endswith("/publication.json is missing") for line in found)


def test_a_log_of_changes_beside_the_file_is_noticed(
    copied: tuple[Home, str],
) -> None:
    home, run_id = copied
    home.run_file(run_id).with_name(f"{run_id}.duckdb.wal").write_bytes(b"")
    (found,) = check(home, run_id).findings
    assert ".duckdb.wal is there" in found


def test_a_run_out_of_the_chain_is_not_believed(copied: tuple[Home, str]) -> None:
    home, run_id = copied
    chain_path(home).unlink()
    *_, found, obstacle = verify(home, run_id, quiet).findings
    assert found == f"run {run_id} is in no chain"
    assert obstacle == "not computed again: nothing says what the run was"


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff"])
def test_nothing_is_computed_from_a_damaged_receipt(
    copied: tuple[Home, str], damage: bytes
) -> None:
    home, run_id = copied
    receipt_path(home, run_id).write_bytes(damage)
    found = verify(home, run_id, quiet).findings
    assert found[-1].startswith("not computed again: its receipt")


def test_nothing_is_computed_from_damaged_inputs(copied: tuple[Home, str]) -> None:
    home, run_id = copied
    flip(next(home.landing.glob("persons/*/r*/00000.parquet")), 100)
    first, *_, last = verify(home, run_id, quiet).findings
    assert first.startswith("landing/persons/")
    assert last.startswith("not computed again: its inputs")


def test_findings_quote_no_row(copied: tuple[Home, str]) -> None:
    home, run_id = copied
    run_file = home.run_file(run_id)
    with duckdb.connect(run_file) as run:
        persons = run.execute("select iin from marts.food_set_recipients").fetchall()
        run.execute("update marts.food_set_recipients set region_kato = 'x'")
    found = " ".join(check(home, run_id).findings)
    assert persons
    assert not any(iin in found for (iin,) in persons)


@pytest.mark.parametrize("run_id", ["20200420-000000000000", "../../etc", ""])
def test_an_unknown_run_is_wrong_usage(built: tuple[Home, str], run_id: str) -> None:
    with pytest.raises(UsageError, match="there is no run"):
        verify(built[0], run_id, quiet)


# With the run computed again


def land_more(home: Home, drop: Path) -> None:
    """Land another revision of a registry, one that changes the list."""
    shutil.copytree(GOLDEN / "persons", drop / "persons")
    file = drop / "persons" / "2020-04-01.csv"
    file.write_text(file.read_text().replace("271010000", "111010000"))
    assert land(home, drop, ["persons"])


def state(home: Home) -> dict[str, str | None]:
    return {
        path.relative_to(home.root).as_posix(): sha256_or_none(path)
        for path in sorted(home.root.rglob("*"))
    }


def test_a_run_gives_the_same_again_whatever_has_landed_since(
    copied: tuple[Home, str], tmp_path: Path
) -> None:
    home, run_id = copied
    land_more(home, tmp_path / "drop")
    before = state(home)
    said: list[str] = []
    assert verify(home, run_id, said.append) == Verified([], ["unsigned"])
    assert said
    assert state(home) == before


def forge(home: Home, run_id: str, change: Callable[[Path], object]) -> None:
    """Change the run's file and write receipt and chain anew, so that all fits."""
    receipt = read_receipt(home, run_id)
    run_file = home.run_file(run_id)
    change(run_file)
    receipt_path(home, run_id).unlink()
    chain_path(home).unlink()
    shutil.rmtree(home.publications)
    home.current.unlink()
    run = Run(
        home=home,
        run_id=run_id,
        request=REQUEST,
        code_version=receipt["code_version"],
        law_sha256=receipt["law_sha256"],
        started_at=datetime.now(UTC),
        inputs=inputs_from_json(receipt["inputs"]),
    )
    write_receipt(home, run, {"overridden_checks": receipt["overridden_checks"]})
    assert check(home, run_id).findings == []


@dataclass(frozen=True)
class Forged:
    """A run that was changed, with all that vouches for it, and what is found."""

    run_id: str
    tables: set[str]
    found: list[str]


@pytest.fixture(scope="module")
def forged(built: tuple[Home, str], tmp_path_factory: pytest.TempPathFactory) -> Forged:
    """Rows of three marts, a view and a table behind the marts, changed at once."""
    home, run_id = Home(tmp_path_factory.mktemp("forged") / "home"), built[1]
    shutil.copytree(built[0].root, home.root, symlinks=True)
    tables = set()

    def change(run_file: Path) -> None:
        for seed in range(3):
            tables.add(tamper(run_file, random.Random(seed)))
        with duckdb.connect(run_file) as run:
            run.execute("create view marts.kept as select * from marts.lineage")
            run.execute(
                "create or replace view marts.lineage as select * replace"
                " (row_number + 1 as row_number) from marts.kept"
            )
            run.execute("delete from facts.people where rowid = 0")

    forge(home, run_id, change)
    return Forged(run_id, tables, verify(home, run_id, quiet).findings)


def test_a_forgery_that_fits_is_found_by_computing_again(forged: Forged) -> None:
    for table in forged.tables:
        said = [line for line in forged.found if line.startswith(table)]
        assert any(line.startswith(f"{table}: computed again") for line in said)
        assert any("rows of" in line for line in said)


def test_a_view_that_shows_other_rows_is_found_by_computing_again(
    forged: Forged,
) -> None:
    assert [line for line in forged.found if "another view" in line] == [
        f"marts.{view}: {forged.run_id}.duckdb has another view than is computed again"
        for view in ("kept", "lineage")
    ]


def test_a_table_behind_the_marts_is_named(forged: Forged) -> None:
    assert [line.partition(":")[0] for line in forged.found if "facts." in line] == [
        "facts.people"
    ]


def test_other_code_is_said_and_is_no_difference(
    copied: tuple[Home, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, run_id = copied
    version = code_version()
    monkeypatch.setattr(verify_module, "code_version", lambda: "0.0.0+other")
    found = verify(home, run_id, quiet)
    assert found == Verified(
        findings=[],
        notes=[
            f"computed by other code: {version}, now 0.0.0+other; every table is equal",
            "unsigned",
        ],
    )


def test_pinned_inputs_are_those_recorded(
    copied: tuple[Home, str], tmp_path: Path
) -> None:
    home, run_id = copied
    inputs = inputs_from_json(read_receipt(home, run_id)["inputs"])
    land_more(home, tmp_path / "drop")
    assert begin(home, REQUEST, inputs).run_id == run_id
    assert begin(home, REQUEST).run_id != run_id
    others = Inputs(
        tuple(replace(given, sha256="0" * 64) for given in inputs.snapshots),
        replace(inputs.calendar, sha256="0" * 64),
    )
    with pytest.raises(KomekError, match=r"not what the run recorded: .*working_days"):
        begin(home, REQUEST, others)


def test_a_run_takes_no_damaged_calendar(copied: tuple[Home, str]) -> None:
    home, _ = copied
    flip(next(home.landing.glob("working_days/*/days.parquet")), 50)
    with pytest.raises(KomekError, match=r"days\.parquet"):
        begin(home, REQUEST)


def test_law_tables_may_be_those_of_another_run(copied: tuple[Home, str]) -> None:
    home, run_id = copied
    run_file = home.run_file(run_id)
    with duckdb.connect(run_file) as run:
        run.execute("update law.parameters set value = 3 where name = 'food_set_floor'")
        run.execute("alter table law.services add column new_one varchar")
    computed = compute(home, replace(REQUEST), run_file)
    with duckdb.connect(computed.file) as run:
        assert run.execute(
            "select food_set_floor from facts.run_context"
        ).fetchone() == (3,)
        # A table of other columns stays today's.
        columns = [row[0] for row in run.execute("describe law.services").fetchall()]
    assert "new_one" not in columns
