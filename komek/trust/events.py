"""OpenLineage events of a run, from dbt's and Great Expectations' own artifacts.

One job per model, under the job of the whole run; datasets are the relations of the run
and the snapshots it read. They go to `reports/<run_id>/openlineage.jsonl`, and to an
HTTP collector too where OPENLINEAGE_URL names one. Names and counts only: no value of a
register is in them.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client import OpenLineageClient, event_v2, set_producer
from openlineage.client.generated import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import HttpConfig, HttpTransport

from komek import __version__
from komek.base import database
from komek.base.errors import KomekError
from komek.base.settings import settings
from komek.runs.run import Run
from komek.trust import columns

NAMESPACE = "komek"
JOB = "eligibility"
PRODUCER = f"https://pypi.org/project/komek/{__version__}"


set_producer(PRODUCER)


def events_path(report: Path) -> Path:
    """Return where a run's events are kept."""
    return report / "openlineage.jsonl"


def emit(run: Run, run_file: Path, artifacts: Path) -> None:
    """Write a finished run's events, and send them where a collector is configured.

    Args:
        run: the run.
        run_file: its finished DuckDB file.
        artifacts: folder of dbt's manifest.json and run_results_<layer>.json.

    Raises:
        KomekError: the configured collector does not take them.
        OSError: their file cannot be written.
    """
    report = run.home.report(run.run_id)
    events = list(_events(run, run_file, artifacts))
    path = events_path(report)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    to_file = OpenLineageClient(
        transport=FileTransport(FileConfig(log_file_path=str(partial), append=True))
    )
    try:
        for event in events:
            to_file.emit(event)
    except RuntimeError as error:
        # The transport's word for a file that cannot be written.
        raise error.__cause__ or error from None
    partial.replace(path)
    if url := settings().collector:
        collector = OpenLineageClient(
            transport=HttpTransport(
                HttpConfig.from_dict({"url": url, "retry": {"total": 2}})
            )
        )
        try:
            for event in events:
                collector.emit(event)
        except Exception as error:
            raise KomekError(
                f"the lineage collector at {url} refused an event:"
                f" {type(error).__name__}"
            ) from None


def _events(run: Run, run_file: Path, artifacts: Path) -> Iterator[event_v2.RunEvent]:
    manifest_path = artifacts / "manifest.json"
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    schema = _schema(run_file)
    lineage = columns.of_models(run.home, run.code_version, manifest_path, schema)
    assertions = _assertions(run.home.report(run.run_id) / "validation")
    whole = event_v2.Run(str(uuid5(NAMESPACE_URL, f"komek/{run.run_id}")))
    job = event_v2.Job(NAMESPACE, JOB)
    yield event_v2.RunEvent(
        eventTime=_instant(run.started_at),
        eventType=event_v2.RunState.START,
        run=whole,
        job=job,
        inputs=_snapshots(run),
    )
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
            whole,
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
        run=whole,
        job=job,
        inputs=_snapshots(run),
        outputs=[
            event_v2.OutputDataset(NAMESPACE, f"marts.{table}")
            for table in sorted(schema["marts"])
        ],
    )


def _model_events(
    run: Run,
    whole: event_v2.Run,
    name: str,
    parents: list[str],
    result: Mapping[str, Any],
    schema: columns.Schema,
    lineage: columns.Lineage,
    assertions: Mapping[str, list[Any]],
) -> Iterator[event_v2.RunEvent]:
    timing = {part["name"]: part for part in result["timing"]}
    parent = parent_run.ParentRunFacet(
        run=parent_run.Run(whole.runId), job=parent_run.Job(NAMESPACE, JOB)
    )
    own = event_v2.Run(
        str(uuid5(NAMESPACE_URL, f"komek/{run.run_id}/{name}")), {"parent": parent}
    )
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
