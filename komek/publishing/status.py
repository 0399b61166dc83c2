"""What `komek status` tells: what is published, what is blocked, how fresh it is."""

from dataclasses import asdict
from datetime import date
from typing import Any

import duckdb

from komek.base import database, registries
from komek.base.errors import KomekError
from komek.base.messages import harmless
from komek.base.places import Home
from komek.landing.snapshots import newest_snapshots
from komek.publishing.listed import ListOfMonth, has_lists, lists_by_region
from komek.publishing.publication import (
    WAREHOUSE,
    FinishedRun,
    Publication,
    current_publication,
    read_run,
)

# Of a list: the people it added, those whose right ended, what came of their first sets.
_COUNTED = ("listed", "ended", "delivered", "failed", "returned", "outstanding")


def status(home: Home) -> dict[str, Any]:
    """Return the state of a home as plain values (dates ISO, amounts as text, tenge).

    Returns:
        `published`: the publication that holds now with a row per region and, of every
        month, one per list and region as listed, or None;
        `runs`: the finished runs by as_of, known_at and id;
        `registries`: per entity its newest landed snapshot, aged (days) on the newest
        known_at of any run, never on the clock.

    Raises:
        KomekError: what is published cannot be read.
    """
    runs = _runs(home)
    known_at = max((run.known_at for run in runs.values() if run), default=None)
    publication = current_publication(home)
    return {
        "home": str(home.root),
        "published": _published(publication) if publication else None,
        "runs": [_run(run_id, run, publication) for run_id, run in runs.items()],
        "known_at": known_at.isoformat() if known_at else None,
        "registries": [
            _registry(home, entity, known_at) for entity in registries.entities()
        ],
    }


def _runs(home: Home) -> dict[str, FinishedRun | None]:
    """Return the finished runs in order; None for a file that cannot be read."""
    runs: dict[str, FinishedRun | None] = {}
    for run_id in home.run_ids():
        try:
            runs[run_id] = read_run(home.run_file(run_id))
        except (OSError, duckdb.Error):
            runs[run_id] = None

    def order(item: tuple[str, FinishedRun | None]) -> tuple[date, date, str]:
        run_id, run = item
        return (run.as_of, run.known_at, run_id) if run else (date.max,) * 2 + (run_id,)

    return dict(sorted(runs.items(), key=order))


def _run(
    run_id: str, run: FinishedRun | None, publication: Publication | None
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "readable": run is not None,
        "as_of": run.as_of.isoformat() if run else None,
        "known_at": run.known_at.isoformat() if run else None,
        "list_drawn": run.list_drawn if run else None,
        "published": publication is not None and publication.run.run_id == run_id,
    }


def _published(publication: Publication) -> dict[str, Any]:
    run = publication.run
    return {
        "publication": publication.name,
        "run_id": run.run_id,
        "official": publication.official,
        "as_of": run.as_of.isoformat(),
        "known_at": run.known_at.isoformat(),
        "list_month": run.list_month.isoformat() if run.list_month else None,
        **_counted(publication),
    }


def _counted(publication: Publication) -> dict[str, list[dict[str, Any]]]:
    """Return the regions and the lists of what is published."""
    warehouse = publication.folder / WAREHOUSE
    try:
        with database.connect(warehouse, read_only=True) as connection:
            lists = lists_by_region(connection) if has_lists(connection) else []
            return {
                "regions": _regions(connection, publication),
                "lists": [_list(one) for one in lists],
            }
    except (OSError, duckdb.Error) as error:
        raise KomekError(f"cannot read {warehouse}: {harmless(error)}") from error


def _list(one: ListOfMonth) -> dict[str, Any]:
    days = {"list_month": str(one.list_month), "listed_on": str(one.listed_on)}
    return asdict(one) | days


def _regions(
    connection: duckdb.DuckDBPyConnection, publication: Publication
) -> list[dict[str, Any]]:
    kept = {region.region_kato: region.kept_run for region in publication.blocked}
    rows = connection.execute(
        """
        select region_kato, recipients, amount_total, publication, blocked_by
        from marts.region_status
        order by region_kato
        """
    ).fetchall()
    return [
        {
            "region_kato": region,
            "recipients": recipients,
            "amount_total": str(amount),
            "publication": outcome,
            "blocked_by": blocked_by,
            "kept_run": kept.get(region),
        }
        for region, recipients, amount, outcome, blocked_by in rows
    ]


