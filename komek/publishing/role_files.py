"""A file per role: just what each sees of a publication, and nothing that it does not.

At publication each region gets a DuckDB file of its own, and so do the ministry, the
bodies that act on decisions and the engineers. Whoever serves a role opens the one file
of the role: what is not in it cannot be shown, whatever a query forgets. The auditor's
is the publication itself. Where what is written is encrypted, each file is, under a key
of its own.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from komek.base import database
from komek.base.database import quoted, text_literal
from komek.base.side_by_side import side_by_side
from komek.publishing.listed_rows import NAME_LETTERS, TEXTS, replaced
from komek.publishing.publication import FinishedRun
from komek.runs.landed_views import ROWS_PER_FILE

FOLDER = "roles"
REGION = "region"
MINISTRY = "ministry"
ENGINEER = "engineer"
BODIES = ("state_corporation", "mse", "employment", "fund")
_KATO = re.compile(r"[0-9]{9}")
_REGIONAL = (
    "recipients",
    "cells",
    "lists",
    "deliveries",
    "delivery_findings",
    "deadlines",
    "case_findings",
    "extensions",
    "own_registries",
    "own_quarantine",
    "own_rejected",
)
# Of these the region's own column would say the same in each row.
_REGION_MARTS = ("region_status", "list_reconciliation", "contract_findings")
# Benefits of the social insurance fund; the State Corporation pays them, too.
_FUND = "('capacity_loss_payment', 'child_carer_allowance')"
_NATIONAL = {
    "region_status": "select * from run.marts.region_status order by region_kato",
    "list_reconciliation": (
        "select * from run.marts.list_reconciliation order by list_month, region_kato"
    ),
    "cells": "select * exclude (listed_on) from cells",
    "lists": "select * from lists",
    "places": "select * from places where kato = region_kato",
    "deadlines": (
        "select region_kato, case_kind, step, paragraph, status, count(*) as cases"
        " from deadlines group by all order by all"
    ),
}
_PLACES = {"places": "select * from places where kato = region_kato"}
_OF_BODY: Mapping[str, Mapping[str, str]] = {
    "state_corporation": {
        "payouts": "select * from payouts",
        "terms": (
            "select terms.* from terms semi join payouts on terms.iin = payouts.iin"
            " where outcome = 'extended'"
        ),
    },
    "mse": {
        "terms": "select * from terms",
        "queue": "select * from queue",
        "examinations": "select * from examinations",
    },
    "employment": {
        "jobseekers": "select * from jobseekers",
        "findings": "select * from case_findings where case_kind = 'jobseeker'",
    },
    "fund": {"payouts": f"select * from payouts where benefit in {_FUND}"},
}
_OF_ENGINEER = {
    "run": "select * from run.marts.run",
    "registries": "select * from registries",
    "quarantine": "select * from quarantine",
    "rejected": (
        "select entity, file, row_number, reason from run.marts.quarantine order by all"
    ),
}


@dataclass(frozen=True)
class RoleFile:
    """A file to write: its name without suffix, and its tables, name to SQL."""

    name: str
    tables: Mapping[str, str]


def region_file(region_kato: str) -> str:
    """Return the name of a region's file, without its suffix."""
    return f"{REGION}-{region_kato}"


def body_file(body: str) -> str:
    """Return the name of a body's file, without its suffix."""
    return f"body-{body}"


def key_of_file(name: str) -> str:
    """Return the key of a role's file: a region's is that of its packs.

    Raises:
        UsageError: KOMEK_KEY is not set or too short.
    """
    return database.key_of(name.removeprefix(f"{REGION}-"))


def has_role_files(folder: Path, regions: Iterable[str]) -> bool:
    """Say whether a publication's folder has the files of its regions and bodies."""
    names = [MINISTRY, ENGINEER, *map(body_file, BODIES), *map(region_file, regions)]
    return all((folder / FOLDER / f"{name}.duckdb").is_file() for name in names)


def write_role_files(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    publication: str,
    run: FinishedRun,
) -> None:
    """Write the file of every role into `roles/` of a publication's folder.

    Args:
        connection: of the working file of `listed_rows.gathered`.
        folder: of the publication being built.
        publication: its name.
        run: what the run says of itself.

    Raises:
        OSError, duckdb.Error: a file cannot be written.
    """
    target = folder / FOLDER
    target.mkdir()
    _gather(connection)
    said = _publication_sql(publication, run)
    files = [
        *(_of_region(kato, said) for kato in _regions(connection)),
        RoleFile(MINISTRY, _NATIONAL | {"publication": said}),
        RoleFile(ENGINEER, _OF_ENGINEER | {"publication": said}),
        *(
            RoleFile(
                body_file(body), {**_OF_BODY[body], **_PLACES, "publication": said}
            )
            for body in BODIES
        ),
    ]
    side_by_side(connection, partial(_write, target), files)


def _gather(connection: duckdb.DuckDBPyConnection) -> None:
    """Join what several files are cut from."""
    text = Path(__file__).with_name("role_tables.sql").read_text(encoding="utf-8")
    filled = text.format(
        rows_per_file=ROWS_PER_FILE,
        name_letters=NAME_LETTERS,
        beginnings=replaced(TEXTS, lambda name: f"left({name}, {TEXTS[name]})"),
    )
    for statement in filled.split(";\n"):
        connection.execute(statement)


def _regions(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select region_kato from run.marts.region_status"
        " union select region_kato from lists order by all"
    ).fetchall()
    return [kato for (kato,) in found if kato and _KATO.fullmatch(kato)]


def _of_region(kato: str, publication: str) -> RoleFile:
    """Return a region's file: its rows of each table, and its people."""
    own = f"where region_kato = {text_literal(kato)}"
    tables = {name: f"select * from {name} {own}" for name in _REGIONAL}
    tables |= {
        name: f"select * from run.marts.{name} {own} order by all"
        for name in _REGION_MARTS
    }
    first = f"(select min(place) from recipients {own})"
    tables["recipients"] = (
        f"select * replace (place - {first} + 1 as place) from recipients {own}"
        " order by place"
    )
    tables["people"] = f"select iin from region_people {own} order by iin"
    tables["places"] = (
        f"select * from places {own} and (kato = region_kato or kato = district_kato)"
        " order by kato"
    )
    tables["contracts"] = (
        "select contract_id, supplier_bin, signed_on, set_cost, sets_total"
        f" from run.facts.supply_contracts {own} order by contract_id"
    )
    tables["publication"] = publication
    return RoleFile(region_file(kato), tables)


def _publication_sql(name: str, run: FinishedRun) -> str:
    month = f"date '{run.list_month}'" if run.list_month else "null::date"
    return (
        f"select {text_literal(name)} as publication, {text_literal(run.run_id)} as"
        f" run_id, date '{run.as_of}' as as_of, date '{run.known_at}' as known_at,"
        f" {month} as list_month"
    )


def _write(folder: Path, connection: duckdb.DuckDBPyConnection, file: RoleFile) -> None:
    key = key_of_file(file.name) if database.encrypts() else None
    path = folder / f"{file.name}.duckdb"
    database.attach(connection, path, file.name, read_only=False, key=key)
    try:
        # Written out once, not after every table.
        connection.execute("begin")
        for name, sql in file.tables.items():
            connection.execute(f"create table {quoted(file.name)}.{name} as {sql}")
        connection.execute("commit")
    finally:
        connection.execute(f"detach {quoted(file.name)}")
    database.fold_log(path, key)
