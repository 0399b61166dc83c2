"""No IIN, name, address or IBAN of the input where nobody may find any.

What a run writes besides the registers, the warehouse and the packs (reports, events,
documentation, manifests, what it prints) names nobody, and everything is its owner's.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from called import Called, call
from komek.base.messages import harmless, harmless_message
from personal_data import (
    People,
    find_personal_data,
    given_away,
    open_to_others,
    people_of,
)

# What is there to hold people: the registers, the warehouse and the packs.
HOLD_PEOPLE = (".parquet", ".duckdb", ".csv", ".xlsx")
SOMEBODY = People(
    iins=frozenset({"850101300123"}),
    ibans=frozenset({"kz446010496835047328"}),
    last_names=frozenset({"ахметова"}),
    phrases=frozenset({"ул. абая, д. 63"}),
)


def names_of_people(called: Called, people: People) -> list[str]:
    return [
        *find_personal_data(called.left, people),
        *find_personal_data(called.home.root, people, besides=HOLD_PEOPLE),
    ]


@pytest.fixture(scope="session")
def people(small_nation: Path) -> People:
    return people_of(small_nation)


# A run that ends well


def test_a_run_names_nobody(published_nation: Called, people: People) -> None:
    assert names_of_people(published_nation, people) == []


def test_what_is_searched_is_there(published_nation: Called) -> None:
    written = {path.name for path in published_nation.home.root.rglob("*.*")}

    assert written.issuperset(
        {
            "manifest.json",
            "publication.json",
            "chain.jsonl",
            "receipt.json",
            "door.json",
            "result.json",
            "persons.html",
            "food_set_recipients.html",
            "openlineage.jsonl",
            "run_results_marts.json",
            "catalog.json",
            "static_index.html",
        }
    )
    assert "published" in (published_nation.left / "stdout").read_text(encoding="utf-8")


def test_the_search_finds_those_who_are_in_the_packs(
    published_nation: Called, people: People
) -> None:
    packs = list(published_nation.home.published.glob("*/*/recipients.csv"))
    found = [hit for pack in packs for hit in find_personal_data(pack, people)]

    assert {hit.split()[-1] for hit in found} == set(People.__dataclass_fields__)
    assert len([hit for hit in found if hit.endswith("iins")]) == len(packs)


def test_what_a_run_writes_is_its_owners(published_nation: Called) -> None:
    assert open_to_others(published_nation.home.root) == []


# Runs that do not


@pytest.fixture(scope="module")
def spoilt(small_nation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nation with rows that quote people where a date or a code should be."""
    drop = tmp_path_factory.mktemp("spoilt") / "drop"
    shutil.copytree(small_nation, drop)
    persons = replaced_by_csv(
        newest(drop / "persons"),
        """
        select * replace (
            case when number % 5 = 0 then concat(iin, ' ', last_name) else
                cast(birth_date as varchar) end as birth_date,
            case when number % 7 = 0 then last_name else sex end as sex,
            case when number % 11 = 0 then concat(iin, '|', address) else iin end as iin
        )
        from rows
        union all by name
        select * replace (last_name as address) from rows where number < 50
        """,
    )
    with persons.open("a", encoding="utf-8") as file:
        file.write(
            "850101300123,Ахметова,Айгуль,одна,строка,из,слишком,многих,полей,\n"
        )
    accounts = replaced_by_csv(newest(drop / "bank_accounts"), "from rows")
    headless = accounts.read_text(encoding="utf-8").partition("\n")[2]
    accounts.write_text(headless, encoding="utf-8")
    return drop


def newest(snapshots: Path) -> Path:
    """Return the snapshot of a registry that a run for 20 April takes."""
    return max(f for f in snapshots.glob("*.parquet") if f.stem <= "2020-04-20")


def replaced_by_csv(parquet: Path, query: str) -> Path:
    """Write what a query gives of a snapshot in its place; `number` is not written."""
    target = parquet.with_suffix(".csv")
    with duckdb.connect() as connection:
        connection.execute(
            "create view rows as select *, row_number() over () as number"
            f" from read_parquet('{parquet}')"
        )
        connection.execute(
            f"copy (select * exclude (number) from ({query}))"
            f" to '{target}' (format csv, header)"
        )
    parquet.unlink()
    return target


def test_a_run_stopped_at_the_door_names_nobody(
    spoilt: Path, people: People, tmp_path: Path
) -> None:
    called = call(tmp_path, spoilt, "run", "--as-of", "2020-04-20")

    assert called.status == 3, called.stderr
    assert "persons: quarantined_share" in called.stderr
    assert "bank_accounts: columns_received" in called.stderr
    assert (called.left / "stdout").stat().st_size
    assert names_of_people(called, people | SOMEBODY) == []
    assert open_to_others(called.home.root) == []


