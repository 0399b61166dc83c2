"""The golden nation, from where owners keep it: the same rows as from the drop folder.

Most of it is in PostgreSQL as text, the jobseekers in a file as Excel saves it there,
the norms in a workbook with a title above its headings.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
import yaml

import servers
from golden_rows import differences
from installed import installed
from komek.base import registries
from komek.base.places import Home
from komek.runs import build
from komek.runs.layout import begin
from komek.runs.run import Request
from komek.sources.pull import pull

GOLDEN = Path(__file__).parents[1] / "golden"
OF = date(2020, 4, 1)
TABLES = [
    path
    for path in sorted((GOLDEN / "april").glob("*.csv"))
    if path.stem != "quarantine"
]
HEADINGS = {
    "Номер дела": "case_id",
    "ИИН": "iin",
    "Центр": "centre_id",
    "КАТО": "kato",
    "Дата регистрации": "registered_on",
    "Снят": "deregistered_on",
}
# It is two files there, and says in which a row is.
IN_PARTS = "disability_terms"


def rows_of(entity: str) -> list[dict[str, str]]:
    path = GOLDEN / "drop" / entity / f"{OF}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if ";" in file.readline() else ","
        file.seek(0)
        return list(csv.DictReader(file, delimiter=delimiter))


def russian(name: str, text: str) -> str:
    """Return a field as the labour market's system writes it."""
    if not text:
        return "-"
    try:
        return f"{datetime.fromisoformat(text):%d.%m.%Y}" if "_on" in name else text
    except ValueError:
        return text


def write_jobseekers(folder: Path) -> dict:
    headed = {name: heading for heading, name in HEADINGS.items()}
    rows = rows_of("jobseekers")
    with (folder / f"JS_{OF:%d.%m.%Y}.csv").open(
        "w", encoding="cp1251", newline=""
    ) as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow([headed.get(name, name) for name in rows[0]])
        for row in rows:
            writer.writerow([russian(name, text) for name, text in row.items()])
    return {
        "kind": "drop",
        "where": str(folder),
        "pattern": "JS_{date:%d.%m.%Y}.csv",
        "dialect": {
            "encoding": "cp1251",
            "delimiter": ";",
            "dates": ["%d.%m.%Y"],
            "nulls": ["", "NULL", "-"],
            "columns": HEADINGS,
        },
    }


def write_norms(folder: Path) -> dict:
    rows = rows_of("food_set_norms")
    with xlsxwriter.Workbook(folder / f"norms_{OF:%Y%m%d}.xlsx") as book:
        sheet = book.add_worksheet("Нормы")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write(0, 0, "Нормы продовольственных наборов")
        sheet.write_row(2, 0, [*rows[0]])
        for number, row in enumerate(rows, start=3):
            for place, (name, text) in enumerate(row.items()):
                if name == "set_cost":
                    sheet.write(number, place, *number_or_text(text))
                elif text and name in ("valid_from", "valid_to", "decided_on"):
                    moment = datetime.fromisoformat(text)
                    sheet.write_datetime(number, place, moment, day)
                elif text:
                    sheet.write_string(number, place, text)
    return {
        "kind": "drop",
        "where": str(folder),
        "pattern": "norms_{date:%Y%m%d}.xlsx",
        "dialect": {"sheet": "Нормы", "header_row": 3},
    }


def number_or_text(text: str) -> tuple[object]:
    try:
        return (float(text),)
    except ValueError:
        return (text,)


def load(server: servers.Postgres, entity: str) -> dict:
    """Load an entity into a table of text."""
    names = registries.entity(entity).column_names
    table = pa.table(
        {
            name: pa.array([row[name] or None for row in rows_of(entity)], pa.string())
            for name in names
        }
    )
    with adbc.connect(server.url()) as opened, opened.cursor() as cursor:
        cursor.adbc_ingest(entity, table, mode="create")
        opened.commit()
    return {"kind": "postgres", "connection": "golden", "table": entity}


@pytest.fixture(scope="module")
def marts(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("golden_sources")
    home = Home(folder / "home")
    entries = {"jobseekers": write_jobseekers(folder), "food_set_norms": None}
    entries["food_set_norms"] = write_norms(folder)
    entries[IN_PARTS] = {"kind": "drop", "where": str(GOLDEN / "drop")}
    database = installed(servers.postgres())
    with pytest.MonkeyPatch.context() as patch, database as server:
        for entity in registries.entities():
            if entity.name not in entries:
                entries[entity.name] = load(server, entity.name)
        file = folder / "sources.yml"
        file.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
        patch.setenv("KOMEK_SOURCES", str(file))
        patch.setenv("KOMEK_CONN_GOLDEN", server.url())
        assert len(pull(home, day=OF)) == len(entries)
    run = begin(home, Request(date(2020, 4, 20), date(2020, 4, 20), {}))
    for layer in build.LAYERS:
        build.layer(run, layer)
    with duckdb.connect(run.file, read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("expected", TABLES, ids=lambda path: path.stem)
def test_rows_are_those_of_the_drop_folder(
    marts: duckdb.DuckDBPyConnection, expected: Path
) -> None:
    found = differences(marts, expected)
    assert not found, found


def test_the_same_rows_are_quarantined_but_for_lines_that_no_table_has(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    said = "entity, cast(row_number as varchar), reason, nullif(key, '')"
    golden = f"read_csv('{GOLDEN / 'april/quarantine.csv'}', all_varchar = true)"
    lines = "select entity, row_number from {} where reason = 'malformed_row'"
    malformed = marts.execute(lines.format(golden)).fetchall()
    assert malformed
    found, expected = (
        marts.execute(f"select {said} from {one} order by all").fetchall()
        for one in ("marts.quarantine", golden)
    )
    assert [row for row in found if row[:2] not in malformed] == [
        row for row in expected if row[:2] not in malformed
    ]
