import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

import click
import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from komek.base import database
from komek.base.errors import UsageError
from komek.base.messages import harmless
from komek.base.places import PACKAGE
from komek.base.settings import KEY, MEMORY_LIMIT
from komek.cli import cli
from komek.nation import write
from komek.publishing.pack_files import add_pack_key, parquet_options, read_parquet

SECRET = "correct-horse-battery"
OTHER = "wrong-horse-battery"
SHORT = "horse-battery"
SOMEBODY = "850101300123"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)


def fill(file: Path) -> None:
    with database.connect(file) as connection:
        connection.execute("create schema facts")
        connection.execute(f"create table facts.people as select '{SOMEBODY}' as iin")
        connection.execute("create view facts.named as from facts.people")


def names_somebody(folder: Path) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return any(SOMEBODY.encode() in path.read_bytes() for path in files)


# Files


def test_without_a_key_a_file_is_duckdbs_own(tmp_path: Path) -> None:
    fill(tmp_path / "run.duckdb")

    assert names_somebody(tmp_path)
    assert not database.is_encrypted(tmp_path / "run.duckdb")
    with duckdb.connect(tmp_path / "run.duckdb", read_only=True) as connection:
        assert connection.execute("from facts.named").fetchall() == [(SOMEBODY,)]


def test_under_a_key_a_file_names_nobody(tmp_path: Path, key: None) -> None:
    fill(tmp_path / "run.duckdb")

    assert not names_somebody(tmp_path)
    assert database.is_encrypted(tmp_path / "run.duckdb")
    with pytest.raises(duckdb.Error, match="encrypted"):
        duckdb.connect(tmp_path / "run.duckdb", read_only=True)


def test_what_is_written_ahead_names_nobody(tmp_path: Path, key: None) -> None:
    with database.connect(tmp_path / "run.duckdb") as connection:
        connection.execute(f"create table people as select '{SOMEBODY}' as iin")

        assert (tmp_path / "run.duckdb.wal").stat().st_size
        assert not names_somebody(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.duckdb"]


@pytest.mark.parametrize("secret", ["", SECRET])
def test_what_spills_names_nobody_under_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(KEY, secret)
    file = tmp_path / "run.duckdb"
    with database.connect(file) as connection:
        connection.execute("set memory_limit = '30MB'")
        connection.execute("set threads = 1")
        connection.execute(
            f"create temp table people as select '{SOMEBODY}' || hash(range) || md5("
            "cast(range as varchar)) as iin from range(1000000)"
        )

        assert names_somebody(tmp_path / "run.duckdb.tmp") == (not secret)


@pytest.mark.parametrize("secret", ["", SECRET])
def test_a_renamed_file_is_found_in_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(KEY, secret)
    fill(tmp_path / "run.duckdb")
    renamed = (tmp_path / "run.duckdb").rename(tmp_path / "20200420-it's.duckdb")

    with database.connect(renamed, read_only=True) as connection:
        asked = [connection, database.cursor(connection)]
        assert [each.execute("from facts.named").fetchall() for each in asked] == [
            [(SOMEBODY,)]
        ] * 2
    with database.connect() as connection:
        database.attach(connection, renamed, "run")
        found = connection.execute("from run.facts.named").fetchall()
        assert found == [(SOMEBODY,)]


def test_a_file_opened_for_reading_is_only_read(tmp_path: Path, key: None) -> None:
    fill(tmp_path / "run.duckdb")

    with (
        database.connect(tmp_path / "run.duckdb", read_only=True) as connection,
        pytest.raises(duckdb.Error, match="read-only"),
    ):
        connection.execute("delete from facts.people")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "run.duckdb is encrypted: set KOMEK_KEY"),
        (OTHER, "KOMEK_KEY does not open .*run.duckdb"),
        (SHORT, "KOMEK_KEY is too short: it takes 16 characters or more"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_the_key_does_not_open(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
    said: str,
    read_only: bool,
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    fill(tmp_path / "run.duckdb")
    monkeypatch.setenv(KEY, secret)

    with pytest.raises(UsageError) as caught:
        database.connect(tmp_path / "run.duckdb", read_only=read_only)

    assert re.search(f"{said}$", str(caught.value))
    assert "\n" not in str(caught.value)
    assert not secret or secret not in str(caught.value)


def test_a_file_of_before_the_key_is_read_and_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "run.duckdb")
    monkeypatch.setenv(KEY, SECRET)

    with database.connect(tmp_path / "run.duckdb", read_only=True) as connection:
        assert connection.execute("from facts.named").fetchall() == [(SOMEBODY,)]
    assert not database.is_encrypted(tmp_path / "run.duckdb")
    with pytest.raises(UsageError, match="is not encrypted: it was begun without"):
        database.connect(tmp_path / "run.duckdb")


@pytest.mark.parametrize("secret", ["", SECRET])
def test_what_is_no_database_is_duckdbs_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(KEY, secret)
    (tmp_path / "run.duckdb").write_bytes(b"no database" * 2000)

    for name in ("run.duckdb", "absent.duckdb"):
        with pytest.raises(duckdb.IOException, match=name) as caught:
            database.connect(tmp_path / name, read_only=True)
        assert database.KEY not in str(caught.value)


# Bounds


OPENED = ["memory", "file", "cursor", "read only", "nation"]


@contextmanager
def opened(how: str, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    file = folder / "run.duckdb"
    fill(file)
    if how == "nation":
        (folder / "nation").mkdir()
        with demo_nation(folder / "nation") as connection:
            yield connection
    elif how == "memory":
        with database.connect() as connection:
            yield connection
    else:
        with database.connect(file, read_only=how == "read only") as connection:
            yield database.cursor(connection) if how == "cursor" else connection


def demo_nation(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    day = date(2020, 4, 1)
    return write._database(folder, write.Plan(folder, 0.0001, 1, day, day))


@pytest.mark.parametrize("how", OPENED)
def test_one_setting_bounds_the_memory_of_every_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "123MiB")
    with opened(how, tmp_path) as connection:
        assert setting(connection, "memory_limit") == "123.0 MiB"


@pytest.mark.parametrize("how", OPENED)
def test_every_database_has_the_one_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    with opened(how, tmp_path) as connection:
        assert setting(connection, "TimeZone") == "Asia/Almaty"


@pytest.mark.parametrize("how", OPENED)
def test_nothing_is_spilled_where_the_command_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(how, tmp_path) as connection:
        spill = setting(connection, "temp_directory")
        assert not spill if how == "memory" else Path(spill).is_absolute()


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    (value,) = connection.execute(f"select current_setting('{name}')").fetchone()
    return value


@pytest.mark.parametrize("limit", ["much", "4", "60%", "x'; select 1; --"])
def test_a_limit_that_is_none_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, limit)

    with pytest.raises(UsageError, match="KOMEK_MEMORY_LIMIT is an amount of memory"):
        database.connect()


def test_what_finds_no_room_in_memory_says_which_setting_gives_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, "20MiB")
    with database.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(
            f"create table people as select '{SOMEBODY}' || md5(cast(range as varchar))"
            " from range(3000000)"
        )

    assert re.fullmatch(
        r"out of memory \([0-9.]+ MiB/20.0 MiB used\): set KOMEK_MEMORY_LIMIT higher",
        harmless(caught.value),
    )


