"""Beginning a run: its inputs found, its id given, the file it is built in laid out.

The schema `landing` of the file is views over the landed Parquet, and what the landing
says of each file and snapshot.
"""

import shutil
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import duckdb

from komek.base import database, policies, registries
from komek.base.errors import printable
from komek.base.places import Home
from komek.base.registries import Entity
from komek.base.scratch import hold
from komek.landing.snapshots import Snapshot
from komek.landing.working_days import WorkingDays, land_working_days
from komek.runs.inputs import (
    Inputs,
    inputs_of,
    newest_inputs,
    previous_rows,
    recorded_inputs,
    refuse_changed,
)
from komek.runs.landed_views import NUMBERED, landed_views
from komek.runs.run import Request, Run, run_id_of, save
from komek.runs.version import code_version

MAX_SHOWN_NAMES = 20
MAX_SHOWN_LENGTH = 100
_KINDS = {"date": "DATE", "integer": "INTEGER"}


def begin(
    home: Home, request: Request, inputs: Inputs | None = None, *, alone: bool = False
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
        snapshots = newest_inputs(home, request.as_of, request.known_at)
        calendar = land_working_days(home)
        inputs = inputs_of(
            home, snapshots, calendar, with_volume=bool(request.override)
        )
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
            "create table landing.landed_columns (entity varchar, relation varchar,"
            " name varchar, type varchar)"
        )
        connection.execute(
            "create table landing.landed_snapshots (entity varchar, snapshot_date date,"
            " revision integer, sha256 varchar, age_days integer, previous_rows bigint,"
            " missing_columns varchar, extra_columns varchar)"
        )
        file_no = 1
        for snapshot in snapshots:
            with database.opening(snapshot.paths[0]):
                _lay_out_snapshot(connection, run, snapshot, file_no)
            file_no += len(snapshot.files)
        for entity in registries.every_entity():
            if entity.name not in {snapshot.entity for snapshot in snapshots}:
                _lay_out_nothing(connection, entity)
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
                file.file,
                path.relative_to(run.home.root).as_posix(),
            ],
        )
    before = run.inputs.of(snapshot.entity).before
    present = [{column.name for column in file.columns} for file in snapshot.files]
    declared = set(entity.column_names)
    connection.execute(
        "insert into landing.landed_snapshots values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            snapshot.entity,
            snapshot.snapshot_date,
            snapshot.revision,
            snapshot.sha256,
            (run.request.known_at - snapshot.snapshot_date).days,
            before.rows if before else previous_rows(run.home, snapshot),
            _joined(declared.difference(set.intersection(*present))),
            _shown(set.union(*present) - declared),
        ],
    )
    _lay_out_rows(connection, entity, snapshot, file_no)


def _lay_out_nothing(connection: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Write the view of an entity that has no snapshot yet: its columns, no rows."""
    kinds = {
        column.name: _KINDS.get(column.type, "VARCHAR") for column in entity.columns
    }
    kinds |= NUMBERED
    columns = ", ".join(f'cast(null as {kind}) as "{n}"' for n, kind in kinds.items())
    connection.execute(
        f"create view landing.{entity.name} as select {columns} where false"
    )
    connection.executemany(
        "insert into landing.landed_columns values (?, ?, ?, ?)",
        [(entity.name, entity.name, name, kind) for name, kind in kinds.items()],
    )


def _lay_out_rows(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    snapshot: Snapshot,
    file_no: int,
) -> None:
    """Write the views of an entity's rows, and say which columns they have."""
    for view in landed_views(entity, snapshot, file_no):
        connection.execute(f"create view landing.{view.name} as {view.sql}")
        if view.types:
            connection.executemany(
                "insert into landing.landed_columns values (?, ?, ?, ?)",
                [(entity.name, view.name, name, t) for name, t in view.types.items()],
            )


def _joined(names: Iterable[str]) -> str:
    return "|".join(sorted(names))


def _shown(names: Collection[str]) -> str:
    """Return names that somebody made up, as reports and messages may show them."""
    shown = sorted(printable(name, keep="")[:MAX_SHOWN_LENGTH] for name in names)
    more = len(names) - MAX_SHOWN_NAMES
    return _joined(shown[:MAX_SHOWN_NAMES]) + (f"|and {more} more" if more > 0 else "")
