"""The performance floor and the oracle: every table from one hand-written script.

It shares nothing with the pipeline but the registry table's column declarations and how
a landed file is opened: law values, readings and rules are written out here a second
time, on purpose, so that a mistake has to be made twice to go unseen. The paragraphs
are in ``floor.sql``; this module finds the snapshots, writes the staging checks and
sets what the SQL asks for.

Usage::

    python tests/second_opinion/floor.py HOME OUT --as-of 2020-04-20 [--known-at D]
        [--policy N=V ...]
"""

import argparse
import datetime as dt
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import holidays

from komek.base import database
from komek.base.registries import Column, Entity, entities

SQL = Path(__file__).with_name("floor.sql")
ROWS_PER_FILE = 10**10


def _at(month: int, day: int, hour: int) -> dt.datetime:
    """Return an hour of 2020 as the decrees write it."""
    return dt.datetime(2020, month, day, hour, tzinfo=ZoneInfo("Asia/Almaty"))


RULES_VALID_FROM = dt.date(2020, 4, 1)
RULES_RECORDED_ON = dt.date(2020, 4, 2)
# recorded_on, starts_at, ends_at of Decrees 285, 306 and 310.
EMERGENCY = (
    (dt.date(2020, 3, 15), _at(3, 16, 8), _at(4, 15, 7)),
    (dt.date(2020, 4, 14), _at(3, 16, 8), _at(5, 1, 7)),
    (dt.date(2020, 4, 29), _at(3, 16, 8), _at(5, 11, 0)),
)
# valid_from, recorded_on, tenge.
MRP = (
    (dt.date(2020, 1, 1), dt.date(2019, 12, 4), 2651),
    (dt.date(2020, 4, 1), dt.date(2020, 4, 8), 2778),
)
FOOD_SET_FLOOR_MRP = 2

# The value in force first; a number stands for the range 1 to itself.
POLICIES: dict[str, tuple[str, ...] | tuple[str, int]] = {
    "food_set.age_upper": ("before_18th_birthday", "through_age_18"),
    "food_set.carer": ("allowance_recipient", "one_parent", "both_parents"),
    "food_set.carer_child_age_limit": ("18", "16"),
    "food_set.carer_child_in_institution": ("exclude", "include"),
    "food_set.institution_scope": ("disability_grounds", "all_grounds"),
    "food_set.sets_per_person": ("one", "one_per_ground"),
    "disability.window": ("calendar_month", "thirty_days"),
    "disability.until": ("emergency_end", "plus_months"),
    "disability.plus_months": ("3", 12),
    "payout.end_month": ("end_instant", "last_full_day"),
    "payout.day": ("20", 28),
    "asp.base": ("active_at_period_end", "any_status"),
    "sla.start": ("next_day", "same_day"),
}


# --------------------------------------------------------------------------- inputs


@dataclass(frozen=True)
class Snapshot:
    """The snapshot of an entity that a run uses: its folder and its manifest."""

    entity: Entity
    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> list[dict[str, Any]]:
        """The received files, in order of file name."""
        return sorted(self.manifest["files"], key=lambda file: file["landed"])


def _snapshot(home: Path, entity: Entity, known_at: dt.date) -> Snapshot:
    """Return the newest revision of the latest snapshot dated on or before a day.

    Raises:
        LookupError: the entity has no snapshot.
    """
    dated = [
        path.parent
        for path in (home / "landing" / entity.name).glob("*/r*/manifest.json")
        if path.parent.parent.name <= known_at.isoformat()
    ]
    if not dated:
        raise LookupError(f"{entity.name}: no snapshot on or before {known_at}")
    folder = max(dated, key=lambda path: (path.parent.name, int(path.name[1:])))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Snapshot(entity, folder, manifest)


