"""OpenLineage events of a run, from dbt's and Great Expectations' own artifacts.

One job per model, under the job of the whole run; datasets are the relations of the run
and the snapshots it read. They go to `reports/<run_id>/openlineage.jsonl`, and to an
HTTP collector too where OPENLINEAGE_URL names one. Names and counts only: no value of a
register is in them.

A run begins with START and ends with COMPLETE, FAIL (a check or an error stopped it) or
ABORT (it was interrupted, or a person did not approve): START alone is of a run that is
at work, or was killed. Each attempt at a run is a run of its own to a collector. One
that found no inputs has no id yet: its events are in `reports/openlineage.jsonl`.
A collector that is down is no reason to keep people waiting: it is said, and no more.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client import OpenLineageClient, event_v2, set_producer
from openlineage.client.generated import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    error_message_run,
    parent_run,
    schema_dataset,
)
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import HttpConfig, HttpTransport

from komek import __version__
from komek.base import database
from komek.base.places import Home
from komek.base.say import Say
from komek.base.settings import settings
from komek.runs.run import Request, Run
from komek.trust import columns

NAMESPACE = "komek"
JOB = "eligibility"
PRODUCER = f"https://pypi.org/project/komek/{__version__}"


set_producer(PRODUCER)


def events_path(report: Path) -> Path:
    """Return where the events of a run are kept, or of those without inputs."""
    return report / "openlineage.jsonl"


def started(run: Run, say: Say) -> None:
    """Tell that a run has started; `say` takes a warning where that fails."""
    path = events_path(run.home.report(run.run_id))
    _keep(path, _kept(path), [_start(run)], say)
    _send([_start(run)], say)


def ended(run: Run, reason: str | None, say: Say) -> None:
    """Tell that a run has ended before its time, unless it has completed.

    Args:
        run: the run.
        reason: what stopped it, without personal data; None: it was interrupted.
        say: takes a warning where that fails.
    """
    path = events_path(run.home.report(run.run_id))
    before = _kept(path)
    if _attempt(run).runId not in _completed(before.values()):
        event = _end(_attempt(run), reason, _snapshots(run))
        _keep(path, before, [event], say)
        _send([event], say)


def refused(home: Home, request: Request, reason: str, say: Say) -> None:
    """Tell of a run that found no inputs.

    Args:
        home: where it would have been built.
        request: what was asked.
        reason: what stopped it, without personal data.
        say: takes a warning where that fails.
    """
    now = datetime.now(UTC)
    attempt = _run_named(f"{request.as_of}/{request.known_at}/{now.isoformat()}")
    start = event_v2.RunEvent(
        eventTime=_instant(now),
        eventType=event_v2.RunState.START,
        run=attempt,
        job=event_v2.Job(NAMESPACE, JOB),
    )
    events = [start, _end(attempt, reason, [])]
    path = events_path(home.reports)
    _keep(path, _kept(path), events, say)
    _send(events, say)


def completed(run: Run, run_file: Path, artifacts: Path, say: Say) -> None:
    """Tell all of a finished run; what an earlier success left is replaced.

    Args:
        run: the run, which has started.
        run_file: its finished DuckDB file.
        artifacts: folder of dbt's manifest.json and run_results_<layer>.json.
        say: takes a warning where that fails.
    """
    path = events_path(run.home.report(run.run_id))
    kept = _kept(path)
    others = {*_completed(kept.values()), _attempt(run).runId}
    failures = {
        line: event
        for line, event in kept.items()
        if event["job"]["name"] == JOB and event["run"]["runId"] not in others
    }
    events = list(_events(run, run_file, artifacts))
    _keep(path, failures, [_start(run), *events], say)
    _send(events, say)


# Keeping and sending


def _kept(path: Path) -> dict[bytes, dict[str, Any]]:
    """Return the events that are kept so far, by their lines; none that is damaged."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError:
        return {}
    found = {}
    for line in lines:
        with suppress(ValueError):
            found[line] = json.loads(line)
    return found


