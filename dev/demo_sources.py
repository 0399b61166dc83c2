"""The demo nation from real sources: the same decisions as from its drop folder.

    python dev/demo_sources.py [--drop data/drop] [--as-of 2020-04-20]

Loads the newest snapshots into PostgreSQL, S3, SFTP, a web service and a workbook, all
on this machine, runs from them, and compares every published table with those of a run
from the files. Needs the Debian packages postgresql and openssh-server.
"""

import argparse
import csv
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pyarrow.parquet as pq
import xlsxwriter
import yaml

import servers
from komek import pipeline
from komek.base import registries
from komek.base.lock import writer_lock
from komek.base.places import DEFAULT_HOME, Home
from komek.base.say import silent
from komek.base.settings import environment
from komek.runs.run import Request

IN_S3 = ("benefit_awards", "benefit_payments", "deliveries")
ON_SFTP = "jobseekers"
IN_A_BOOK = "food_set_norms"
AT_A_SERVICE = "applications"
HEADINGS = {"ИИН": "iin", "Номер дела": "case_id", "Дата регистрации": "registered_on"}
PAGE_ROWS = 500
# Where a row came from, and what its bytes hash to, is another thing here.
NOT_COMPARED = {"file", "landed_path", "run_id", "sha256", "started_at", "finished_at"}
Entry = dict[str, Any]


def main() -> int:
    """Run both; return 1 where they differ."""
    parser = argparse.ArgumentParser(description="The demo nation from real sources.")
    parser.add_argument("--drop", type=Path, default=DEFAULT_HOME / "drop")
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2020, 4, 20))
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="komek-demo-") as name:
        folder = Path(name)
        newest = newest_files(arguments.drop, arguments.as_of)
        say(f"{len(newest)} registries, as {arguments.drop} had them")
        files = from_files(folder, newest, arguments.as_of)
        sources = from_sources(folder, newest, arguments.as_of)
        differing = list(differences(files, sources))
    for line in differing:
        say(line)
    return 1 if differing else 0


def say(line: str) -> None:
    """Print a line now."""
    print(line, flush=True)


def newest_files(drop: Path, as_of: date) -> dict[str, Path]:
    """Return the newest snapshot of each registry that a run may know."""
    newest = {}
    for entity in registries.entities():
        known = sorted((drop / entity.name).glob("*.parquet"))
        newest[entity.name] = [one for one in known if one.stem <= f"{as_of}"][-1]
    return newest


def from_files(folder: Path, newest: dict[str, Path], as_of: date) -> Path:
    """Run from a drop folder of the files; return the run's file."""
    drop = folder / "drop"
    for entity, path in newest.items():
        (drop / entity).mkdir(parents=True)
        (drop / entity / path.name).symlink_to(path.resolve())
    home = Home(folder / "files")
    return run(home, as_of, lambda: pipeline.pull(home, drop, say=silent))


def from_sources(folder: Path, newest: dict[str, Path], as_of: date) -> Path:
    """Load the files into servers and run from them; return the run's file."""
    home = Home(folder / "sources")
    days = {entity: date.fromisoformat(path.stem) for entity, path in newest.items()}
    with ExitStack() as stack:
        base = stack.enter_context(servers.postgres())
        store = stack.enter_context(servers.s3())
        sftp = stack.enter_context(servers.sftp())
        service = stack.enter_context(servers.web())
        entries: dict[str, Entry] = {
            **in_s3(store, newest),
            ON_SFTP: on_sftp(sftp, newest[ON_SFTP]),
            IN_A_BOOK: in_a_book(folder, newest[IN_A_BOOK]),
            AT_A_SERVICE: at_a_service(service, newest[AT_A_SERVICE]),
        }
        tables = [entity for entity in newest if entity not in entries]
        entries |= in_postgres(base, {entity: newest[entity] for entity in tables})
        file = folder / "sources.yml"
        text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False)
        file.write_text(text, encoding="utf-8")
        say(f"the entries:\n{text}")
        stack.enter_context(
            environment(
                {
                    "KOMEK_SOURCES": str(file),
                    "KOMEK_CONN_BASE": base.url(),
                    "KOMEK_CONN_STORE": store.connection,
                    "KOMEK_CONN_LABOUR": f"sftp://?key_file={sftp.key}",
                }
            )
        )

        def pull() -> None:
            # As each day's pulls would have: awards and their members are one.
            for day in sorted({*days.values()}):
                of_day = [entity for entity in entries if days[entity] == day]
                pipeline.pull(home, None, of_day, day=day, say=say)

        return run(home, as_of, pull)


def run(home: Home, as_of: date, pull: Callable[[], object]) -> Path:
    """Pull, decide and publish; return the run's file."""
    began = time.monotonic()
    with writer_lock(home, "demo", silent):
        pull()
        pulled = time.monotonic()
        request = Request(as_of, as_of, {}, override="a demonstration")
        run_id = pipeline.prepare(home, request, silent, alone=True)
        for step in pipeline.STEPS:
            step.act(home, run_id, silent)
        pipeline.publish(home, run_id, silent)
    say(
        f"{home.root.name}: pulled in {pulled - began:.1f} s, decided and published in"
        f" {time.monotonic() - pulled:.1f} s"
    )
    return home.run_file(run_id)


def in_postgres(base: servers.Postgres, files: dict[str, Path]) -> dict[str, Entry]:
    """Load files into typed tables of one database."""
    with adbc.connect(base.url()) as opened, opened.cursor() as cursor:
        for entity, path in files.items():
            cursor.adbc_ingest(entity, pq.read_table(path), mode="create")
        opened.commit()
    say(f"PostgreSQL: {', '.join(files)}")
    return {
        entity: {"kind": "postgres", "connection": "base", "table": entity}
        for entity in files
    }