def _text(value: object) -> str:
    """Return a SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _landed(paths: Path | Sequence[Path], *options: str) -> str:
    """Return SQL that reads landed files, under a key or not."""
    return database.scan_encrypted(paths, database.LANDING, *options)


def _name(column: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


# -------------------------------------------------------------------------- staging

AMOUNT = r"-?[0-9]{1,16}(\.[0-9]{1,2})?"
NUMERIC = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$"
)


def _as_text(column: Column, landed: str) -> str:
    """Return the text of a received column; only the empty field is null."""
    name = _name(column.name)
    if landed.startswith("TIMESTAMP"):
        # A midnight is how many write a day.
        return (
            f"case when {name} = {name}::date then {name}::date::varchar"
            f" else {name}::varchar end"
        )
    return f"nullif({name if landed == 'VARCHAR' else f'{name}::varchar'}, '')"


def _parsed_text(kind: str, text: str) -> str:
    """Return the value of a date, an amount or an integer written as text."""
    match kind:
        case "date":
            # Only the canonical form survives the way there and back.
            day = f"try_cast({text} as date)"
            return (
                f"case when strlen({text}) = 10 and {day}::varchar = {text}"
                f" then {day} end"
            )
        case "amount":
            return (
                f"case when regexp_full_match({text}, {_text(AMOUNT)})"
                f" then try_cast({text} as decimal(18, 2)) end"
            )
        case _:
            return (
                f"case when regexp_full_match({text}, '[0-9]+')"
                f" then try_cast({text} as bigint) end"
            )


def _parsed(column: Column, landed: str) -> str:
    """Return the value of a received date, amount or integer; null if it has none."""
    name = _name(column.name)
    numeric = NUMERIC.match(landed) is not None
    if column.type == "date" and landed == "DATE":
        return (
            f"case when {name} between date '0001-01-01' and date '9999-12-31'"
            f" then {name} end"
        )
    if column.type == "date" and landed.startswith("TIMESTAMP"):
        moment = f"{name}::timestamp"
        return f"case when {moment} = {moment}::date then {moment}::date end"
    if column.type == "amount" and numeric:
        return (
            f"case when round({name}, 2) = {name}"
            f" then try_cast({name} as decimal(18, 2)) end"
        )
    if column.type == "integer" and numeric:
        return (
            f"case when {name} >= 0 and trunc({name}) = {name}"
            f" then try_cast({name} as bigint) end"
        )
    return _parsed_text(column.type, f"t_{column.name}")


PARSED_TYPES = ("date", "amount", "integer")
IIN_TOP = 1 << 48  # a 1 before the twelve digits, read as hexadecimal


def _weighted(weights: Sequence[int]) -> str:
    """Return the weighted sum of the digits modulo 11, from the digits packed by four.

    The digit at place j is f_j - 16 f_(j+1) with f_j the number shifted by 4j bits, so
    the sum of w_j d_j is the sum of (w_j - 16 w_(j-1)) f_j, and -16 = 6 modulo 11.

    Args:
        weights: twelve weights, that of the last digit first.
    """
    previous = (0, *weights)
    factors = [(w + 6 * previous[j]) % 11 for j, w in enumerate(weights)]
    terms = [f"{k} * ({{v}} >> {4 * j})" for j, k in enumerate(factors) if k]
    return f"(({' + '.join(terms)}) % 11)"


def _iin_ok(text: str, packed: str) -> str:
    """Return the condition that a text is an IIN whose check digit holds.

    Args:
        text: the text.
        packed: the same read as hexadecimal digits after a leading 1, less that 1:
            negative where a character was skipped.
    """
    first = tuple(12 - place for place in range(1, 12))
    second = (2, 1, 11, 10, 9, 8, 7, 6, 5, 4, 3)
    digits_only = (
        f"(xor({packed} + {0x666666666666}, {packed}) & {0x1111111111110}) = 0"
    )
    holds = _weighted((-1, *first)).format(v=packed)
    is_ten = _weighted((0, *first)).format(v=packed)
    holds_again = _weighted((-1, *second)).format(v=packed)
    return (
        f"(strlen({text}) = 12 and {text} <> '000000000000'"
        f" and coalesce({packed} >= 0, false) and {digits_only}"
        f" and ({holds} = 0 or ({is_ten} = 10 and {holds_again} = 0)))"
    )


def _impossible(column: Column, snapshot_date: str) -> str:
    """Return the condition that a date that parses cannot be."""
    if column.name == "birth_date":
        born = f"between date '1880-01-01' and date {_text(snapshot_date)}"
        return f"v_{column.name} not {born}"
    # 1900-01-01 is what systems write for "unknown".
    return f"v_{column.name} < date '1900-01-02'"


def _faults(entity: Entity, snapshot_date: str) -> list[tuple[str, str]]:
    """Return (reason, condition) of everything that may be wrong in a row alone."""
    faults = []
    for column in entity.columns:
        name = column.name
        given = f"t_{name} is not null"
        if column.required:
            faults.append((f"missing:{name}", f"t_{name} is null"))
        if column.type in PARSED_TYPES:
            faults.append((f"unparsable:{name}", f"{given} and v_{name} is null"))
        if column.type == "date":
            faults.append(
                (f"impossible_date:{name}", _impossible(column, snapshot_date))
            )
        if column.type == "code":
            codes = ", ".join(_text(code) for code in column.codes)
            faults.append((f"unknown_code:{name}", f"t_{name} not in ({codes})"))
        if column.type == "iin":
            holds = _iin_ok(f"t_{name}", f"p_{name}")
            faults.append((f"invalid_iin:{name}", f"{given} and not {holds}"))
    faults += [
        # Most ends are open: told first, they cost no parsing.
        (f"inverted_interval:{end}", f"t_{end} is not null and v_{end} < v_{start}")
        for start, end in entity.intervals
    ]
    return faults


@dataclass(frozen=True)
class Source:
    """The received rows of a snapshot as SQL: one select per shape of its files.

    Each gives source_row, malformed, and per declared column t_ (text), v_ (parsed
    value of dates, amounts, integers) and p_ (packed digits of an IIN).
    """

    snapshot: Snapshot
    selects: tuple[str, ...]

    @property
    def entity(self) -> Entity:
        """The entity of the snapshot."""
        return self.snapshot.entity

    def rows(self, columns: str, condition: str = "true") -> str:
        """Return the select of some columns over all files."""
        return " union all ".join(
            f"select {columns} from ({select}) as received where {condition}"
            for select in self.selects
        )


def _shape_select(
    snapshot: Snapshot, files: Sequence[tuple[int, Path]], shape: dict[str, str]
) -> str:
    """Return the select over files of one shape, numbered within their snapshot."""
    numbers = ", ".join(str(number) for number, _ in files)
    landed = _landed([path for _, path in files], "file_row_number = true")
    malformed = (
        "__malformed__ is not null" if "__malformed__" in shape else "false"
    ) + " as malformed"
    source_row = (
        f"([{numbers}])[file_index::bigint + 1] * {ROWS_PER_FILE}"
        " + file_row_number + 1 as source_row"
    )
    received = ", ".join(
        [
            source_row,
            malformed,
            *(_name(column.name) for column in snapshot.entity.columns),
            *(
                f"{_as_text(column, shape[column.name])} as t_{column.name}"
                for column in snapshot.entity.columns
            ),
        ]
    )
    parsed = [
        f"{_parsed(column, shape[column.name])} as v_{column.name}"
        for column in snapshot.entity.columns
        if column.type in PARSED_TYPES
    ] + [
        f"try_cast('0x1' || t_{column.name} as bigint) - {IIN_TOP} as p_{column.name}"
        for column in snapshot.entity.columns
        if column.type == "iin"
    ]
    return f"select {', '.join(['*', *parsed])} from (select {received} from {landed})"


def _source(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> Source:
    """Group a snapshot's files by the names and types of their columns.

    Raises:
        ValueError: a declared column is missing, or an identifier came as a number.
    """
    shapes: dict[tuple[tuple[str, str], ...], list[tuple[int, Path]]] = {}
    for number, file in enumerate(snapshot.files):
        path = snapshot.folder / file["landed"]
        described = connection.execute(
            f"describe select * from {_landed(path)}"
        ).fetchall()
        shape = tuple((row[0], row[1]) for row in described)
        shapes.setdefault(shape, []).append((number, path))
    for shape, files in shapes.items():
        _check_shape(connection, snapshot.entity, dict(shape), files)
    return Source(
        snapshot,
        tuple(
            _shape_select(snapshot, files, dict(shape))
            for shape, files in shapes.items()
        ),
    )


def _check_shape(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    shape: dict[str, str],
    files: Sequence[tuple[int, Path]],
) -> None:
    missing = [name for name in entity.column_names if name not in shape]
    if missing:
        raise ValueError(f"{entity.name}: missing column {', '.join(missing)}")
    landed = _landed([path for _, path in files])
    for column in entity.columns:
        if column.is_identifier and NUMERIC.match(shape[column.name]):
            (given,) = connection.execute(
                f"select count({_name(column.name)}) from {landed}"
            ).fetchone()
            if given:
                raise ValueError(f"{entity.name}: {column.name} is numeric")


def _key_text(entity: Entity) -> str:
    return " || '|' || ".join(f"coalesce(t_{name}, '')" for name in entity.key)


def _rejections(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Add an entity's rejected rows to temp.rejected: one row per reason."""
    entity = source.entity
    faults = _faults(entity, source.snapshot.manifest["snapshot_date"])
    reasons = ", ".join(f"case when {bad} then {_text(why)} end" for why, bad in faults)
    any_fault = " or ".join(["malformed", *(f"({bad})" for _, bad in faults)])
    faulty = source.rows(
        "source_row, case when malformed then ['malformed_row']"
        f" else [{reasons}] end as reasons,"
        f" case when malformed then '' else {_key_text(entity)} end as key",
        any_fault,
    )
    connection.execute(
        f"create or replace temp table faulty as {faulty};"
        # Which keys may repeat: a hash is enough to clear the many that do not.
        f"create or replace temp table repeated as select key_hash from ("
        f"{source.rows(f'{_key_hash(entity)} as key_hash', _key_complete(entity))}"
        ") group by key_hash having count(*) > 1"
    )
    key = ", ".join(f"t_{name}" for name in entity.key)
    content = ", ".join(f"t_{name}" for name in entity.column_names)
    suspects = source.rows(
        f"source_row, {content}, {_key_text(entity)} as key",
        f"{_key_complete(entity)} and {_key_hash(entity)} in (from repeated)",
    )
    connection.execute(
        "create or replace temp table equal_rows as"
        f" select source_row, key, {key},"
        f" min(source_row) over (partition by {content}) as first_row"
        f" from ({suspects})"
        if _any(connection, "repeated")
        else "create or replace temp table equal_rows as select null::bigint as"
        " source_row, '' as key, null::bigint as first_row,"
        f" {', '.join(f'null::varchar as t_{name}' for name in entity.key)} limit 0"
    )
    connection.execute(
        f"""
        insert into rejected
        select {_text(entity.name)}, source_row, reason, key
        from (select source_row, unnest(reasons) as reason, key from faulty)
        where reason is not null and source_row not in (
            select source_row from equal_rows where source_row <> first_row
        )
        union all
        select {_text(entity.name)}, source_row, 'duplicate_row', key
        from equal_rows
        where source_row <> first_row
        union all
        select {_text(entity.name)}, source_row, 'duplicate_key', key
        from (
            select
                source_row, first_row, key,
                min(first_row) over (partition by {key}) as lowest,
                max(first_row) over (partition by {key}) as highest
            from equal_rows
        )
        where source_row = first_row and lowest < highest
        """
    )