# Keys


def test_the_keys_stay_what_they_are(key: None) -> None:
    """Another derivation would lock everyone out of what is encrypted already."""
    assert database.key_of() == "IY4nodDWdsq9lX4ELV62QuDZ1ShHua74C2uXfH52afs="
    assert (
        database.key_of("110000000") == "C6luepgRMHSIVCINulSYSvCsSBcHuNDE3Fr9LqoupZk="
    )


def test_a_key_opens_nothing_that_is_not_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = []
    for secret in (SECRET, OTHER):
        monkeypatch.setenv(KEY, secret)
        keys += [database.key_of(region) for region in (None, "110000000", "150000000")]

    assert len({*keys, SECRET, OTHER}) == 8


@pytest.mark.parametrize("arguments", [[], ["110000000"]])
def test_the_command_prints_a_key(key: None, arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, ["key", *arguments])

    assert result.stdout == f"{database.key_of(*arguments)}\n"


@pytest.mark.parametrize(
    ("secret", "arguments", "said"),
    [
        ("", [], "KOMEK_KEY is not set"),
        (SHORT, [], "KOMEK_KEY is too short"),
        (SECRET, ["Akmola"], "'Akmola' is not a code of nine digits"),
    ],
)
def test_the_command_refuses_by_name(
    monkeypatch: pytest.MonkeyPatch, secret: str, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv(KEY, secret)

    with pytest.raises((UsageError, click.UsageError), match=said):
        cli.main(["key", *arguments], standalone_mode=False)


# Packs


def test_a_region_opens_its_own_packs(tmp_path: Path, key: None) -> None:
    pack = tmp_path / "recipients.parquet"
    with database.connect() as connection:
        for region in ("110000000", "150000000"):
            add_pack_key(connection, region)
        connection.execute(
            f"copy (select '{SOMEBODY}' as iin) to '{pack}'"
            f" {parquet_options('110000000')}"
        )
        read = read_parquet(pack, "110000000")
        assert connection.execute(f"from {read}").fetchall() == [(SOMEBODY,)]
        with pytest.raises(duckdb.Error, match="AES tag"):
            connection.execute(f"from {read_parquet(pack, '150000000')}")

    assert not names_somebody(tmp_path)
    # What the README tells a region to do.
    with duckdb.connect() as connection:
        connection.execute(
            f"pragma add_parquet_key('pack', '{database.key_of('110000000')}')"
        )
        found = connection.execute(
            f"from read_parquet('{pack}', encryption_config = {{footer_key: 'pack'}})"
        )
        assert found.fetchall() == [(SOMEBODY,)]


def test_an_encrypted_pack_asks_for_the_key(tmp_path: Path) -> None:
    pack = tmp_path / "recipients.parquet"
    pack.write_bytes(b"PARE")

    with pytest.raises(UsageError, match=r"recipients\.parquet is encrypted: set"):
        read_parquet(pack, "110000000")


# The one place


def test_nothing_else_opens_a_file() -> None:
    """But the demo nation's writer: nobody in it has ever lived."""
    opens = re.compile(r"duckdb\.connect\(|[\"']attach ")
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if opens.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"base/database.py", "nation/write.py"}


def test_no_name_in_a_query_is_one_of_pythons() -> None:
    nobody = pa.table({"iin": ["850101300123"]})
    assert nobody.num_rows
    with database.connect() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("from nobody")