def _completed(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the runs, as a collector knows them, of which there is a COMPLETE."""
    complete = event_v2.RunState.COMPLETE.value
    return {e["run"]["runId"] for e in events if e["eventType"] == complete}


def _keep(
    path: Path, before: Iterable[bytes], events: list[event_v2.RunEvent], say: Say
) -> None:
    """Write events behind the lines before: all, or the file stays as it was."""
    partial = path.with_suffix(".partial")
    to_file = OpenLineageClient(
        transport=FileTransport(FileConfig(log_file_path=str(partial), append=True))
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(b"".join(before))
        for event in events:
            to_file.emit(event)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        # The transport's word for a file that cannot be written is a RuntimeError.
        reason = error.__cause__ or error
        say(f"warning: cannot write {path}: {type(reason).__name__}")


def _send(events: list[event_v2.RunEvent], say: Say) -> None:
    """Send events where a collector is configured; after a few tries, leave it."""
    url = settings().collector
    if not url:
        return
    try:
        collector = OpenLineageClient(
            transport=HttpTransport(
                HttpConfig.from_dict({"url": url, "retry": {"total": 2}})
            )
        )
        for event in events:
            collector.emit(event)
    except Exception as error:
        kind = type(error).__name__
        say(f"warning: the lineage collector at {url} refused an event: {kind}")


# The events


def _run_named(name: str) -> event_v2.Run:
    return event_v2.Run(str(uuid5(NAMESPACE_URL, f"komek/{name}")))


def _attempt(run: Run, of: str = "") -> event_v2.Run:
    """Return a run, or a model's part `of` it, as this attempt at it is called."""
    return _run_named(f"{run.run_id}/{run.started_at.isoformat()}/{of}")


def _start(run: Run) -> event_v2.RunEvent:
    return event_v2.RunEvent(
        eventTime=_instant(run.started_at),
        eventType=event_v2.RunState.START,
        run=_attempt(run),
        job=event_v2.Job(NAMESPACE, JOB),
        inputs=_snapshots(run),
    )


def _end(
    attempt: event_v2.Run, reason: str | None, inputs: list[event_v2.InputDataset]
) -> event_v2.RunEvent:
    state = event_v2.RunState.ABORT
    if reason is not None:
        state = event_v2.RunState.FAIL
        said = error_message_run.ErrorMessageRunFacet(reason, "Python")
        attempt = event_v2.Run(attempt.runId, {"errorMessage": said})
    return event_v2.RunEvent(
        eventTime=_instant(datetime.now(UTC)),
        eventType=state,
        run=attempt,
        job=event_v2.Job(NAMESPACE, JOB),
        inputs=inputs,
    )


def _events(run: Run, run_file: Path, artifacts: Path) -> Iterator[event_v2.RunEvent]:
    """Yield what follows START: the models, then COMPLETE."""
    manifest_path = artifacts / "manifest.json"
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    schema = _schema(run_file)
    lineage = columns.of_models(run.home, run.code_version, manifest_path, schema)
    assertions = _assertions(run.home.report(run.run_id) / "validation")
    names = {
        node["unique_id"]: f"{node['schema']}.{node['name']}"
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
    }
    for result in _results(artifacts):
        node = manifest["nodes"].get(result["unique_id"])
        if node is None or node["resource_type"] not in ("model", "seed"):
            continue
        yield from _model_events(
            run,
            names[node["unique_id"]],
            [names[parent] for parent in node["depends_on"].get("nodes", ())],
            result,
            schema,
            lineage,
            assertions,
        )
    yield event_v2.RunEvent(
        eventTime=_instant(datetime.now(UTC)),
        eventType=event_v2.RunState.COMPLETE,
        run=_attempt(run),
        job=event_v2.Job(NAMESPACE, JOB),
        inputs=_snapshots(run),
        outputs=[
            event_v2.OutputDataset(NAMESPACE, f"marts.{table}")
            for table in sorted(schema["marts"])
        ],
    )


def _model_events(
    run: Run,
    name: str,
    parents: list[str],
    result: Mapping[str, Any],
    schema: columns.Schema,
    lineage: columns.Lineage,
    assertions: Mapping[str, list[Any]],
) -> Iterator[event_v2.RunEvent]:
    timing = {part["name"]: part for part in result["timing"]}
    parent = parent_run.ParentRunFacet(
        run=parent_run.Run(_attempt(run).runId), job=parent_run.Job(NAMESPACE, JOB)
    )
    own = event_v2.Run(_attempt(run, name).runId, {"parent": parent})
    job = event_v2.Job(NAMESPACE, f"{JOB}.{name}")
    inputs = [
        event_v2.InputDataset(
            NAMESPACE, parent, inputFacets=_asserted(assertions.get(parent))
        )
        for parent in parents
    ]
    table_schema, table = name.split(".")
    facets: dict[str, Any] = {
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[
                schema_dataset.SchemaDatasetFacetFields(column, data_type)
                for column, data_type in schema[table_schema].get(table, {}).items()
            ]
        )
    }
    if made_of := lineage.get(name):
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={
                column: column_lineage_dataset.Fields(
                    inputFields=[
                        column_lineage_dataset.InputField(NAMESPACE, source, field)
                        for source, field in sources
                    ]
                )
                for column, sources in made_of.items()
            }
        )
    facets |= _asserted(assertions.get(name))
    started = timing.get("execute", {}).get("started_at")
    completed = timing.get("execute", {}).get("completed_at")
    for state, when, outputs in (
        (event_v2.RunState.START, started, []),
        (
            event_v2.RunState.COMPLETE,
            completed,
            [event_v2.OutputDataset(NAMESPACE, name, facets=facets)],
        ),
    ):
        yield event_v2.RunEvent(
            eventTime=when or _instant(run.started_at),
            eventType=state,
            run=own,
            job=job,
            inputs=inputs,
            outputs=outputs,
        )


