"""Names with letters that no name there has: the encoding was another."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import registries
from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing.land import land

DAY = "2020-04-18"
KAZAKH = "Құрманғазы Үмбетұлы Қабдеш Ғалымжан Әнуарқызы Өтеген Ңһі Ұлан"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def declare(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    real = registries.entity
    monkeypatch.setattr(
        registries, "entity", lambda name: replace(real(name), encoding=encoding)
    )


def put_csv(folder: Path, names: list[str], encoding: str, column: str) -> Path:
    place = folder / "drop" / "persons" / f"{DAY}.csv"
    place.parent.mkdir(parents=True)
    lines = [f"{number:012},{name}\n" for number, name in enumerate(names)]
    place.write_bytes(f"iin,{column}\n{''.join(lines)}".encode(encoding))
    return folder / "drop"


def refusal(home: Home, drop: Path) -> str:
    with pytest.raises(StoppedError) as stopped:
        land(home, drop)
    return str(stopped.value)


@pytest.mark.parametrize("column", ["last_name", "middle_name", "address"])
@pytest.mark.parametrize(
    ("written", "declared"),
    [("kz1048", "cp1251"), ("utf-8", "cp1251")],
)
def test_another_encoding_than_declared_is_refused_by_name(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: str,
    declared: str,
    column: str,
) -> None:
    declare(monkeypatch, declared)
    names = [name for name in KAZAKH.split() if readable(name, written, declared)]
    drop = put_csv(tmp_path, names, written, column)

    assert refusal(home, drop) == (
        f"refused at landing: persons/{DAY}.csv: has letters of neither Kazakh nor"
        f" Russian in {column}, in {len(names)} of {len(names)} rows: it looks like"
        f" {written} read as {declared}"
    )
    assert not [*home.landing.glob("persons/20*")]


def readable(name: str, written: str, declared: str) -> bool:
    try:
        name.encode(written).decode(declared)
    except UnicodeError:
        return False
    return True


def test_so_is_what_was_read_wrong_before_it_came(home: Home, tmp_path: Path) -> None:
    (tmp_path / "drop" / "persons").mkdir(parents=True)
    names = [name.encode("kz1048").decode("cp1251") for name in KAZAKH.split()]
    table = pa.table({"iin": [f"{n:012}" for n in range(len(names))], "address": names})
    pq.write_table(table, tmp_path / "drop" / "persons" / f"{DAY}.parquet")

    assert "looks like kz1048 read as cp1251" in refusal(home, tmp_path / "drop")


@pytest.mark.parametrize("encoding", ["cp1251", "kz1048", "utf-8"])
def test_the_encoding_declared_is_fine(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    declare(monkeypatch, encoding)
    names = ["Ёлкин", "Ахметов", "Щукина", "Іле", "O'Neil", "объезд", "№", "5"]
    names += [] if encoding == "cp1251" else KAZAKH.split()
    names += ["Çelik"] if encoding == "utf-8" else []
    drop = put_csv(tmp_path, names, encoding, "last_name")
    said: list[str] = []

    (landed,) = land(home, drop, say=said.append)

    assert landed.rows == len(names)
    assert not [line for line in said if line.startswith("warning")]


@pytest.mark.parametrize(("foreign", "refused"), [(1, False), (2, False), (3, True)])
def test_one_in_a_thousand_is_a_warning(
    home: Home, tmp_path: Path, foreign: int, refused: bool
) -> None:
    names = ["Ахметов"] * (2_000 - foreign) + ["Ђорђевић"] * foreign
    drop = put_csv(tmp_path, names, "utf-8", "last_name")
    reason = f"letters of neither Kazakh nor Russian in last_name, in {foreign} of 2000"

    if refused:
        assert reason in refusal(home, drop)
        return
    said: list[str] = []
    (landed,) = land(home, drop, say=said.append)
    assert landed.rows == 2_000
    (warning,) = (line for line in said if line.startswith("warning"))
    assert warning.startswith(f"warning: persons/{DAY}.csv: has {reason} rows")
    assert "Ђорђевић" not in " ".join(said)


def test_other_columns_may_have_any_letters(home: Home, tmp_path: Path) -> None:
    drop = put_csv(tmp_path, ["Ђорђевић"], "utf-8", "kato")
    (landed,) = land(home, drop)
    assert landed.rows == 1


def test_which_columns_are_names() -> None:
    found = {
        f"{entity.name}.{column.name}"
        for entity in registries.entities()
        for column in entity.columns
        if column.is_name
    }
    people = {"last_name", "first_name", "middle_name"}
    assert found == {
        *(f"persons.{name}" for name in (*people, "address")),
        *(f"applications.{name}" for name in (*people, "postal_address")),
        *("kato.name_ru", "kato.name_kk"),
    }
