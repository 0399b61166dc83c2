"""What a run is: what it decides for, what it may know, and the file it builds.

A run's id is a hash of all that determines its result: dates, code, law tables,
policies and the bytes of the snapshots. The same inputs give the same id.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from komek import __version__, database, landing, law, parquet, places, registries
from komek.errors import KomekError, StoppedError, listed, printable
from komek.landing import Snapshot
from komek.places import Home
from komek.received import FILE_NAME, MALFORMED
from komek.registries import ColumnType, Entity
from komek.working_days import (
    WorkingDays,
    land_working_days,
    landed_working_days,
)

ROWS_PER_FILE = 10_000_000_000
MAX_SHOWN_NAMES = 20
MAX_SHOWN_LENGTH = 100
_NUMERIC = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL(\(.*\))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        as_of: the day the run decides for.
        known_at: the last day whose records it may use.
        policy_overrides: policy name to value, where set for this run.
        override: why tolerance checks may be passed over; None where they may not.
    """

    as_of: date
    known_at: date
    policy_overrides: Mapping[str, str]
    override: str | None = None


@dataclass(frozen=True)
class Run:
    """A run being built: its request, identity and the snapshots it uses."""

    home: Home
    run_id: str
    request: Request
    code_version: str
    law_sha256: str
    started_at: datetime
    inputs: Sequence[Mapping[str, Any]]

    @property
    def folder(self) -> Path:
        """Where it is built."""
        return self.home.scratch / self.run_id

    @property
    def file(self) -> Path:
        """Its DuckDB file while it is built."""
        return self.folder / "run.duckdb"

    @property
    def policies(self) -> str:
        """Every policy and its value, as JSON."""
        return json.dumps(law.policies_of_run(self.request.policy_overrides))

    @property
    def is_official(self) -> bool:
        """Whether it reads the law as the policy table does."""
        return not law.deviates(self.request.policy_overrides)


def begin(
    home: Home, request: Request, inputs: Sequence[Mapping[str, Any]] | None = None
) -> Run:
    """Find a run's inputs, name it, and lay out the file it is built in.

    Args:
        home: where the snapshots are, and where the run is built.
        request: what is asked of it.
        inputs: those of a run before, to take whatever has landed since; None takes
            the newest that the request may know.

    Raises:
        StoppedError: an entity has no snapshot, or a landed file is not what it was.
    """
    if inputs is None:
        snapshots = _snapshots(home, request.known_at)
        calendar = land_working_days(home)
        inputs = _inputs(home, request, snapshots, calendar)
    else:
        snapshots, calendar = _recorded(home, inputs)
    _refuse_changed(snapshots)
    run = Run(
        home=home,
        run_id=_run_id(request, inputs),
        request=request,
        code_version=code_version(),
        law_sha256=law.law_sha256(),
        started_at=datetime.now(UTC).replace(microsecond=0),
        inputs=inputs,
    )
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    _save(run)
    _lay_out(run, snapshots, calendar)
    return run


def load(home: Home, run_id: str) -> Run:
    """Return a run that has begun, from its folder."""
    path = home.scratch / run_id / "run.json"
    if not path.exists():
        raise KomekError(f"run {run_id} is not being built in {home.root}")
    saved = json.loads(path.read_text(encoding="utf-8"))
    request = saved["request"]
    return Run(
        home=home,
        run_id=run_id,
        request=Request(
            as_of=date.fromisoformat(request["as_of"]),
            known_at=date.fromisoformat(request["known_at"]),
            policy_overrides=request["policy_overrides"],
            override=request["override"],
        ),
        code_version=saved["code_version"],
        law_sha256=saved["law_sha256"],
        started_at=datetime.fromisoformat(saved["started_at"]),
        inputs=saved["inputs"],
    )


def settle(file: Path) -> None:
    """Put into a run's file what DuckDB could only note in the log beside it.

    On a full disk it closes a file in silence all the same: moved alone, the file would
    lose what the log has.

    Raises:
        duckdb.Error: it still cannot be written.
    """
    if file.with_name(f"{file.name}.wal").exists():
        with database.connect(file) as connection:
            connection.execute("checkpoint")


def code_version() -> str:
    """Return the package's version and a hash of the code that decides."""
    sources = [
        path
        for folder, pattern in (
            (places.DAGS / "komek", "**/*.py"),
            (places.DBT_PROJECT / "models", "**/*"),
            (places.DBT_PROJECT / "macros", "**/*.sql"),
            (places.EXPECTATIONS, "**/*.yml"),
        )
        for path in folder.glob(pattern)
        if path.is_file()
    ]
    sources.append(places.PROJECT / "requirements.txt")
    return f"{__version__}+{law.content_sha256(sources, places.PROJECT)[:12]}"