def _key_complete(entity: Entity) -> str:
    return " and ".join(f"t_{name} is not null" for name in entity.key)


def _key_hash(entity: Entity) -> str:
    return f"hash({', '.join(f't_{name}' for name in entity.key)})"


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None


def _stage(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Judge an entity's rows; leave the view stg_<entity> of the accepted ones."""
    entity = source.entity
    _rejections(connection, source)
    connection.execute(
        f"create temp table out_{entity.name} as select distinct source_row"
        f" from rejected where entity = {_text(entity.name)}"
    )
    typed = ", ".join(
        f"{'v' if column.type in PARSED_TYPES else 't'}_{column.name} as {column.name}"
        for column in entity.columns
    )
    accepted = (
        f"source_row not in (from out_{entity.name})"
        if _any(connection, f"out_{entity.name}")
        else "true"
    )
    connection.execute(
        f"create temp view stg_{entity.name} as"
        f" {source.rows(f'source_row, {typed}', accepted)}"
    )
    manifest = source.snapshot.manifest
    values = ", ".join(
        [
            _text(entity.name),
            f"date {_text(manifest['snapshot_date'])}",
            str(int(manifest["revision"])),
            _text(manifest["sha256"]),
        ]
    )
    connection.execute(
        f"insert into floor.snapshot_use select {values}, received,"
        " received - quarantined - duplicates, quarantined, duplicates from ("
        f"select (select count(*) from ({source.rows('1')})) as received,"
        " count(distinct source_row) filter (reason <> 'duplicate_row')"
        " as quarantined, count(*) filter (reason = 'duplicate_row') as duplicates"
        f" from rejected where entity = {_text(entity.name)})"
    )
    connection.execute(
        "insert into landed_file values "
        + ", ".join(
            f"({_text(entity.name)}, {number}, {_text(file['file'])})"
            for number, file in enumerate(source.snapshot.files)
        )
    )


# ------------------------------------------------------------------------- the run


def resolve(policies: dict[str, str]) -> dict[str, str]:
    """Return all thirteen policies with the given ones in place of the values in force.

    Raises:
        ValueError: an unknown policy or value.
    """
    resolved = {name: allowed[0] for name, allowed in POLICIES.items()}
    for name, value in policies.items():
        if name not in POLICIES:
            raise ValueError(f"unknown policy {name}")
        allowed = POLICIES[name]
        top = allowed[1]
        in_range = isinstance(top, int) and value in {str(n) for n in range(1, top + 1)}
        if value not in allowed and not in_range:
            raise ValueError(f"policy {name}: unknown value {value}")
        resolved[name] = value
    return {name: str(value) for name, value in resolved.items()}


def _law(as_of: dt.date, known_at: dt.date, policies: dict[str, str]) -> dict[str, str]:
    """Return what the law says to the run, as SQL literals by variable name.

    Raises:
        LookupError: a list is drawn and no recorded MRP covers its month.
    """
    day = "date '{}'".format
    applies = as_of >= RULES_VALID_FROM and known_at >= RULES_RECORDED_ON
    known = [row for row in EMERGENCY if row[0] <= known_at] or [EMERGENCY[0]]
    _, starts_at, ends_at = max(known)
    starts_on = starts_at.date()
    covered_until = (ends_at - dt.timedelta(microseconds=1)).date()
    last_full_day = ends_at.date() - dt.timedelta(days=1)
    instant = policies["payout.end_month"] == "end_instant"
    end_month = (ends_at.date() if instant else last_full_day).replace(day=1)
    month_before = dt.date(starts_on.year, starts_on.month - 1, starts_on.day)
    thirty = policies["disability.window"] == "thirty_days"
    list_month = as_of.replace(day=1)
    list_drawn = applies and starts_on <= as_of <= covered_until
    settings = [f"{_text(name)}: {_text(value)}" for name, value in policies.items()]
    floor_cost = 0
    if list_drawn:
        rows = [row for row in MRP if row[0] <= list_month and row[1] <= known_at]
        if not rows:
            raise LookupError(f"no MRP covers {list_month} as known on {known_at}")
        floor_cost = FOOD_SET_FLOOR_MRP * max(rows)[2]
    return {
        "as_of": day(as_of),
        "applies": str(applies).lower(),
        "list_drawn": str(list_drawn).lower(),
        "list_month": day(list_month),
        "starts_on": day(starts_on),
        "covered_until": day(covered_until),
        "window_start": day(
            starts_on - dt.timedelta(days=30) if thirty else month_before
        ),
        "end_month": day(end_month),
        "floor_cost": f"{floor_cost}::decimal(18, 2)",
        "policies": f"map {{{', '.join(settings)}}}",
    }


def _calendar(connection: duckdb.DuckDBPyConnection) -> None:
    """Write temp.calendar: each day a deadline may start on, and if it is worked.

    The days are from the earliest start, or the emergency's year, to two months after
    the latest; outside the years the holidays package knows, weekends alone are free.
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
    """Yield the sections of floor.sql: a title after ``-- ##`` and its statements."""
    for section in SQL.read_text(encoding="utf-8").split("\n-- ## ")[1:]:
        title, _, statements = section.partition("\n")
        yield title.strip(), statements


@contextmanager
def _clock(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note the wall seconds of a block."""
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def compute(
    home: Path,
    out: Path,
    as_of: dt.date,
    known_at: dt.date,
    policies: dict[str, str] | None = None,
    *,
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
        memory_limit: DuckDB's, such as ``8GB``.
        threads: DuckDB's; all cores by default.

    Returns:
        Wall seconds by step.

    Raises:
        LookupError: an entity has no snapshot, or a law value covers no date.
        ValueError: an unknown policy, a missing column, a numeric identifier.
    """
    resolved = resolve(policies or {})
    law = _law(as_of, known_at, resolved)
    snapshots = [_snapshot(home, entity, known_at) for entity in entities()]
    out.unlink(missing_ok=True)
    seconds: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(dir=out.parent) as spill,
        duckdb.connect(str(out)) as connection,
    ):
        database.secure(connection)
        connection.execute(
            f"set memory_limit = {_text(memory_limit)};"
            f"set temp_directory = {_text(spill)};"
            "set preserve_insertion_order = false; set timezone = 'UTC';"
        )
        if threads is not None:
            connection.execute(f"set threads = {threads}")
        for name, literal in law.items():
            connection.execute(f"set variable {name} = {literal}")
        sections = dict(_sections())
        connection.execute(sections.pop("tables of the inputs"))
        for snapshot in snapshots:
            with _clock(seconds, f"stage {snapshot.entity.name}"):
                _stage(connection, _source(connection, snapshot))
        for title, statements in sections.items():
            with _clock(seconds, title):
                connection.execute(statements)
            if title == "cases":
                with _clock(seconds, "calendar"):
                    _calendar(connection)
    return seconds


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
