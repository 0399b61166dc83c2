"""Write the demo nation as a drop folder."""

import csv
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database, places, registries
from komek.base.database import scan, text_literal
from komek.base.errors import UsageError
from komek.base.registries import Column, Entity
from komek.base.say import Say, silent
from komek.nation.defects import Defect, broken, condition, other

SQL = Path(__file__).parent
MASTERS = (
    "names",
    "people",
    "asp",
    "disability",
    "work",
    "benefits",
    "food",
    "applications",
    "situations",
)
# A serial has four digits, and one of each pair may be an invalid number.
MOST_BORN_ON_A_DAY = 5000
PARQUET_TYPES = {"date": "date", "amount": "decimal(18, 2)", "integer": "bigint"}
# How many rows of an entity show which situation on a day.
SEEN = """
    select situation, count(*) from told
    where entity = $entity and situation is not null
        and seen_from <= $day and (seen_until is null or seen_until > $day)
    group by situation order by situation
"""
# Days between two exports of an entity, the first on the first day.
EVERY_DAYS = {
    "persons": 14,
    "family_links": 28,
    "asp_awards": 14,
    "asp_members": 14,
    "disability_terms": 14,
    "institution_stays": 14,
    "jobseekers": 7,
    "benefit_awards": 14,
    "benefit_payments": 14,
    "applications": 7,
    "food_set_norms": 7,
    "supply_contracts": 7,
    "deliveries": 2,
    "bank_accounts": 28,
    "kato": 28,
}


@dataclass(frozen=True)
class Plan:
    """What is to be written: where, how many people, which draws, which days."""

    folder: Path
    scale: float
    seed: int
    first: date
    last: date


def snapshot_dates(entity: str, first: date, last: date) -> list[date]:
    """Return the dates on which an entity is exported, ascending, at least one."""
    days = range(0, (last - first).days + 1, EVERY_DAYS[entity])
    return [first + timedelta(days=day) for day in days]


def write_nation(
    folder: Path,
    scale: float,
    seed: int = 118,
    first: date = date(2020, 3, 1),
    last: date = date(2020, 5, 31),
    say: Say = silent,
) -> None:
    """Write the demo nation into `folder`: `<entity>/<YYYY-MM-DD>.parquet`.

    Beside the entities it writes `planted.json`: per snapshot the rows, how many of
    them have which planted defect, and how many are in which planted situation.

    Args:
        folder: where to; an earlier nation in it is replaced whole.
        scale: 1.0 is 18,631,779 people.
        seed: another seed is another nation with the same marginals.
        first: first day exports are made of.
        last: last day; the same as `first` for one snapshot of each entity.
        say: takes a line for people after each entity.

    Raises:
        UsageError: scale, dates or the folder cannot be used.
    """
    folder = Path(folder)
    if not (scale > 0 and math.isfinite(scale)):
        raise UsageError(f"the scale must be a number above 0, not {scale}")
    if first > last:
        raise UsageError(f"the first day {first} is after the last day {last}")
    if folder.is_file():
        raise UsageError(f"{folder} is a file, not a folder")
    is_ours = not folder.exists() or (folder / "planted.json").exists()
    if not is_ours and any(folder.iterdir()):
        raise UsageError(f"{folder} is neither empty nor an earlier demo nation")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(folder) as scratch:
        plan = Plan(scratch / "nation", scale, seed, first, last)
        with _database(scratch, plan) as db:
            _write(db, plan, say)
        if folder.exists():
            shutil.rmtree(folder)
        plan.folder.rename(folder)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Yield a folder beside the target, on the same disk, and remove it at the end."""
    scratch = Path(
        tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent.resolve())
    )
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _database(scratch: Path, plan: Plan) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database on disk with the marginals, the figures and the macros."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "preserve_insertion_order": "true",
        "threads": str(min(os.cpu_count() or 1, 4)),
    }
    with duckdb.connect(str(scratch / "nation.duckdb"), config=config) as db:
        database.configure(db, scratch / "spill")
        _set_variables(db, plan)
        for path in sorted(places.MARGINALS.glob("*.csv")):
            kato = ", types={'kato': 'VARCHAR'}" if _has_kato(path) else ""
            db.execute(
                f"create table marginal_{path.stem} as "
                f"select * from read_csv({text_literal(path)}, header=true{kato})"
            )
        _run(db, "macros")
        yield db


def _has_kato(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return "kato" in file.readline().strip().split(",")


def _set_variables(db: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make every figure, the scale, the seed and the days known to the SQL."""
    with (places.MARGINALS / "figures.csv").open(encoding="utf-8", newline="") as file:
        figures: dict[str, Any] = {
            row["name"]: _value(row["value"], row["unit"])
            for row in csv.DictReader(file)
        }
    figures |= {
        "scale": plan.scale,
        "seed": plan.seed,
        "first": plan.first,
        "last": plan.last,
    }
    for name, value in figures.items():
        db.execute(f"set variable {name} = $value", {"value": value})


def _value(text: str, unit: str) -> date | float | str:
    if unit == "date":
        return date.fromisoformat(text)
    return text if unit == "kato" else float(text)


def _run(db: duckdb.DuckDBPyConnection, name: str) -> None:
    db.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))


