"""A day decided by other readings or figures of the law, held against one that was.

Computed in a scratch folder and gone afterwards: it is never filed and never published,
and waits for nobody who writes. What is read of the registries is that of the run it is
held against, where that took the same snapshots.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from komek.base import database, policies
from komek.base.errors import KomekError, UsageError
from komek.base.files import writing_to
from komek.base.messages import harmless
from komek.base.places import Home
from komek.base.say import Say, silent
from komek.checks.suites import result_suites
from komek.publishing.publication import current_publication
from komek.runs import build, filed, rerun
from komek.runs.inputs import (
    Inputs,
    inputs_from_json,
    inputs_of,
    newest_inputs,
    recorded_inputs,
)
from komek.runs.layout import begin
from komek.runs.run import Request, Run, note_blocked
from komek.runs.staged import take_staging
from komek.runs.version import code_version
from komek.simulate.parameters import law_tables
from komek.trust.kept import staged_before
from komek.trust.receipts import read_receipt

_NOT_FILED: Mapping[str, Any] = {"policy_overrides": {}}


@dataclass(frozen=True)
class _Base:
    """A filed run that a simulation stands on: its file, and what its receipt says."""

    run_id: str
    file: Path
    receipt: Mapping[str, Any]


def simulate(
    home: Home,
    as_of: date,
    policy_overrides: Mapping[str, str],
    parameters: Mapping[str, Decimal],
    against: str | None = None,
    say: Say = silent,
) -> dict[str, Any]:
    """Decide a day by other readings or figures of the law; change nothing.

    Args:
        home: whose registries and runs.
        as_of: the day.
        policy_overrides: policy name to value, of the simulation.
        parameters: parameter name to value, of the simulation.
        against: the filed run it is held against; None: the same day by the law as it
            stands, which is the published run where that decided the day.
        say: takes one line per part of the work, for people.

    Returns:
        Ready for JSON, amounts in tenge as text:

        - as_of, known_at, policies, parameters: of the simulation;
        - against: the run's id, as_of, and the policies set for it; run_id is None
          where it was computed for this;
        - figures: kind (country, region, district, ground), code, name, people_before,
          people_after, gained, lost, tenge_before, tenge_after of the food sets;
        - extensions: kind (asp_extensions, disability_extensions, payout_schedule),
          rows_before, rows_after, gained, lost, tenge_before, tenge_after;
        - regions: region_kato, blocked_before, blocked_after;
        - budget: before, after, change of the food sets.

    Raises:
        UsageError: there is no such run or parameter.
        StoppedError: a registry has no snapshot, or no value of law covers the day.
        KomekError: a run cannot be read or computed.
    """
    base = _base(home, against)
    try:
        with writing_to(home), rerun.scratch_home(home, "simulate") as scratch:
            request, inputs = _asked(home, base, as_of, policy_overrides)
            blocked = _blocked_by_checks(base.file) if base else {}
            before, staged = base, None
            if before is None or (against is None and not _is_the_day(before, as_of)):
                say("decide the day by the law as it stands ...")
                plain = Request(request.as_of, request.known_at, {})
                with _place(scratch, "before") as place:
                    run = _decided(home, place, plain, inputs, None, blocked, None)
                before, staged = _Base("", run.file, _NOT_FILED), run.file
                inputs = run.inputs
            say("decide it by what is simulated ...")
            tables = None
            if parameters:
                tables = scratch.root / "parameters.duckdb"
                known = str(request.as_of), str(request.known_at)
                law_tables(tables, before.file, parameters, known)
            with _place(scratch, "after") as place:
                after = _decided(home, place, request, inputs, staged, blocked, tables)
            return {
                "as_of": str(request.as_of),
                "known_at": str(request.known_at),
                "policies": dict(policy_overrides),
                "parameters": {name: str(value) for name, value in parameters.items()},
                "against": {
                    "run_id": before.run_id or None,
                    "as_of": before.receipt.get("as_of", str(request.as_of)),
                    "policies": dict(before.receipt["policy_overrides"]),
                },
                **_compared(scratch, before.file, after.file),
            }
    except duckdb.Error as error:
        raise KomekError(f"cannot simulate {as_of}: {harmless(error)}") from error


def _base(home: Home, against: str | None) -> _Base | None:
    """Return the filed run to stand on: the one named, else the published one."""
    if against is None:
        published = current_publication(home)
        if published is None:
            return None
        run_id = published.run.run_id
    else:
        run_id = against
    if run_id not in set(home.run_ids()):
        if against is None:
            return None
        raise UsageError(f"there is no run {run_id} in {home.root}")
    return _Base(run_id, home.run_file(run_id), read_receipt(home, run_id))


def _is_the_day(base: _Base, as_of: date) -> bool:
    """Say whether a run decided the day by the law as it stands, by today's code."""
    receipt = base.receipt
    return (
        receipt["as_of"] == str(as_of)
        and receipt["code_version"] == code_version()
        and receipt["law_sha256"] == policies.law_sha256()
        and not policies.deviates(receipt["policy_overrides"])
    )


