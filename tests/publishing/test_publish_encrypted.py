"""Publications under a key."""

from datetime import date

import pytest

from finished_run import (
    AKMOLA,
    PEOPLE,
    finish_run,
)
from komek.base import database
from komek.base.errors import UsageError
from komek.base.places import Home
from komek.publishing.pack_files import (
    ENCRYPTED_FILES,
    FILES,
    add_pack_key,
    read_parquet,
)
from komek.publishing.packs import PACK_MANIFEST, is_whole
from komek.publishing.publication import current_publication, refuse_other_key
from komek.publishing.publish import publish
from published_runs import (
    APRIL,
    publications,
    publish_run,
    quiet,
)

MAY_20 = date(2020, 5, 20)


SECRET = "correct-horse-battery"


def changes_under_a_key(home: Home) -> list[tuple[str, str]]:
    """Return iin and change of Akmola's encrypted pack of April."""
    file = home.published / APRIL / AKMOLA / "changes.parquet"
    with database.connect() as connection:
        add_pack_key(connection, AKMOLA)
        return connection.execute(
            f"select iin, change from {read_parquet(file, AKMOLA)}"
        ).fetchall()


def test_a_run_is_published_anew_under_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r1")
    publish_run(home, "r1")

    assert publications(home) == ["000001-r1", "000002-r1"]
    assert database.is_encrypted(home.published_warehouse.resolve())
    for pack in home.published.glob("*/*"):
        assert {file.name for file in pack.iterdir()} == {
            *ENCRYPTED_FILES,
            PACK_MANIFEST,
        }
        assert is_whole(pack)


def test_changes_are_told_from_a_pack_of_before_the_key_and_of_after(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r2", people=PEOPLE[1:])
    assert changes_under_a_key(home) == [(PEOPLE[0].iin, "removed")]

    publish_run(home, "r3", people=PEOPLE)
    assert changes_under_a_key(home) == [(PEOPLE[0].iin, "added")]


def test_packs_of_before_the_key_stay_as_they_are(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "r1")
    monkeypatch.setenv(database.KEY, SECRET)

    publish_run(home, "r2", as_of=MAY_20)

    files = {
        month: {file.name for file in (home.published / month / AKMOLA).iterdir()}
        for month in (APRIL, "2020-05-01")
    }
    assert files == {
        APRIL: {*FILES, PACK_MANIFEST},
        "2020-05-01": {*ENCRYPTED_FILES, PACK_MANIFEST},
    }


def test_nothing_is_published_in_the_open_beside_what_is_encrypted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.KEY, SECRET)
    refuse_other_key(home)
    publish_run(home, "r1")
    refuse_other_key(home)

    monkeypatch.delenv(database.KEY)
    with pytest.raises(UsageError, match="is encrypted: set KOMEK_KEY"):
        refuse_other_key(home)
    finish_run(home, "r2")
    with pytest.raises(UsageError, match="is encrypted: set KOMEK_KEY"):
        publish(home, "r2", True, quiet)
    assert current_publication(home).run.run_id == "r1"


def test_a_damaged_publication_is_no_other_key(home: Home) -> None:
    publish_run(home, "r1")
    (current_publication(home).folder / "komek.duckdb").unlink()

    refuse_other_key(home)


def test_a_publication_that_is_no_database_is_published_anew_under_a_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.KEY, SECRET)
    publish_run(home, "r1")
    file = current_publication(home).folder / "komek.duckdb"
    file.unlink()
    file.write_bytes(b"no database" * 2000)

    refuse_other_key(home)
    publish_run(home, "r1")

    assert publications(home) == ["000001-r1", "000002-r1"]
    assert database.is_encrypted(home.published_warehouse.resolve())
