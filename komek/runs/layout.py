"""Beginning a run: its inputs found, its id given, the file it is built in laid out.

The schema `landing` of the file is views over the landed Parquet, and what the landing
says of each file and snapshot.
"""

import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database, policies, registries
from komek.base.errors import printable
from komek.base.places import Home
from komek.base.registries import ColumnType, Entity
from komek.base.scratch import hold
from komek.landing.received import FILE_NAME, MALFORMED
from komek.landing.snapshots import Snapshot
from komek.landing.working_days import WorkingDays, land_working_days
from komek.runs.inputs import (
    described,
    newest_inputs,
    previous_rows,
    recorded_inputs,
    refuse_changed,
)
from komek.runs.run import Request, Run, code_version, run_id_of, save

ROWS_PER_FILE = 10_000_000_000
MAX_SHOWN_NAMES = 20
MAX_SHOWN_LENGTH = 100
_NUMERIC = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL(\(.*\))?", re.IGNORECASE
)


def begin(
    home: Home,
    request: Request,
    inputs: Sequence[Mapping[str, Any]] | None = None,
    *,
    alone: bool = False,
) -> Run:
    """Find a run's inputs, name it, and lay out the file it is built in.

    Args:
        home: where the snapshots are, and where the run is built.
        request: what is asked of it.
        inputs: those of a run before, to take whatever has landed since; None takes
            the newest that the request may know.
        alone: whether the process that begins the run takes its every step.

    Raises:
        StoppedError: an entity has no snapshot, or a landed file is not what it was.
        UsageError: one is encrypted, and not under KOMEK_KEY.
    """
    if inputs is None:
        snapshots = newest_inputs(home, request.known_at)
        calendar = land_working_days(home)
        inputs = described(home, request, snapshots, calendar)
    else:
        snapshots, calendar = recorded_inputs(home, inputs)
    refuse_changed(snapshots)
    run = Run(
        home=home,
        run_id=run_id_of(request, inputs),
        request=request,
        code_version=code_version(),
        law_sha256=policies.law_sha256(),
        started_at=datetime.now(UTC).replace(microsecond=0),
        inputs=inputs,
    )
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    if alone:
        hold(run.folder)
    save(run)
    _lay_out(run, snapshots, calendar)
    return run


def _lay_out(run: Run, snapshots: Sequence[Snapshot], calendar: WorkingDays) -> None:
    """Write the schema `landing` of the run's file: views over the landed Parquet."""
    with database.connect(run.file) as connection:
        connection.execute("create schema landing")
        connection.execute(
            "create table landing.landed_files (file_no integer, entity varchar,"
            " snapshot_date date, revision integer, file varchar, landed_path varchar)"
        )
        connection.execute(
            "create table landing.landed_snapshots (entity varchar, snapshot_date date,"
            " revision integer, sha256 varchar, age_days integer, previous_rows bigint,"
            " missing_columns varchar, extra_columns varchar,"
            " numeric_identifiers varchar)"
        )
        file_no = 1
        for snapshot in snapshots:
            with database.opening(snapshot.paths[0]):
                _lay_out_snapshot(connection, run, snapshot, file_no)
            file_no += len(snapshot.files)
        connection.execute(
            "create view landing.working_days as"
            f" select * from {database.scan(calendar.path)}"
        )


def _lay_out_snapshot(
    connection: duckdb.DuckDBPyConnection, run: Run, snapshot: Snapshot, file_no: int
) -> None:
    entity = registries.entity(snapshot.entity)
    for offset, (file, path) in enumerate(
        zip(snapshot.files, snapshot.paths, strict=True)
    ):
        connection.execute(
            "insert into landing.landed_files values (?, ?, ?, ?, ?, ?)",
            [
                file_no + offset,
                snapshot.entity,
                snapshot.snapshot_date,
                snapshot.revision,
                file["file"],
                path.relative_to(run.home.root).as_posix(),
            ],
        )
    recorded = next(one for one in run.inputs if one["entity"] == snapshot.entity)
    present = [
        {column["name"] for column in file["columns"]} for file in snapshot.files
    ]
    declared = set(entity.column_names)
    connection.execute(
        "insert into landing.landed_snapshots values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            snapshot.entity,
            snapshot.snapshot_date,
            snapshot.revision,
            snapshot.sha256,
            (run.request.known_at - snapshot.snapshot_date).days,
            recorded["previous_rows"]
            if "previous_rows" in recorded
            else previous_rows(run.home, snapshot),
            _joined(declared - set.intersection(*present)),
            _shown(set.union(*present) - declared),
            _joined(_numeric_identifiers(connection, entity, snapshot)),
        ],
    )
    connection.execute(
        f"create view landing.{entity.name} as "
        + " union all ".join(_selects(entity, snapshot, file_no))
    )