def _asked(
    home: Home, base: _Base | None, as_of: date, overrides: Mapping[str, str]
) -> tuple[Request, Inputs | None]:
    """Return what is asked, and from which inputs: the base's own of the same day."""
    if base is None:
        return Request(as_of, as_of, overrides), None
    inputs = inputs_from_json(base.receipt["inputs"])
    if base.receipt["as_of"] == str(as_of):
        known_at = date.fromisoformat(base.receipt["known_at"])
        return Request(as_of, known_at, overrides), inputs
    _, calendar = recorded_inputs(home, inputs)
    newest = newest_inputs(home, as_of, as_of)
    found = inputs_of(home, newest, calendar, with_volume=False)
    return Request(as_of, as_of, overrides), found


@contextmanager
def _place(scratch: Home, name: str) -> Iterator[Home]:
    """Yield a home in a scratch home: two runs of one name may be built there."""
    place = Home(scratch.root / name)
    place.root.mkdir()
    place.landing.symlink_to(scratch.landing.resolve())
    yield place


def _decided(
    home: Home,
    place: Home,
    request: Request,
    inputs: Inputs | None,
    staged: Path | None,
    blocked: Mapping[str, str],
    tables: Path | None,
) -> Run:
    """Decide a day in a place of its own; staging is taken from a run before."""
    run = begin(place, request, inputs)
    if staged := staged or staged_before(home, run.inputs):
        take_staging(run, staged)
    note_blocked(run, blocked)
    for layer in build.LAYERS:
        build.layer(run, layer, tables, docs=False)
    filed.put_away(run.file)
    return run


def _blocked_by_checks(run_file: Path) -> dict[str, str]:
    """Return the regions that a run's own checks blocked: the law blocks anew."""
    checks = {
        expectation.name
        for suite in result_suites()
        for part in suite.parts
        for expectation in part.expectations
    }
    with database.connect(run_file, read_only=True) as run:
        rows = run.execute(
            "select region_kato, blocked_by from marts.region_status"
            " where blocked_by is not null order by region_kato"
        ).fetchall()
    return {region: check for region, check in rows if check in checks}


def _compared(scratch: Home, before: Path, after: Path) -> dict[str, Any]:
    """Return what differs between two runs' files, in figures."""
    with database.connect(scratch.root / "compared.duckdb") as connection:
        database.attach(connection, before, "before")
        database.attach(connection, after, "after")
        figures, extensions, regions = (
            _records(connection, name) for name in ("figures", "extensions", "regions")
        )
    country = next((row for row in figures if row["kind"] == "country"), None)
    was, will = (
        Decimal(country[f"tenge_{side}"] if country else 0)
        for side in ("before", "after")
    )
    return {
        "figures": figures,
        "extensions": extensions,
        "regions": regions,
        "budget": {"before": str(was), "after": str(will), "change": str(will - was)},
    }


def _records(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    sql = (Path(__file__).parent / f"{query}.sql").read_text(encoding="utf-8")
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [
        {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in cursor.fetchall()
    ]
