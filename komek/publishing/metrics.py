"""The figures of the last run, as Prometheus reads them from a file.

`reports/metrics.prom` is written anew at the end of each run: for node_exporter's
textfile collector, or whatever else reads such files. Counts and sums by registry and
region, nothing of a person.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import duckdb
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from komek.base import database, registries
from komek.base.files import put
from komek.base.places import Home
from komek.base.say import Say
from komek.publishing.publication import current_publication
from komek.runs.refusals import refusals_of
from komek.runs.run import Run, durations

Ending = Literal["published", "filed", "stopped"]
_OUTCOMES: tuple[Ending, ...] = ("published", "filed", "stopped")


def metrics_path(home: Home) -> Path:
    """Return where the figures of a home are."""
    return home.reports / "metrics.prom"


def write_metrics(run: Run, run_file: Path, outcome: Ending, say: Say) -> None:
    """Write the figures of a run that has ended.

    Args:
        run: the run, its folder still there.
        run_file: its DuckDB file, as far as it was built.
        outcome: how it ended.
        say: takes a warning where they cannot be written: no run fails of that.
    """
    home = run.home
    found = CollectorRegistry()
    ended = _gauge(found, "run_ended_timestamp_seconds", "When the last run ended.")
    ended.set(datetime.now(UTC).timestamp())
    as_of = _gauge(found, "run_as_of_timestamp_seconds", "The day that it decides for.")
    as_of.set(_midnight(run.request.as_of.isoformat()))
    ways = _gauge(found, "run_outcome", "How it ended: 1 for one of them.", "outcome")
    for one in _OUTCOMES:
        ways.labels(one).set(one == outcome)
    _each(
        _gauge(found, "run_step_seconds", "How long each step took.", "step"),
        durations(run).items(),
    )
    _each(
        _gauge(found, "registry_refused", "What its last pull refused.", "entity"),
        ((e.name, len(refusals_of(home, e.name))) for e in registries.entities()),
    )
    publication = current_publication(home)
    if publication:
        published = _gauge(
            found, "published_as_of_timestamp_seconds", "The day that is published."
        )
        published.set(_midnight(publication.run.as_of.isoformat()))
    # A run may have stopped before these were built.
    with suppress(OSError, duckdb.Error):
        _of_registries(found, run_file)
        _of_regions(found, run_file)
    try:
        put(metrics_path(home), generate_latest(found))
    except OSError as error:
        say(f"warning: cannot write {metrics_path(home)}: {error.strerror}")


def _of_registries(found: CollectorRegistry, run_file: Path) -> None:
    rows = _read(
        run_file,
        "select entity, profile.rows_received,"
        " profile.rows_quarantined / nullif(profile.rows_received, 0),"
        " landed.age_days from staging.registry_profile as profile"
        " join landing.landed_snapshots as landed using (entity)",
    )
    received = _gauge(found, "registry_rows", "Rows received.", "entity")
    share = _gauge(
        found, "registry_quarantined_share", "Share of them in quarantine.", "entity"
    )
    age = _gauge(found, "registry_age_days", "Age of its snapshot.", "entity")
    for entity, count, quarantined, days in rows:
        received.labels(entity).set(count)
        share.labels(entity).set(quarantined or 0)
        age.labels(entity).set(days)


def _of_regions(found: CollectorRegistry, run_file: Path) -> None:
    rows = _read(
        run_file,
        "select region_kato, recipients, amount_total, publication = 'blocked'"
        " from marts.region_status",
    )
    recipients = _gauge(found, "list_recipients", "Recipients of a list.", "region")
    amount = _gauge(found, "list_tenge", "Sum of a list, tenge.", "region")
    blocked = _gauge(found, "region_blocked", "1 where a list is blocked.", "region")
    for region, people, tenge, is_blocked in rows:
        recipients.labels(region).set(people)
        amount.labels(region).set(float(tenge))
        blocked.labels(region).set(is_blocked)


def _read(run_file: Path, sql: str) -> list[tuple[str, int, float, int]]:
    with database.connect(run_file, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _gauge(found: CollectorRegistry, name: str, says: str, *labels: str) -> Gauge:
    return Gauge(f"komek_{name}", says, labels, registry=found)


def _each(gauge: Gauge, values: Iterable[tuple[str, float]]) -> None:
    for label, value in values:
        gauge.labels(label).set(value)


def _midnight(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