def _selects(entity: Entity, snapshot: Snapshot, file_no: int) -> Iterable[str]:
    """Yield what to select: all files at once where they have the same columns."""
    types = [_landed_types(file) for file in snapshot.files]
    present = [
        name
        for name in entity.column_names
        if any(name in columns for columns in types)
    ]
    if all(columns == types[0] for columns in types):
        number = f"{file_no}"
        if len(types) > 1:
            name = f"regexp_extract({FILE_NAME}, '([0-9]+)[.]parquet$', 1)"
            number = f"({file_no} + cast({name} as bigint))"
        selected = [f'"{name}"' for name in present]
        yield _select(selected, types[0], number, snapshot.paths)
        return
    declared = {column.name: column.type for column in entity.columns}
    for offset, (columns, path) in enumerate(zip(types, snapshot.paths, strict=True)):
        mixed = {
            name: len({other.get(name, columns.get(name)) for other in types}) > 1
            for name in present
        }
        selected = [
            f'null as "{name}"'
            if name not in columns
            else f'{_as_text(name, declared[name], columns[name])} as "{name}"'
            if mixed[name]
            else f'"{name}"'
            for name in present
        ]
        yield _select(selected, columns, f"{file_no + offset}", [path])


def _as_text(name: str, declared: ColumnType, landed: str) -> str:
    """Return SQL for the text of a column that other parts deliver as another type.

    What its own type would parse is written as its text would have to be.
    """
    column = f'"{name}"'
    text = f"cast({column} as varchar)"
    if landed.upper().startswith("TIMESTAMP"):
        day = f"cast({column} as date)"
        is_day = f"{column} = date_trunc('day', {column})"
        return f"case when {is_day} then cast({day} as varchar) else {text} end"
    parsed = {"amount": "decimal(18, 2)", "integer": "bigint"}.get(declared)
    if parsed and _NUMERIC.fullmatch(landed):
        value = f"try_cast({column} as {parsed})"
        return (
            f"case when {value} = {column} then cast({value} as varchar)"
            f" else {text} end"
        )
    return text


def _landed_types(file: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a landed file; one from a CSV marks its malformed lines."""
    types = {column["name"]: column["type"] for column in file["columns"]}
    return types if file["format"] == "parquet" else {**types, MALFORMED: "VARCHAR"}


def _select(
    selected: Iterable[str],
    columns: Mapping[str, str],
    number: str,
    paths: Sequence[Path],
) -> str:
    malformed = f'"{MALFORMED}" is not null' if MALFORMED in columns else "false"
    files = database.scan_encrypted(
        paths,
        database.LANDING,
        f"filename = '{FILE_NAME}'",
        "file_row_number = true",
    )
    return (
        f"select {''.join(f'{column}, ' for column in selected)}"
        f"cast({number} as bigint) * {ROWS_PER_FILE} + file_row_number + 1"
        f" as source_row, {malformed} as malformed"
        f" from {files}"
    )


def _numeric_identifiers(
    connection: duckdb.DuckDBPyConnection, entity: Entity, snapshot: Snapshot
) -> set[str]:
    """Return the identifiers that came as numbers (a column of nulls is neither)."""
    identifiers = {column.name for column in entity.columns if column.is_identifier}
    found = set()
    for file, path in zip(snapshot.files, snapshot.paths, strict=True):
        for column in file["columns"]:
            name = column["name"]
            if name in identifiers and _NUMERIC.fullmatch(column["type"]):
                (filled,) = connection.execute(
                    f'select count("{name}") from '
                    + database.scan_encrypted(path, database.LANDING)
                ).fetchone() or (0,)
                if filled:
                    found.add(name)
    return found


def _joined(names: Iterable[str]) -> str:
    return "|".join(sorted(names))


def _shown(names: Collection[str]) -> str:
    """Return names that somebody made up, as reports and messages may show them."""
    shown = sorted(printable(name, keep="")[:MAX_SHOWN_LENGTH] for name in names)
    more = len(names) - MAX_SHOWN_NAMES
    return _joined(shown[:MAX_SHOWN_NAMES]) + (f"|and {more} more" if more > 0 else "")