def _write(db: duckdb.DuckDBPyConnection, plan: Plan, say: Say) -> None:
    for master in MASTERS:
        _run(db, master)
        if master == "people":
            _check_space(db, plan)
        say(f"made {master}")
    planted: list[dict[str, Any]] = []
    for entity in registries.entities():
        days = snapshot_dates(entity.name, plan.first, plan.last)
        planted += [_export(db, plan, entity, day) for day in days]
        say(f"wrote {entity.name}")
    receipt = {
        "scale": plan.scale,
        "seed": plan.seed,
        "first": plan.first.isoformat(),
        "last": plan.last.isoformat(),
        "expected_sets": _expected_sets(db),
        "snapshots": planted,
    }
    text = json.dumps(receipt, ensure_ascii=False, indent=1)
    (plan.folder / "planted.json").write_text(text + "\n", encoding="utf-8")


def _check_space(db: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    (most,) = db.execute("select max(k) + 1 from people").fetchone() or (0,)
    if most > MOST_BORN_ON_A_DAY:
        raise UsageError(
            f"scale {plan.scale} is too large: {most} people of one sex born on one "
            f"day, and the IIN has room for {MOST_BORN_ON_A_DAY}"
        )


def _expected_sets(db: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    rows = db.execute(
        "select list_month::varchar, ground, count(*) from expected "
        "group by all order by all"
    ).fetchall()
    expected: dict[str, dict[str, int]] = {}
    for month, ground, people in rows:
        expected.setdefault(month, {})[ground] = people
    return expected


def entity_defects(entity: str) -> list[Defect]:
    """Return the defects of an entity in the order of defects.csv."""
    with (places.MARGINALS / "defects.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["entity"] == entity]
    return [
        Defect(number, entity, row["defect"], row["column"], float(row["rate"]))
        for number, row in enumerate(rows, start=1)
    ]


def _export(
    db: duckdb.DuckDBPyConnection, plan: Plan, entity: Entity, day: date
) -> dict[str, Any]:
    """Write one snapshot and return what was planted in it."""
    defects = entity_defects(entity.name)
    db.execute("set variable t = $day", {"day": day})
    clean = (SQL / "snapshots" / f"{entity.name}.sql").read_text(encoding="utf-8")
    marked = _marked(clean, entity, defects)
    db.execute(
        f"create or replace temp table planted as {marked} "
        "select * from marked where defect > 0"
    )
    target = plan.folder / entity.name / f"{day}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    db.execute(
        f"copy ({marked} {_rows(entity, defects)}) to {text_literal(target)} "
        "(format parquet, compression zstd)"
    )
    counts = dict(
        db.execute("select defect, count(*) from planted group by defect").fetchall()
    )
    (rows,) = db.execute(f"select count(*) from {scan(target)}").fetchone() or (0,)
    return {
        "entity": entity.name,
        "snapshot_date": day.isoformat(),
        "rows": rows,
        "quarantine": {
            defect.reason: defect.rows(counts[defect.number])
            for defect in defects
            if not defect.is_kept and defect.number in counts
        },
        "kept": {
            defect.reason: counts[defect.number]
            for defect in defects
            if defect.is_kept and defect.number in counts
        },
        "situations": dict(
            db.execute(SEEN, {"entity": entity.name, "day": day}).fetchall()
        ),
    }


def _marked(clean: str, entity: Entity, defects: list[Defect]) -> str:
    """Return the CTEs that number the rows' defects, 0 for none and for the told."""
    cases, upto = [], 0.0
    for defect in defects:
        start, upto = upto, upto + defect.rate
        cases.append(
            f"when d >= {start:.6f} and d < {upto:.6f} "
            f"and {condition(defect, entity)} then {defect.number}"
        )
    told = f"o in (select o from told where entity = '{entity.name}')"
    case = f"case when {told} then 0 {' '.join(cases)} else 0 end" if cases else "0"
    return (
        f"with clean as ({clean}), "
        f"drawn as (select *, draw(o, 'defect {entity.name}') as d from clean), "
        f"marked as (select * exclude (d), {case} as defect from drawn)"
    )


def _rows(entity: Entity, defects: list[Defect]) -> str:
    """Return the SELECT of all rows as written, in their order, copies at the end."""
    originals = ", ".join(
        _as_written(column, entity, defects) for column in entity.columns
    )
    copies = ", ".join(_as_copied(column, defects) for column in entity.columns)
    copied = ", ".join(str(d.number) for d in defects if d.is_copied) or "-1"
    names = ", ".join(entity.column_names)
    return (
        f"select {names} from ("
        f"select 0 as copy, o, {originals} from marked union all "
        f"select 1 as copy, o, {copies} from planted where defect in ({copied})) "
        "order by copy, o"
    )


def _typed(expression: str, column: Column) -> str:
    kind = PARQUET_TYPES.get(column.type, "varchar")
    return f"({expression})::{kind} as {column.name}"


def _as_written(column: Column, entity: Entity, defects: list[Defect]) -> str:
    mine = [d for d in defects if d.column == column.name and not d.is_copied]
    if not mine:
        return _typed(column.name, column)
    cases = " ".join(f"when {d.number} then {broken(d, entity)}" for d in mine)
    return _typed(f"case defect {cases} else {column.name} end", column)


def _as_copied(column: Column, defects: list[Defect]) -> str:
    mine = [d for d in defects if d.column == column.name and d.name == "duplicate_key"]
    if not mine:
        return _typed(column.name, column)
    cases = " ".join(f"when {d.number} then {other(column)}" for d in mine)
    return _typed(f"case defect {cases} else {column.name} end", column)
