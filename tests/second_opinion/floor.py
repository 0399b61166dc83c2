"""The performance floor and the oracle: every table from hand-written scripts.

It shares nothing with the pipeline but the registry table's column declarations and how
a landed file is opened: law values, readings and rules are written out here a second
time, on purpose, so that a mistake has to be made twice to go unseen. The paragraphs
are in the ``floor*.sql`` beside, the law's values in ``floor_law``; ``floor_staging``
judges the received rows.

Usage::

    python tests/second_opinion/floor.py HOME OUT --as-of 2020-04-20 [--known-at D]
        [--policy N=V ...] [--lists EARLIER.duckdb]
"""

import argparse
import datetime as dt
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import holidays

import floor_law
from floor_law import Law, resolve
from floor_staging import newest_snapshot, stage
from floor_values import literal
from komek.base import database
from komek.base.registries import entities

SCRIPTS = tuple(
    Path(__file__).with_name(f"{name}.sql")
    for name in (
        *("floor", "floor_awards", "floor_cases", "floor_sets", "floor_deliveries"),
    )
)
# The columns of a row of an earlier list; what else stands there is of its own day.
LIST_COLUMNS = {
    "list_month": "date",
    "iin": "varchar",
    "list_no": "bigint",
    "listed_on": "date",
    "region_kato": "varchar",
    "district_kato": "varchar",
    "primary_ground": "varchar",
    "grounds": "varchar",
    "ended_on": "date",
    "ended_reason": "varchar",
}
# Rows of LIST_COLUMNS, the file of an earlier floor, or a landed snapshot's Parquet.
Lists = Path | Sequence[Sequence[Any]]
LAW = Law()


@dataclass(frozen=True)
class Day:
    """What one run of a sequence is asked."""

    as_of: dt.date
    known_at: dt.date
    policies: Mapping[str, str] = field(default_factory=dict)
    # Regions that checks keep from being published, and by which expectation.
    blocked: Mapping[str, str] = field(default_factory=dict)


# --------------------------------------------------------------------- one day


def compute(
    home: Path,
    out: Path,
    as_of: dt.date,
    known_at: dt.date,
    policies: Mapping[str, str] | None = None,
    *,
    lists: Lists | None = None,
    blocked: Mapping[str, str] | None = None,
    law: Law = LAW,
    memory_limit: str = "8GB",
    threads: int | None = None,
) -> dict[str, float]:
    """Write a DuckDB file whose schema `floor` holds every table of a run.

    Args:
        home: a home with landed snapshots.
        out: the file to write; an older one is replaced.
        as_of: the day decided for.
        known_at: the last day whose records may be used.
        policies: the readings that differ from those in force.
        lists: the lists published before, that this run reads; `held` rows are left.
        blocked: regions that checks block, and by which expectation.
        law: the law tables.
        memory_limit: DuckDB's, such as ``8GB``.
        threads: DuckDB's; all cores by default.

    Returns:
        Wall seconds by step.

    Raises:
        LookupError: an entity has no snapshot, or a law value covers no date.
        ValueError: an unknown policy, a missing column, a numeric identifier.
    """
    asked = Day(as_of, known_at, policies or {}, blocked or {})
    settings = _settings(law, asked)
    snapshots = [newest_snapshot(home, entity, known_at) for entity in entities()]
    out.unlink(missing_ok=True)
    seconds: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(dir=out.parent) as spill,
        duckdb.connect(str(out)) as connection,
    ):
        database.secure(connection)
        connection.execute(
            f"set memory_limit = {literal(memory_limit)};"
            f"set temp_directory = {literal(spill)};"
            "set preserve_insertion_order = false; set timezone = 'UTC';"
        )
        if threads is not None:
            connection.execute(f"set threads = {threads}")
        sections = _begun(connection, settings)
        for snapshot in snapshots:
            with _clock(seconds, f"stage {snapshot.entity.name}"):
                stage(connection, snapshot)
        _decide(connection, sections, law, asked, lists, seconds)
    return seconds


def decide(
    connection: duckdb.DuckDBPyConnection,
    asked: Day,
    *,
    lists: Lists | None = None,
    law: Law = LAW,
) -> None:
    """Fill schema `floor` of a connection that has a stg_<entity> of each registry.

    What `compute` does without its staging: for tests that write the rows themselves.
    """
    sections = _begun(connection, _settings(law, asked))
    _decide(connection, sections, law, asked, lists, {})


def _settings(law: Law, asked: Day) -> dict[str, str]:
    policies = resolve(asked.policies)
    return floor_law.variables(law, asked.as_of, asked.known_at, policies)


def _begun(
    connection: duckdb.DuckDBPyConnection, settings: Mapping[str, str]
) -> dict[str, str]:
    """Set the variables, create the tables of the inputs; return what is to run."""
    for name, value in settings.items():
        connection.execute(f"set variable {name} = {value}")
    sections = dict(_sections())
    connection.execute(sections.pop("tables of the inputs"))
    return sections


