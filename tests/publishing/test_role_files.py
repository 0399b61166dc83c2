"""The file of each role: what is in it, under which key, and how it is published."""

from pathlib import Path

import duckdb
import pytest

from finished_run import AKMOLA, AKTOBE
from hand_filed import hand_made, publish_filed
from komek.base.database import attach
from komek.base.places import Home
from komek.publishing.publish import publish
from komek.publishing.role_files import BODIES, FOLDER, key_of_file
from komek.trust.audit import audit
from komek.trust.chain import read_chain

KEY = "a key of more than sixteen letters"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def files_of(home: Home) -> dict[str, Path]:
    folder = home.publications / home.current.readlink().name / FOLDER
    return {path.stem: path for path in folder.iterdir()}


def test_each_role_has_a_file_that_is_sealed_with_the_publication(home: Home) -> None:
    publish_filed(home, hand_made(home, "r1"))

    files = files_of(home)
    bodies = {f"body-{body}" for body in BODIES}
    regions = {f"region-{AKMOLA}", f"region-{AKTOBE}"}
    assert files.keys() == regions | bodies | {"ministry", "engineer"}
    named = {path for path in read_chain(home).files if f"/{FOLDER}/" in path}
    assert {Path(path).stem for path in named} == files.keys()
    assert all(path.stat().st_mode & 0o077 == 0 for path in files.values())
    assert audit(home, {}).findings == []

    files["ministry"].write_bytes(b"something else")
    assert any("ministry.duckdb" in one for one in audit(home, {}).findings)


def test_a_region_s_file_has_its_rows_in_order(home: Home) -> None:
    publish_filed(home, hand_made(home, "r1"))

    with duckdb.connect(
        str(files_of(home)[f"region-{AKMOLA}"]), read_only=True
    ) as file:
        assert file.execute(
            "select place, iin, list_no, last_name, amount from recipients"
            " order by place"
        ).fetchall() == [
            (1, "000000000202", 1, "Ахметов", 5302),
            (2, "000000000101", 1, "Ахметов", 5302),
        ]
        assert file.execute("select iin from people order by iin").fetchall() == [
            ("000000000101",),
            ("000000000202",),
        ]
        assert file.execute("select listed, ended from lists").fetchall() == [(2, 0)]
        assert file.execute("select sum(sets), sum(amount) from cells").fetchall() == [
            (2, 10604)
        ]
    with duckdb.connect(str(files_of(home)["ministry"]), read_only=True) as file:
        columns = file.execute(
            "select column_name from information_schema.columns"
        ).fetchall()
        assert "iin" not in {name for (name,) in columns}
        assert file.execute("select sum(people) from cells").fetchone() == (3,)


def test_a_list_s_hash_is_of_who_is_on_it_alone(home: Home) -> None:
    def hashes() -> list[tuple[str, str]]:
        path = str(files_of(home)["ministry"])
        with duckdb.connect(path, read_only=True) as file:
            return file.execute(
                "select region_kato, sha256 from lists order by 1"
            ).fetchall()

    publish_filed(home, hand_made(home, "r1"))
    first = hashes()
    publish_filed(home, hand_made(home, "r2"))

    assert hashes() == first
    assert len({sha for _, sha in first}) == 2


def test_each_file_is_encrypted_under_a_key_of_its_own(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOMEK_KEY", KEY)
    publish_filed(home, hand_made(home, "r1"))

    files = files_of(home)
    assert len({key_of_file(name) for name in files}) == len(files)
    for name, path in files.items():
        assert b"\xd0\x90\xd1\x85\xd0\xbc\xd0\xb5\xd1\x82" not in path.read_bytes()
        with duckdb.connect() as connection:
            attach(connection, path, "own", key=key_of_file(name))
            assert connection.execute("from own.publication").fetchone()
        other = key_of_file("ministry" if name != "ministry" else f"region-{AKMOLA}")
        with duckdb.connect() as connection, pytest.raises(Exception, match="open"):
            attach(connection, path, "own", key=other)


def test_a_publication_without_them_is_published_anew(home: Home) -> None:
    first = publish_filed(home, hand_made(home, "r1"))
    (first.folder / FOLDER / f"region-{AKMOLA}.duckdb").unlink()

    again = publish(home, "r1", True, lambda _: None, read_chain(home).head)

    assert again.name != first.name
    assert f"region-{AKMOLA}" in files_of(home)
