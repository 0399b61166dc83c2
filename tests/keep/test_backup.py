"""A copy of a home, taken while runs go on, and a home made of it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hand_filed import hand_made, publish_filed
from komek.base.errors import KomekError, UsageError
from komek.base.lock import writer_lock
from komek.base.places import Home
from komek.cli import cli
from komek.keep import backup as module
from komek.keep.backup import BACKUP, backup, restore
from komek.publishing.publication import current_publication
from komek.trust.audit import audit
from komek.trust.chain import chain_path, read_chain


def quiet(_line: str) -> None:
    pass


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    publish_filed(home, hand_made(home, "r1"))
    return home


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_a_restored_home_is_the_home(home: Home, kept: Path, tmp_path: Path) -> None:
    again = Home(tmp_path / "again")
    backup(home, kept, quiet)

    restore(kept, again, quiet)

    assert audit(again, {}).findings == []
    assert read_chain(again) == read_chain(home)
    published, there = current_publication(again), current_publication(home)
    assert published and there
    assert published.name == there.name
    assert again.published_warehouse.read_bytes() == (
        home.published_warehouse.read_bytes()
    )
    assert {path.stat().st_mode & 0o077 for path in again.root.rglob("*.duckdb")} == {0}


def test_a_second_backup_copies_what_is_new(home: Home, kept: Path) -> None:
    first = backup(home, kept, quiet)
    assert backup(home, kept, quiet).files == 0

    publish_filed(home, hand_made(home, "r2"))
    second = backup(home, kept, quiet)

    assert 0 < second.files < first.files + 10
    assert second.head == read_chain(home).head


def test_a_backup_waits_for_nobody(home: Home, kept: Path) -> None:
    (home.scratch / "r9").mkdir(parents=True)
    (home.scratch / "r9" / "run.duckdb").touch()
    with writer_lock(home):
        backup(home, kept, quiet)

    assert not (kept / "warehouse" / "scratch").exists()
    assert not (kept / "warehouse" / "writer.lock").exists()


def test_a_run_that_ends_meanwhile_is_copied_whole(
    home: Home, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run file is there only after the files of its kind have been copied."""
    copy, left = module._copy, ["r2", "r3"]

    def copy_while_a_run_ends(source: Path, target: Path) -> int | None:
        if left and source == chain_path(home):
            publish_filed(home, hand_made(home, left.pop()))
        return copy(source, target)

    monkeypatch.setattr(module, "_copy", copy_while_a_run_ends)
    said: list[str] = []
    backup(home, kept, said.append)
    monkeypatch.undo()
    again = Home(tmp_path / "again")

    restore(kept, again, quiet)

    assert any("a run has ended meanwhile" in line for line in said)
    assert audit(again, {}).findings == []
    assert {*again.run_ids()} == {"r1", "r2", "r3"}


def test_what_is_gone_from_the_home_goes_from_the_backup(
    home: Home, kept: Path
) -> None:
    backup(home, kept, quiet)
    for run_id in ("r2", "r3"):
        publish_filed(home, hand_made(home, run_id))

    backup(home, kept, quiet)

    there = {path.name for path in home.publications.iterdir()}
    assert {path.parent.name for path in kept.rglob("publication.json")} == there


def test_a_damaged_backup_is_said(home: Home, kept: Path, tmp_path: Path) -> None:
    backup(home, kept, quiet)
    (run_file,) = (kept / "warehouse" / "runs").iterdir()
    run_file.write_bytes(b"another")

    with pytest.raises(KomekError, match=r"runs/r1.duckdb is not what it was"):
        restore(kept, Home(tmp_path / "again"), quiet)


def test_an_unfinished_backup_is_none(home: Home, kept: Path, tmp_path: Path) -> None:
    backup(home, kept, quiet)
    (kept / BACKUP).unlink()

    with pytest.raises(UsageError, match="no finished backup"):
        restore(kept, Home(tmp_path / "again"), quiet)


def test_a_home_is_not_restored_over(home: Home, kept: Path) -> None:
    backup(home, kept, quiet)

    with pytest.raises(UsageError, match="is a home already"):
        restore(kept, home, quiet)


def test_a_backup_is_kept_apart(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letters").touch()

    with pytest.raises(UsageError, match="cannot be kept in"):
        backup(home, home.root / "kept", quiet)
    with pytest.raises(UsageError, match="holds something else: letters"):
        backup(home, other, quiet)
    with pytest.raises(UsageError, match="there is no home"):
        backup(Home(tmp_path / "nothing"), tmp_path / "kept", quiet)


def test_the_commands_say_what_they_did(home: Home, kept: Path, tmp_path: Path) -> None:
    def told(*arguments: str | Path) -> dict[str, object]:
        result = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    copied = told("backup", kept, "--home", home.root)
    restored = told("restore", kept, "--home", tmp_path / "again")

    assert copied == restored
    assert copied["chain_head"] == str(read_chain(home).head)