def in_s3(store: servers.S3, newest: dict[str, Path]) -> dict[str, Entry]:
    """Put files into a bucket, named by their owner."""
    names = {
        entity: f"out/{entity}_{date.fromisoformat(newest[entity].stem):%Y%m%d}.parquet"
        for entity in IN_S3
    }
    store.put("social", {names[one]: newest[one].read_bytes() for one in IN_S3})
    say(f"S3: {', '.join(IN_S3)}")
    return {
        entity: {
            "kind": "drop",
            "where": "s3://social/out",
            "connection": "store",
            "pattern": "{entity}_{date:%Y%m%d}.parquet",
        }
        for entity in IN_S3
    }


def on_sftp(sftp: servers.Sftp, path: Path) -> Entry:
    """Write a file as an old system would, for an SFTP server to give."""
    day = date.fromisoformat(path.stem)
    headed = {name: heading for heading, name in HEADINGS.items()}
    table = pq.read_table(path)
    with (sftp.root / f"JS_{day:%d.%m.%Y}.csv").open(
        "w", encoding="cp1251", newline=""
    ) as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([headed.get(name, name) for name in table.column_names])
        for row in table.to_pylist():
            writer.writerow([russian(value) for value in row.values()])
    say(f"SFTP: {ON_SFTP}, cp1251, semicolons, Russian headings and dates")
    return {
        "kind": "drop",
        "where": f"{sftp.url}{sftp.root}",
        "connection": "labour",
        "pattern": "JS_{date:%d.%m.%Y}.csv",
        "dialect": {
            "encoding": "cp1251",
            "delimiter": ";",
            "dates": ["%d.%m.%Y"],
            "nulls": ["-"],
            "columns": HEADINGS,
        },
    }


def russian(value: object) -> str:
    """Return a value as that system writes it."""
    if value is None:
        return "-"
    return f"{value:%d.%m.%Y}" if isinstance(value, date) else f"{value}"


def in_a_book(folder: Path, path: Path) -> Entry:
    """Write a workbook as a local body keeps it, with a title above its headings."""
    day = date.fromisoformat(path.stem)
    table = pq.read_table(path)
    with xlsxwriter.Workbook(folder / f"norms_{day:%Y%m%d}.xlsx") as book:
        sheet = book.add_worksheet("Нормы")
        shape = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write(0, 0, "Нормы продовольственных наборов")
        sheet.write_row(2, 0, table.column_names)
        for number, row in enumerate(table.to_pylist(), start=3):
            for place, value in enumerate(row.values()):
                if isinstance(value, date):
                    moment = datetime.combine(value, datetime.min.time())
                    sheet.write_datetime(number, place, moment, shape)
                elif isinstance(value, str):
                    sheet.write_string(number, place, value)
                elif value is not None:
                    sheet.write_number(number, place, float(value))
    say(f"a workbook: {IN_A_BOOK}, dates and amounts in cells of their own kind")
    return {
        "kind": "drop",
        "where": str(folder),
        "pattern": "norms_{date:%Y%m%d}.xlsx",
        "dialect": {"sheet": "Нормы", "header_row": 3},
    }


def at_a_service(service: servers.Web, path: Path) -> Entry:
    """Let a web service answer a file page by page."""
    rows = pq.read_table(path).to_pylist()

    def answer(request: Any) -> None:  # noqa: ANN401  (the handler of a server)
        asked = parse_qs(urlsplit(request.path).query)
        first = int(asked.get("cursor", ["0"])[0])
        last = first + PAGE_ROWS
        said = {
            "items": rows[first:last],
            "total": len(rows),
            "next": f"{last}" if last < len(rows) else None,
        }
        servers.answered(json.dumps(said, default=str).encode())(request)

    service.answers["/api/applications"] = answer
    say(f"HTTP: {AT_A_SERVICE}, {len(rows)} rows by {PAGE_ROWS}")
    return {
        "kind": "http",
        "where": service.url("/api/applications?as_of={date}"),
        "rows": "$.items",
        "total": "$.total",
        "page": {"cursor": "$.next", "parameter": "cursor"},
    }


def differences(files: Path, sources: Path) -> Iterator[str]:
    """Yield which tables are not the same in two runs, having said which are."""
    with both(files, sources) as connection:
        tables = connection.execute(
            "select table_name, list(column_name order by column_index)"
            " from duckdb_columns() where database_name = 'files'"
            " and schema_name = 'marts' group by 1 order by 1"
        ).fetchall()
        for table, names in tables:
            compared = [f'"{name}"' for name in names if name not in NOT_COMPARED]
            rows, only = counted(connection, table, compared)
            if only:
                yield f"{table}: {only} rows are in one run only"
            else:
                say(f"{table}: the same {rows} rows")


def counted(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str]
) -> tuple[int, int]:
    """Return how many rows a table has, and how many of either run only."""
    sides = [
        f"select {', '.join(names)} from {one}.marts.{table}"
        for one in ("files", "sources")
    ]
    found = connection.execute(
        f"select (select count(*) from ({sides[0]})),"
        f" (select count(*) from ({sides[0]} except all {sides[1]}))"
        f" + (select count(*) from ({sides[1]} except all {sides[0]}))"
    ).fetchone()
    return found or (0, 0)


@contextmanager
def both(files: Path, sources: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open two runs' files at once."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{files}' as files (read_only)")
        connection.execute(f"attach '{sources}' as sources (read_only)")
        yield connection


if __name__ == "__main__":
    sys.exit(main())
