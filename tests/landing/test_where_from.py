"""A drop may be anywhere and its names anything; what people see is harmless."""

import os
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from komek.base import places
from komek.base.errors import StoppedError, UsageError
from komek.base.places import Home
from komek.landing.land import land
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    land_csv,
    members,
    parquet_bytes,
    put,
    rows_of,
)


def test_odd_names_are_harmless(tmp_path: Path) -> None:
    odd = tmp_path / 'it\'s "odd"; drop table x --' / "[ü] *? %20 ${x}"
    home = Home(tmp_path / "it's [ü] * %20 ${x} a=b" / "home")
    drop = odd / "drop"
    put(drop, f"{ENTITY}/{DAY}/it's [1] *; -- қ.csv", HEADER + "a,1\n")
    put(drop, f'{ENTITY}/{DAY}/q"2.parquet', parquet_bytes(members(("b", "2"))))
    (snapshot,) = land(home, drop)
    assert rows_of(snapshot, 0) == [("a", "1", None)]
    assert rows_of(snapshot, 1) == [("b", "2")]
    assert snapshot.files[0].file == f"{ENTITY}/{DAY}/it's [1] *; -- қ.csv"
    assert newest_snapshots(home, ENTITY) == [snapshot]


@pytest.mark.parametrize("name", [b"a\nb.csv", b"\xff.csv", b"\x1b[2J.csv"])
def test_an_unprintable_name_is_refused_in_print(
    home: Home, drop: Path, name: bytes
) -> None:
    folder = drop / ENTITY / DAY
    folder.mkdir(parents=True)
    (folder / os.fsdecode(name)).write_text(HEADER)
    with pytest.raises(StoppedError, match="not printable") as stopped:
        land(home, drop)
    assert str(stopped.value).isprintable()


def test_a_remote_drop_is_copied_first(home: Home) -> None:
    drop = UPath("memory://komek-drop")
    part = drop / ENTITY / DAY / "part-1.csv"
    part.parent.mkdir(parents=True)
    part.write_bytes((HEADER + "a,1\n").encode())
    file = drop / ENTITY / "2020-04-19.parquet"
    file.write_bytes(parquet_bytes(members(("b", "2"))))
    folder, parquet = land(home, "memory://komek-drop")
    assert rows_of(folder) == [("a", "1", None)]
    assert rows_of(parquet) == [("b", "2")]
    assert folder.files[0].file == f"{ENTITY}/{DAY}/part-1.csv"
    assert parquet.manifest.source == f"memory://komek-drop/{ENTITY}/2020-04-19.parquet"
    assert land(home, "memory://komek-drop") == []

    part.write_bytes((HEADER + "a,2\n").encode())

    def rewrite(*_: object) -> None:
        part.write_bytes((HEADER + "a,3\n").encode())

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, "memory://komek-drop", progress=rewrite)


def test_a_remote_file_s_version_is_asked_for_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remote file systems remember what they were told, unless told to forget."""
    file = UPath("memory://komek-cached") / ENTITY / f"{DAY}.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes((HEADER + "a,1\n").encode())
    remembered: dict[str, dict] = {}
    real = MemoryFileSystem.info

    def info(self: MemoryFileSystem, path: str, **_: object) -> dict:
        return remembered.setdefault(path, real(self, path))

    monkeypatch.setattr(MemoryFileSystem, "info", info)
    monkeypatch.setattr(
        MemoryFileSystem, "invalidate_cache", lambda *_: remembered.clear()
    )

    def rewrite(*_: object) -> None:
        file.write_bytes((HEADER + "a,2\n").encode())

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, "memory://komek-cached", progress=rewrite)


def test_a_file_url_is_a_drop(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    (snapshot,) = land(home, f"file://{drop}")
    assert rows_of(snapshot) == [("a", "1", None)]


def test_a_url_s_password_is_not_shown(home: Home) -> None:
    with pytest.raises(UsageError) as wrong:
        land(home, "nonsense://user:se@cret@host/drop")
    assert "cret" not in str(wrong.value)
    assert "nonsense://host/drop" in str(wrong.value)


def test_progress_ends_with_the_whole_file(home: Home, drop: Path) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    size = path.stat().st_size
    seen: dict[str, tuple[int, int]] = {}

    def note(doing: str, done: int, total: int) -> None:
        seen[doing] = (done, total)

    land(home, drop, progress=note)
    assert seen == {
        f"receive {ENTITY}/{DAY}.csv": (size, size),
        f"read {ENTITY}/{DAY}.csv": (size, size),
    }


def test_the_configured_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KOMEK_DROP", raising=False)
    assert places.default_drop() == str(places.PROJECT / "data" / "drop")
    monkeypatch.setenv("KOMEK_DROP", "s3://registers/drop")
    assert places.default_drop() == "s3://registers/drop"


@pytest.mark.parametrize(
    "name",
    [
        *("-rf.csv", "--.csv", "a\\b.csv", "a..csv", "[a]*?.csv", "%s%00.csv"),
        *("{{ x }}.csv", "'; drop table x; --.csv", "қ'\".csv", "~.csv", "$(id).csv"),
        *("a=b.csv", "#?.csv", f"{'x' * 251}.csv", "C:.csv", "&lt;b&gt;.csv"),
    ],
)
def test_a_part_may_have_any_printable_name(home: Home, drop: Path, name: str) -> None:
    put(drop, f"{ENTITY}/{DAY}/{name}", HEADER + "a,1\n")
    (snapshot,) = land(home, drop)
    assert snapshot.files[0].file == f"{ENTITY}/{DAY}/{name}"
    assert rows_of(snapshot) == [("a", "1", None)]
    landed = {path.name for path in snapshot.folder.iterdir()}
    assert landed == {"00000.parquet", "manifest.json"}


def test_a_column_may_have_any_name(home: Home, drop: Path) -> None:
    """What DuckDB adds of its own is not taken for what was delivered."""
    names = ("filename", "source_row", "malformed", "'; drop table x; --", "{{ x }}")
    quoted = (name.replace('"', '""') for name in (*names, 'a"b', "\x1b[2J", "a\nb"))
    header = ",".join(["award_id", "iin", *(f'"{name}"' for name in quoted)])
    rows = land_csv(home, drop, f"{header}\na,1{',x' * 8}\n")
    assert rows == [("a", "1", *"xxxxxxxx", None)]
