"""What changes while it is read, or cannot be read, is refused."""

import errno
import os
from pathlib import Path

import pytest

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    assert_no_leftovers,
    put,
)


def test_a_file_that_changes_while_it_is_read_is_refused(
    home: Home, drop: Path
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")

    def append(doing: str, _done: int, _total: int) -> None:
        if doing.startswith("receive"):
            with path.open("a") as file:
                file.write("b,2\n")

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, drop, progress=append)
    assert newest_snapshots(home, ENTITY) == []
    assert_no_leftovers(home)


def test_a_file_rewritten_in_its_own_size_while_it_is_read_is_refused(
    home: Home, drop: Path
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER + "a,1\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))

    def rewrite(*_: object) -> None:
        path.write_text(HEADER + "b,2\n")

    with pytest.raises(StoppedError, match="changed while it was read"):
        land(home, drop, progress=rewrite)


def test_a_part_that_arrives_meanwhile_is_noticed(home: Home, drop: Path) -> None:
    put(drop, f"{ENTITY}/{DAY}/part-1.csv", HEADER + "a,1\n")

    def arrive(*_: object) -> None:
        put(drop, f"{ENTITY}/{DAY}/part-2.csv", HEADER + "b,2\n")

    with pytest.raises(StoppedError, match=f"{DAY}: changed while it was read"):
        land(home, drop, progress=arrive)
    assert newest_snapshots(home, ENTITY) == []


def test_what_cannot_be_read_is_refused(home: Home, drop: Path) -> None:
    folder = drop / ENTITY
    folder.mkdir()
    (folder / f"{DAY}.csv").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "2020-04-19.csv")
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    for day in (DAY, "2020-04-19"):
        assert f"{ENTITY}/{day}.csv: is not a regular file" in str(stopped.value)


def test_a_message_names_the_first_of_many_refusals(home: Home, drop: Path) -> None:
    for day in range(1, 14):
        put(drop, f"{ENTITY}/2020-04-{day:02}.csv", "")
    said: list[str] = []
    with pytest.raises(StoppedError) as stopped:
        land(home, drop, say=said.append)
    message = str(stopped.value)
    assert f"{ENTITY}/2020-04-10.csv: is empty: zero bytes; and 3 more" in message
    assert "2020-04-11" not in message
    assert f"refused: {ENTITY}/2020-04-13.csv: is empty: zero bytes" in said


def test_a_source_that_cannot_be_read_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(drop, f"{ENTITY}/{DAY}.csv", HEADER)
    put(drop, f"kato/{DAY}.csv", "kato,name_ru\n")
    real = Path.open

    def denied(self: Path, *arguments: object, **named: object) -> object:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    said = f"refused at landing: {ENTITY}/{DAY}.csv: cannot be read: Permission denied"
    assert str(stopped.value) == said
    assert len(newest_snapshots(home, "kato")) == 1