def _save(run: Run) -> None:
    saved = {
        "run_id": run.run_id,
        "request": _request(run.request),
        "code_version": run.code_version,
        "law_sha256": run.law_sha256,
        "started_at": run.started_at.isoformat(),
        "inputs": list(run.inputs),
    }
    text = json.dumps(saved, indent=2, ensure_ascii=False) + "\n"
    (run.folder / "run.json").write_text(text, encoding="utf-8")


def _request(request: Request) -> dict[str, Any]:
    return {
        "as_of": request.as_of.isoformat(),
        "known_at": request.known_at.isoformat(),
        "policy_overrides": dict(request.policy_overrides),
        "override": request.override,
    }


def _run_id(request: Request, inputs: Iterable[Mapping[str, Any]]) -> str:
    determined_by = {
        "as_of": request.as_of.isoformat(),
        "known_at": request.known_at.isoformat(),
        "policies": law.policies_of_run(request.policy_overrides),
        "override": request.override,
        "code": code_version(),
        "law": law.law_sha256(),
        "inputs": list(inputs),
    }
    text = json.dumps(determined_by, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{request.as_of:%Y%m%d}-{digest[:12]}"


def _snapshots(home: Home, known_at: date) -> list[Snapshot]:
    found = {
        entity.name: landing.latest(home, entity.name, known_at)
        for entity in registries.entities()
    }
    absent = [name for name, snapshot in found.items() if snapshot is None]
    if absent:
        raise StoppedError(
            f"no snapshot dated {known_at} or before in {home.landing}: "
            + ", ".join(absent)
        )
    return [snapshot for snapshot in found.values() if snapshot is not None]


def _recorded(
    home: Home, inputs: Sequence[Mapping[str, Any]]
) -> tuple[list[Snapshot], WorkingDays]:
    """Return the snapshots and the calendar that a run before recorded."""
    by_entity = {recorded["entity"]: recorded for recorded in inputs}
    calendar = landed_working_days(home, by_entity["working_days"]["version"])
    snapshots = [
        landing.revision_of(
            home,
            entity.name,
            date.fromisoformat(by_entity[entity.name]["snapshot_date"]),
            by_entity[entity.name]["revision"],
        )
        for entity in registries.entities()
        if entity.name in by_entity
    ]
    changed = [
        found.entity
        for found in snapshots
        if found.sha256 != by_entity[found.entity]["sha256"]
    ]
    if calendar.sha256 != by_entity["working_days"]["sha256"]:
        changed.append("working_days")
    if changed:
        raise StoppedError(
            "what landed is not what the run recorded: " + ", ".join(changed)
        )
    return snapshots, calendar


def _refuse_changed(snapshots: Sequence[Snapshot]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        changed = [
            f"{snapshot.folder / name}"
            for snapshot, names in zip(
                snapshots, pool.map(landing.verify_snapshot, snapshots), strict=True
            )
            for name in names
        ]
    if changed:
        raise StoppedError(
            f"landed files are not what their manifest says: {listed(changed)}"
        )


def _inputs(
    home: Home,
    request: Request,
    snapshots: Sequence[Snapshot],
    calendar: WorkingDays,
) -> list[dict[str, Any]]:
    """Return all that a run is made from, as its receipt names it."""
    inputs = [_input(snapshot) for snapshot in snapshots]
    if request.override:
        # The checks that are passed over stand in the result, and volume is one.
        for recorded, snapshot in zip(inputs, snapshots, strict=True):
            recorded["previous_rows"] = _previous_rows(home, snapshot)
    return [
        *inputs,
        {
            "entity": "working_days",
            "version": calendar.version,
            "sha256": calendar.sha256,
        },
    ]


def _input(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "entity": snapshot.entity,
        "snapshot_date": snapshot.snapshot_date.isoformat(),
        "revision": snapshot.revision,
        "sha256": snapshot.sha256,
        "files": [
            {
                "file": file["file"],
                "rows": file["rows"],
                "sha256": file["sha256"],
            }
            for file in snapshot.files
        ],
    }


def _previous_rows(home: Home, snapshot: Snapshot) -> int | None:
    before = landing.previous(home, snapshot)
    return before.rows if before else None


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
            _lay_out_snapshot(connection, run, snapshot, file_no)
            file_no += len(snapshot.files)
        connection.execute(
            "create view landing.working_days as"
            f" select * from {parquet.scan(calendar.path)}"
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
            else _previous_rows(run.home, snapshot),
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
    files = parquet.scan(paths, f"filename = '{FILE_NAME}'", "file_row_number = true")
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
                    f'select count("{name}") from {parquet.scan(path)}'
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