def test_a_refused_delivery_names_nobody(
    small_nation: Path, people: People, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    rows = {
        "persons": 'iin,last_name,address\n850101300123,Ахметова,"ул. Абая, д. 63\n',
        "bank_accounts": "iin,iban\n850101300123,KZ446010496835047328\n850101300123",
        "asp_members": "850101300123,Ахметова,Ахметова\n",
    }
    for entity, text in rows.items():
        (drop / entity).mkdir(parents=True)
        (drop / entity / "2020-03-29.csv").write_text(text, encoding="utf-8")
    (drop / "kato").mkdir()
    (drop / "kato" / "2020-03-29.csv").write_bytes("kato,Ахметова".encode("cp1251"))

    called = call(tmp_path, drop, "pull")

    assert called.status == 3
    assert all(entity in called.stderr for entity in (*rows, "kato"))
    assert names_of_people(called, people | SOMEBODY) == []


@pytest.mark.parametrize(
    "query",
    [
        "select cast('Ахметова 850101300123' as date)",
        "select cast('850101300123' as integer)",
        "select error('Ахметова')",
        "insert into register values ('850101300123'), ('850101300123')",
    ],
)
def test_what_duckdb_says_of_a_row_is_not_said(query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table register (iin varchar primary key)")
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(query)
    said = f"Runtime Error in model stg_persons\n  {caught.value}"

    assert given_away(said, SOMEBODY) != []
    assert given_away(harmless_message(said), SOMEBODY) == []
    assert harmless_message(said).startswith("Runtime Error in model stg_persons ")
    assert given_away(harmless(caught.value), SOMEBODY) == []


def test_what_duckdb_says_of_a_query_is_said() -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute("select absent from (select 1 as present)")

    assert harmless(caught.value).startswith(
        'Binder Error: Referenced column "absent" not found'
    )


@pytest.mark.parametrize(
    "query",
    [
        "create table more as select * from range(9)",
        "copy (select * from range(9)) to '/dev/full'",
    ],
)
def test_what_duckdb_says_of_a_full_disk_is_said(tmp_path: Path, query: str) -> None:
    file, log = tmp_path / "a.duckdb", tmp_path / "a.duckdb.wal"
    duckdb.connect(file).close()
    # The log that a commit goes to first.
    log.symlink_to("/dev/full")
    with pytest.raises(duckdb.Error) as caught, duckdb.connect(file) as connection:
        connection.execute(query)
    said = f"Runtime Error in model persons (models/x.sql)\n  {caught.value}"

    path = log if "create" in query else "/dev/full"
    assert harmless_message(said) == f"cannot write {path}: No space left on device"
    assert harmless(caught.value) == harmless_message(said)


def test_a_row_that_reads_like_a_full_disk_is_not_said() -> None:
    value = 'IO Error: Could not write file "Ахметова": No space left on device'
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute("select cast(? as integer)", [value])

    assert "Ахметова" in str(caught.value)
    assert "Ахметова" not in harmless(caught.value)
    assert "Ахметова" not in harmless_message(str(caught.value))


# The search itself


def planted() -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each way in which somebody may be in a file."""
    for kind, text in {
        "iins": "iin=850101300123;",
        "ibans": "to KZ446010496835047328.",
        "last_names": "АХМЕТОВА А.",
        "phrases": "город, ул. Абая, д. 63, кв. 1",
    }.items():
        yield kind, text
        yield kind, json.dumps({"row": text})
        yield kind, json.dumps(json.dumps({"row": text}))
        yield kind, "".join(f"&#{ord(letter)};" for letter in text)
        yield kind, f"GET /?row={quote(text)}"
        yield kind, f"\0\1\2{text}\3"


@pytest.mark.parametrize(("kind", "text"), planted())
def test_somebody_planted_is_found(tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "task.log").write_bytes(text.encode() + b"\xff")
    (tmp_path / "empty").touch()

    assert find_personal_data(tmp_path, SOMEBODY) == [f"logs/task.log: 1 {kind}"]
    assert find_personal_data(tmp_path / "logs" / "task.log", SOMEBODY)
    assert find_personal_data(tmp_path, SOMEBODY, besides=[".log"]) == []


def test_somebody_in_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "850101300123.json").touch()

    assert find_personal_data(tmp_path, SOMEBODY) == ["850101300123.json: 1 iins"]


@pytest.mark.parametrize(
    "text", ["1850101300123", "850101300124", "ул. Абая, д. 6", "Ахметов", ""]
)
def test_nobody_is_found_where_nobody_is(text: str) -> None:
    assert given_away(text, SOMEBODY) == []


def test_an_open_file_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "folder").mkdir(mode=0o755)
    (tmp_path / "file").touch(mode=0o600)

    assert open_to_others(tmp_path) == [f"{tmp_path / 'folder'}: 755"]
