"""One run of the golden nation in two homes: in the open, and under a key."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree

import duckdb
import pytest

import floor
from compare import compare
from filed_run import APRIL_20, GOLDEN, publish_run
from komek import pipeline
from komek.base import database
from komek.base.database import KEY
from komek.base.errors import UsageError
from komek.base.places import Home
from komek.diff.between import diff
from komek.explain.person import explain
from komek.landing.land import land
from komek.publishing.pack_files import (
    ENCRYPTED_FILES,
    FILES,
    add_pack_key,
    read_parquet,
)
from komek.publishing.packs import PACK_MANIFEST
from komek.publishing.status import status
from komek.runs.layout import begin
from komek.runs.run import Request
from komek.trust.receipts import read_receipt
from komek.trust.verify import Verified, check, verify
from personal_data import people_of

SECRET = "correct-horse-battery"
REQUEST = Request(APRIL_20, APRIL_20, {})


@dataclass(frozen=True)
class Homes:
    """The same run in two homes."""

    plain: Home
    encrypted: Home
    run_id: str


def quiet(_line: str) -> None:
    """Say nothing."""


def run_every_step(home: Home) -> str:
    run_id = pipeline.prepare(home, REQUEST)
    for step in pipeline.STEPS:
        step.act(home, run_id, quiet)
    pipeline.publish(home, run_id, quiet)
    return run_id


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    folder = tmp_path_factory.mktemp("encryption")
    plain, encrypted = Home(folder / "plain"), Home(folder / "encrypted")
    land(plain, GOLDEN, until=APRIL_20)
    publish_run(plain, REQUEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY, SECRET)
        land(encrypted, GOLDEN, until=APRIL_20)
        yield Homes(plain, encrypted, run_every_step(encrypted))


@cache
def read(path: Path) -> bytes:
    return path.read_bytes()


def packs(home: Home) -> list[Path]:
    found = sorted(path.parent for path in home.published.glob(f"*/*/{PACK_MANIFEST}"))
    assert found
    return found


def test_the_key_is_no_part_of_a_run(homes: Homes) -> None:
    assert [*homes.plain.run_ids()] == [homes.run_id]
    assert read_receipt(homes.encrypted, homes.run_id) == read_receipt(
        homes.plain, homes.run_id
    )


def test_nobody_is_readable_in_any_file_under_the_key(homes: Homes) -> None:
    people = people_of(GOLDEN)
    # A short name of the golden nation may be a word of the documentation.
    names = {name for name in people.last_names if len(name) >= 12}
    known = {known.encode() for known in (*people.iins, *people.ibans, *names)}
    words = re.compile(rb"[0-9]{12}|KZ[0-9]{2}[0-9A-Z]{16}|[A-Za-z]{12,}")

    def named(home: Home) -> dict[str, set[bytes]]:
        """Return who is readable, by room of the home."""
        found = defaultdict(set)
        for path in filter(Path.is_file, home.root.rglob("*")):
            room, *_ = path.relative_to(home.root).parts
            found[room] |= known & {*map(bytes.lower, words.findall(read(path)))}
        return {room: who for room, who in found.items() if who}

    # The packs lie in the warehouse.
    there = named(homes.plain)
    assert there.keys() == {"landing", "warehouse"}
    for kind in (people.iins, people.ibans, names):
        assert {one.encode() for one in kind} & there["landing"]
    assert named(homes.encrypted) == {}


def test_every_landed_register_is_encrypted(homes: Homes) -> None:
    registers = [
        path
        for path in homes.encrypted.landing.rglob("*")
        if path.is_file() and "working_days" not in path.parts
    ]

    assert {path.suffix for path in registers if path.name != ".lock"} == {
        ".parquet",
        ".json",
    }
    for path in registers:
        if path.suffix == ".parquet":
            assert database.is_encrypted_parquet(path), path


def test_a_home_that_landed_in_the_open_is_read_under_the_key(homes: Homes) -> None:
    """And stays as it is: nothing of what has landed is written anew."""
    run = begin(homes.plain, REQUEST)
    try:
        assert run.run_id == homes.run_id
        with database.connect(run.file, read_only=True) as connection:
            (there,) = connection.execute(
                "select count(*) from landing.persons"
            ).fetchone()
        assert there
        assert database.is_encrypted(run.file)
    finally:
        rmtree(run.folder)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", r"\.parquet is encrypted: set KOMEK_KEY"),
        ("wrong-horse-battery", r"KOMEK_KEY does not open .*\.parquet"),
    ],
)
def test_a_home_that_landed_under_another_key_is_refused(
    homes: Homes,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    secret: str,
    said: str,
) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.landing.symlink_to(homes.encrypted.landing)
    monkeypatch.setenv(KEY, secret)

    with pytest.raises(UsageError, match=said) as caught:
        begin(home, REQUEST)

    assert "\n" not in str(caught.value)


def test_the_second_opinion_reads_the_landing_too(homes: Homes, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.duckdb"
    floor.compute(homes.encrypted.root, theirs, APRIL_20, APRIL_20)

    differences = compare(homes.plain.run_file(homes.run_id), theirs)

    assert set(differences.values()) == {(0, 0)}


def test_no_file_holds_a_key(homes: Homes) -> None:
    regions = [pack.name for pack in packs(homes.encrypted)]
    keys = [SECRET, *map(database.key_of, (None, *regions))]

    for path in homes.encrypted.root.rglob("*"):
        if path.is_file():
            held = read(path)
            assert not [key for key in keys if key.encode() in held], path


def test_every_database_is_encrypted(homes: Homes) -> None:
    files = [*homes.encrypted.warehouse.rglob("*.duckdb")]

    assert len(files) > 1
    for file in files:
        with pytest.raises(duckdb.Error, match="without a key"):
            duckdb.connect(file, read_only=True)


def test_packs_hold_the_same_under_the_key(homes: Homes) -> None:
    plain, encrypted = packs(homes.plain), packs(homes.encrypted)
    assert [pack.name for pack in encrypted] == [pack.name for pack in plain]

    with database.connect() as connection:
        for before, pack in zip(plain, encrypted, strict=True):
            assert {file.name for file in before.iterdir()} == {*FILES, PACK_MANIFEST}
            assert {file.name for file in pack.iterdir()} == {
                *ENCRYPTED_FILES,
                PACK_MANIFEST,
            }
            add_pack_key(connection, pack.name)
            there, here = (
                connection.execute(
                    "from " + read_parquet(each / "recipients.parquet", pack.name)
                ).fetchall()
                for each in (before, pack)
            )
            assert there == here
            assert here


def test_commands_say_the_same_under_the_key(homes: Homes) -> None:
    def said(home: Home) -> list[object]:
        told = status(home), explain(home, some_recipient(homes.plain))
        for timed in ("started_at", "finished_at"):
            del told[1]["run"][timed]
        return [
            told[0]["published"]["regions"],
            told[0]["runs"],
            told[1],
            diff(home, homes.run_id, homes.run_id),
        ]

    assert said(homes.encrypted) == said(homes.plain)


def some_recipient(home: Home) -> str:
    with database.connect(home.published_warehouse, read_only=True) as connection:
        (iin,) = connection.execute(
            "select min(iin) from marts.food_set_recipients"
        ).fetchone()
    return iin


def test_an_encrypted_run_is_verified(homes: Homes) -> None:
    assert verify(homes.encrypted, homes.run_id, quiet) == Verified([], ["unsigned"])
    assert not [*homes.encrypted.scratch.iterdir()]


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "is encrypted: set KOMEK_KEY"),
        ("wrong-horse-battery", "KOMEK_KEY does not open"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda homes: status(homes.encrypted),
        lambda homes: explain(homes.encrypted, some_recipient(homes.plain)),
        lambda homes: diff(homes.encrypted, homes.run_id, homes.run_id),
        lambda homes: verify(homes.encrypted, homes.run_id, quiet),
        lambda homes: pipeline.prepare(homes.encrypted, REQUEST),
    ],
    ids=["status", "explain", "diff", "verify", "run"],
)
def test_another_key_is_refused_in_one_line(
    homes: Homes,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Homes], object],
    secret: str,
    said: str,
) -> None:
    monkeypatch.setenv(KEY, secret)

    with pytest.raises(UsageError, match=said) as caught:
        call(homes)

    assert "\n" not in str(caught.value)
    assert not secret or secret not in str(caught.value)


def test_a_file_put_in_its_place_is_a_finding_and_no_wrong_key(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = homes.encrypted.run_file(homes.run_id)
    kept = file.rename(file.with_suffix(".kept"))
    try:
        monkeypatch.setenv(KEY, "wrong-horse-battery")
        database.connect(file).close()
        monkeypatch.setenv(KEY, SECRET)

        found = check(homes.encrypted, homes.run_id).findings
    finally:
        kept.rename(file)

    assert f"warehouse/runs/{file.name} is not what it was" in found
    assert f"{file.name} cannot be read as a database" in found