def _registry(
    home: Home, entity: registries.Entity, known_at: date | None
) -> dict[str, Any]:
    landed = newest_snapshots(home, entity.name)
    if not landed:
        return {"entity": entity.name, "snapshot_date": None}
    newest = landed[-1]
    age = (known_at - newest.snapshot_date).days if known_at else None
    return {
        "entity": entity.name,
        "snapshot_date": newest.snapshot_date.isoformat(),
        "revision": newest.revision,
        "rows": newest.rows,
        "age_days": age,
        "max_age_days": entity.tolerance.max_age_days,
        "stale": age is not None and age > entity.tolerance.max_age_days,
    }


def render(state: dict[str, Any]) -> str:
    """Return what `status` found as text for people."""
    sections = (
        _published_lines(state["published"]),
        _run_lines(state["runs"]),
        _registry_lines(state["registries"], state["known_at"]),
    )
    return "\n\n".join("\n".join(lines) for lines in sections)


def _published_lines(published: dict[str, Any] | None) -> list[str]:
    if published is None:
        return ["Published: nothing yet"]
    kind = "official" if published["official"] else "not official"
    head = (
        f"Published: run {published['run_id']} ({kind}), "
        f"as of {published['as_of']}, known at {published['known_at']}"
    )
    lists = [_list_line(one) for one in published["lists"]]
    if lists:
        title = f"  {'lists by region':<28}{'listed on':<11}"
        lists.insert(0, title + "".join(f"{name:>12}" for name in _COUNTED))
    if published["list_month"] is None:
        return [head, "  no list is drawn on that date", *lists]
    month = f"  list of {published['list_month'][:7]}"
    regions = [_region_line(region) for region in published["regions"]]
    return [head, month, *regions, *lists]


def _list_line(one: dict[str, Any]) -> str:
    name = f"{one['list_month'][:7]} {one['region_kato']} list {one['list_no']}"
    counts = "".join(f"{one[column]:>12,}" for column in _COUNTED)
    return f"  {name:<28}{one['listed_on']:<11}{counts}"


def _region_line(region: dict[str, Any]) -> str:
    line = (
        f"  {region['region_kato']:<11}{region['recipients']:>11,} recipients"
        f"{region['amount_total']:>18} tenge  {region['publication']}"
    )
    if region["publication"] == "blocked":
        line += f" by {region['blocked_by']}"
    if region["kept_run"]:
        line += f"; the pack of run {region['kept_run']} stands"
    return line


def _run_lines(runs: list[dict[str, Any]]) -> list[str]:
    if not runs:
        return ["Runs: none"]
    return ["Runs:", *(_run_line(run) for run in runs)]


def _run_line(run: dict[str, Any]) -> str:
    if not run["readable"]:
        return f"  {run['run_id']}  cannot be read"
    drawn = "list drawn" if run["list_drawn"] else "no list"
    mark = ", published" if run["published"] else ""
    return (
        f"  {run['run_id']}  as of {run['as_of']}, known at {run['known_at']}, "
        f"{drawn}{mark}"
    )


def _registry_lines(entries: list[dict[str, Any]], known_at: str | None) -> list[str]:
    aged = f" (age on {known_at})" if known_at else ""
    return [f"Registries{aged}:", *(_registry_line(entry) for entry in entries)]


def _registry_line(entry: dict[str, Any]) -> str:
    name = f"  {entry['entity']:<20}"
    if entry["snapshot_date"] is None:
        return f"{name}nothing landed"
    line = (
        f"{name}{entry['snapshot_date']}  revision {entry['revision']}"
        f"{entry['rows']:>13,} rows"
    )
    if entry["age_days"] is None:
        return line
    if entry["age_days"] < 0:
        return f"{line}  newer than any run"
    stale = f", older than {entry['max_age_days']}" if entry["stale"] else ""
    return f"{line}  {entry['age_days']} days{stale}"
