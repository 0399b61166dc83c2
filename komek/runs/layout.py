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
from komek.landing.received import FILE_NAME, MALFORMED
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
from komek.runs.run import Request, Run, run_id_of, save
from komek.runs.version import code_version

ROWS_PER_FILE = 10_000_000_000
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
    kinds |= {"source_row": "BIGINT", "malformed": "BOOLEAN"}
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
    """Write the view of an entity's rows: its declared columns, as they came.

    Where files differ in their columns or types, each kind of file has a view of its
    own (`<entity>_1` and so on): what a value is depends on the type it came in, and is
    staging's to judge. The entity's own view then has the text of all.
    """
    kinds = _kinds_of_files(snapshot)
    parts = []
    for number, (types, places) in enumerate(kinds, start=1):
        view = entity.name if len(kinds) == 1 else f"{entity.name}_{number}"
        declared = [name for name in entity.column_names if name in types]
        connection.execute(
            f"create view landing.{view} as "
            + _select(snapshot, declared, places, file_no, MALFORMED in types)
        )
        columns = {name: types[name] for name in declared}
        columns |= {"source_row": "BIGINT", "malformed": "BOOLEAN"}
        connection.executemany(
            "insert into landing.landed_columns values (?, ?, ?, ?)",
            [(entity.name, view, name, kind) for name, kind in columns.items()],
        )
        texts = "".join(f'cast("{name}" as varchar) as "{name}", ' for name in declared)
        parts.append(f"select {texts}source_row, malformed from landing.{view}")
    if len(kinds) > 1:
        union = " union all by name ".join(parts)
        connection.execute(f"create view landing.{entity.name} as {union}")


def _kinds_of_files(snapshot: Snapshot) -> list[tuple[dict[str, str], list[int]]]:
    """Return the kinds of files in a snapshot, in the order of their first.

    Returns:
        Pairs of what columns the files have, name to type, and the places (from 0) of
        the files in the snapshot. One from a CSV also has what marks malformed lines.
    """
    kinds: list[tuple[dict[str, str], list[int]]] = []
    for place, file in enumerate(snapshot.files):
        types = {column.name: column.type for column in file.columns}
        if file.format != "parquet":
            types[MALFORMED] = "VARCHAR"
        same = next((places for known, places in kinds if known == types), None)
        if same is None:
            kinds.append((types, [place]))
        else:
            same.append(place)
    return kinds


def _select(
    snapshot: Snapshot,
    columns: Iterable[str],
    places: Sequence[int],
    file_no: int,
    marks_malformed: bool,
) -> str:
    """Return what to select of the files at some places, all at once."""
    number = f"{file_no + places[0]}"
    if len(places) > 1:
        name = f"regexp_extract({FILE_NAME}, '([0-9]+)[.]parquet$', 1)"
        number = f"({file_no} + cast({name} as bigint))"
    malformed = f'"{MALFORMED}" is not null' if marks_malformed else "false"
    files = database.scan_encrypted(
        [snapshot.paths[place] for place in places],
        database.LANDING,
        f"filename = '{FILE_NAME}'",
        "file_row_number = true",
    )
    selected = "".join(f'"{column}", ' for column in columns)
    return (
        f"select {selected}cast({number} as bigint) * {ROWS_PER_FILE}"
        f" + file_row_number + 1 as source_row, {malformed} as malformed from {files}"
    )


def _joined(names: Iterable[str]) -> str:
    return "|".join(sorted(names))


def _shown(names: Collection[str]) -> str:
    """Return names that somebody made up, as reports and messages may show them."""
    shown = sorted(printable(name, keep="")[:MAX_SHOWN_LENGTH] for name in names)
    more = len(names) - MAX_SHOWN_NAMES
    return _joined(shown[:MAX_SHOWN_NAMES]) + (f"|and {more} more" if more > 0 else "")