def _schema(run_file: Path) -> dict[str, dict[str, dict[str, str]]]:
    with database.connect(run_file, read_only=True) as connection:
        rows = connection.execute(
            "select table_schema, table_name, column_name, data_type"
            " from information_schema.columns order by all"
        ).fetchall()
    found: dict[str, dict[str, dict[str, str]]] = {}
    for table_schema, table, column, data_type in rows:
        found.setdefault(table_schema, {}).setdefault(table, {})[column] = data_type
    return found


def _results(artifacts: Path) -> Iterator[dict[str, Any]]:
    for layer in ("seeds", "staging", "facts", "law", "marts"):
        path = artifacts / f"run_results_{layer}.json"
        if path.exists():
            yield from json.loads(path.read_text(encoding="utf-8"))["results"]


def _snapshots(run: Run) -> list[event_v2.InputDataset]:
    return [
        event_v2.InputDataset(NAMESPACE, f"registry.{given.entity}")
        for given in run.inputs.all
    ]


def _assertions(validation: Path) -> dict[str, list[Any]]:
    """Return what was asserted of each relation, and whether it held."""
    found: dict[str, list[Any]] = {}
    for stage in ("door", "result"):
        path = validation / f"{stage}.json"
        if not path.exists():
            continue
        for result in json.loads(path.read_text(encoding="utf-8"))["results"]:
            found.setdefault(result["meta"]["table"], []).append(
                data_quality_assertions_dataset.Assertion(
                    assertion=result["name"],
                    success=result["success"],
                    severity="error" if result["severity"] == "critical" else "warn",
                )
            )
    return found


def _asserted(assertions: list[Any] | None) -> dict[str, Any]:
    if not assertions:
        return {}
    facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet
    return {"dataQualityAssertions": facet(assertions=assertions)}


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()