def _decide(
    connection: duckdb.DuckDBPyConnection,
    sections: Mapping[str, str],
    law: Law,
    asked: Day,
    lists: Lists | None,
    seconds: dict[str, float],
) -> None:
    """Fill the tables of the law and of the lists, and run the sections."""
    _fill(connection, "law_step_days", [(step, *of) for step, of in law.step_days])
    _fill(connection, "law_addressee", law.addressees)
    _fill(connection, "law_supplier", law.determined_suppliers)
    _fill(connection, "blocked_by_check", list(asked.blocked.items()))
    _earlier(connection, lists)
    for title, statements in sections.items():
        with _clock(seconds, title):
            connection.execute(statements)
        if title == "calendar":
            _calendar(connection)


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]
) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into {table} values ({marks})", rows)


def _earlier(connection: duckdb.DuckDBPyConnection, lists: Lists | None) -> None:
    """Fill temp.earlier with the rows that were listed, not with those held back."""
    if lists is None:
        return
    if not isinstance(lists, Path):
        _fill(connection, "earlier", lists)
        return
    columns = ", ".join(f"{name}::{kind}" for name, kind in LIST_COLUMNS.items())
    if lists.suffix == ".parquet":
        source = database.scan_encrypted(lists, database.LANDING)
    else:
        connection.execute(f"attach {literal(lists)} as before (read_only)")
        source = "before.floor.food_set_lists"
    connection.execute(
        f"insert into earlier select {columns} from {source} where list_no is not null"
    )


def _calendar(connection: duckdb.DuckDBPyConnection) -> None:
    """Write temp.calendar: each day a deadline may start on, and if it is worked.

    The days are from the earliest start, or the emergency's year, to months after the
    latest; outside the years the holidays package knows, weekends alone are free.
    """
    first, last = connection.execute("from calendar_span").fetchone()
    kazakhstan = holidays.country_holidays("KZ")
    days = [
        first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)
    ]
    connection.execute(
        "create temp table calendar as select unnest($days) as day,"
        " unnest($worked) as is_working",
        {"days": days, "worked": [kazakhstan.is_working_day(day) for day in days]},
    )


def _sections() -> Iterator[tuple[str, str]]:
    """Yield the sections of the scripts: a title after ``-- ##`` and its statements."""
    for script in SCRIPTS:
        for section in script.read_text(encoding="utf-8").split("\n-- ## ")[1:]:
            title, _, statements = section.partition("\n")
            yield title.strip(), statements


@contextmanager
def _clock(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note the wall seconds of a block."""
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


# ----------------------------------------------------------- one day after another


def compute_sequence(
    home: Path,
    folder: Path,
    days: Iterable[Day],
    *,
    law: Law = LAW,
    threads: int | None = None,
) -> list[Path]:
    """Compute days in the order they were run; each reads the lists of those before.

    What lands lists is a run by the readings in force that drew a list and published a
    region, for a day not before the one already published.

    Args:
        home: a home with landed snapshots.
        folder: where the files go.
        days: what each run is asked.
        law: the law tables.
        threads: DuckDB's; all cores by default.

    Returns:
        The file of each day, as `compute` writes it.
    """
    files: list[Path] = []
    landed: dict[dt.date, Path] = {}
    published = dt.date.min
    for number, asked in enumerate(days):
        out = folder / f"{number}_{asked.as_of}.duckdb"
        compute(
            home,
            out,
            asked.as_of,
            asked.known_at,
            asked.policies,
            lists=newest_lists(landed, asked),
            blocked=asked.blocked,
            law=law,
            threads=threads,
        )
        files.append(out)
        if not asked.policies and asked.as_of >= published and _is_published(out):
            published = asked.as_of
            if _drew_a_list(law, asked):
                landed[asked.as_of] = out
    return files


def newest_lists(landed: Mapping[dt.date, Path], asked: Day) -> Path | None:
    """Return the newest landed lists dated before the day and not after `known_at`."""
    days = [day for day in landed if day < asked.as_of and day <= asked.known_at]
    return landed[max(days)] if days else None


def _is_published(out: Path) -> bool:
    """Whether not every region is blocked."""
    with duckdb.connect(str(out), read_only=True) as connection:
        blocked, regions = connection.execute(
            "select count(*) filter (publication = 'blocked'), count(*)"
            " from floor.region_status"
        ).fetchone()
    return blocked < regions or regions == 0


def _drew_a_list(law: Law, asked: Day) -> bool:
    return _settings(law, asked)["list_drawn"] == "true"


# ----------------------------------------------------------------- the command line


def _policy(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def main(arguments: Iterable[str] | None = None) -> None:
    """Compute the floor of a home and print what it cost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--as-of", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--known-at", type=dt.date.fromisoformat)
    parser.add_argument("--policy", type=_policy, action="append", default=[])
    parser.add_argument("--lists", type=Path)
    parser.add_argument("--memory-limit", default="8GB")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args(None if arguments is None else list(arguments))
    started = time.perf_counter()
    seconds = compute(
        given.home,
        given.out,
        given.as_of,
        given.known_at or given.as_of,
        dict(given.policy),
        lists=given.lists,
        memory_limit=given.memory_limit,
        threads=given.threads,
    )
    wall = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    for step, spent in seconds.items():
        sys.stdout.write(f"{step:32} {spent:8.2f} s\n")
    sys.stdout.write(
        f"wall {wall:.2f} s, CPU {usage.ru_utime + usage.ru_stime:.2f} s,"
        f" peak memory {usage.ru_maxrss / 2**20:.2f} GB\n"
    )


if __name__ == "__main__":
    main()
