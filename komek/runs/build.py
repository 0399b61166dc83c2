"""dbt, in process: one build per layer, on the run's own file."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from komek.base import database, places
from komek.base.settings import environment
from komek.runs.failures import raise_failure
from komek.runs.parsed import options, parsed
from komek.runs.run import Run, blocked, taken

LAYERS = ("staging", "facts", "law", "marts")
# Where a run's reports keep what dbt says of it.
ARTIFACTS = "dbt"


def layer(
    run: Run, layer: str, law_tables: Path | None = None, *, docs: bool = True
) -> None:
    """Build one layer of the run: `staging`, `facts`, `law` or `marts`.

    The law tables and the tests on them come with `facts`, the first layer that reads
    them.

    Args:
        run: the run, laid out and built up to the layer before.
        layer: which.
        law_tables: the file of a run whose law tables it reads in place of today's.
        docs: write the documentation with the last layer.

    Raises:
        StoppedError: a model ended the run (a value of law is missing), or a test on
            the law tables failed.
        KomekError: dbt could not build a model.
        UnwritableError, OSError: a file cannot be written.
    """
    if layer == "facts":
        _invoke(
            run,
            "seeds",
            [
                "build",
                "--select",
                "path:seeds",
                "--resource-type",
                "seed",
                "--resource-type",
                "test",
            ],
        )
        if law_tables:
            _read_law_of(run, law_tables)
    _invoke(run, layer, ["run", "--select", f"path:models/{layer}"])
    if docs and layer == LAYERS[-1]:
        _invoke(run, "docs", ["docs", "generate", "--static", "--no-compile"])


def anew(run: Run, model: str) -> None:
    """Build a model and all that rests on it once more.

    Raises:
        KomekError: dbt could not build a model.
        UnwritableError, OSError: a file cannot be written.
    """
    _invoke(run, f"{model}_anew", ["run", "--select", f"{model}+"])


def artifacts(run: Run) -> list[Path]:
    """Return what dbt left of the run: its manifest, results and browsable docs."""
    folder = run.folder / "dbt"
    names = ("manifest.json", "catalog.json", "static_index.html")
    return [
        *(folder / name for name in names if (folder / name).exists()),
        *sorted(folder.glob("run_results_*.json")),
    ]


def _read_law_of(run: Run, other: Path) -> None:
    """Put the law tables of another run in place of today's.

    One that has no such table, or other columns, was computed by other code: what it
    cannot give stays today's.
    """
    columns = (
        "select column_name, data_type from information_schema.columns"
        " where (table_catalog, table_schema, table_name) = (?, 'law', ?)"
        " order by ordinal_position"
    )
    with database.connect(run.file) as connection:
        database.attach(connection, other, "other")
        for table in sorted(path.stem for path in places.LAW_SEEDS.glob("*.csv")):
            ours, theirs = (
                connection.execute(columns, [catalog, table]).fetchall()
                for catalog in (run.file.stem, "other")
            )
            if ours == theirs:
                connection.execute(f"delete from law.{table}")
                connection.execute(
                    f"insert into law.{table} select * from other.law.{table}"
                )


def _invoke(run: Run, layer: str, command: list[str]) -> None:
    from dbt.adapters.duckdb.connections import (  # noqa: PLC0415
        DuckDBConnectionManager,
    )
    from dbt.artifacts.schemas.run import RunExecutionResult  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    written = run.folder / "dbt"
    arguments = [
        *command,
        # The manifest, megabytes of it, is written once: with the last layer.
        *([] if layer in (LAYERS[-1], "docs") else ["--no-write-json"]),
        *options(),
        "--target-path",
        str(written),
        "--vars",
        json.dumps(_variables(run)),
    ]
    try:
        with _silent():
            manifest = parsed(written)
            with _environment(run):
                outcome = dbtRunner(manifest=manifest).invoke(arguments)
        if isinstance(outcome.result, RunExecutionResult):
            outcome.result.write(str(written / f"run_results_{layer}.json"))
        raise_failure(outcome)
    finally:
        DuckDBConnectionManager.close_all_connections()


def _variables(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "as_of": run.request.as_of.isoformat(),
        "known_at": run.request.known_at.isoformat(),
        "policy_overrides": dict(run.request.policy_overrides),
        "policies": run.policies,
        "blocked_regions": blocked(run),
        "taken": taken(run),
        "code_version": run.code_version,
        "law_sha256": run.law_sha256,
        "started_at": f"{run.started_at:%Y-%m-%d %H:%M:%S}",
    }


@contextmanager
def _environment(run: Run) -> Iterator[None]:
    """Tell dbt where the run's file is, as its profile asks for it.

    dbt takes the path for a URL, and names the database after what it understands: `?`
    and `#` in the path of a home are more than that. So it gets a plain path that leads
    to the run's folder.
    """
    with tempfile.TemporaryDirectory(prefix="komek-") as plain:
        link = Path(plain, "run")
        link.symlink_to(run.folder.absolute())
        variables = {
            "KOMEK_RUN_FILE": str(link / run.file.name),
            "DO_NOT_TRACK": "1",
        }
        with environment(variables):
            yield


@contextmanager
def _silent() -> Iterator[None]:
    """Let dbt make no words of what it does: nobody reads them, and they take a sixth.

    What fails is in its results.
    """
    from dbt_common.events import event_manager_client  # noqa: PLC0415
    from dbt_common.events.event_manager import EventManager  # noqa: PLC0415

    class Silent(EventManager):
        def fire_event(self, *_: object, **__: object) -> None:
            """Say nothing."""

    before = event_manager_client.get_event_manager()
    event_manager_client.ctx_set_event_manager(Silent())
    try:
        yield
    finally:
        event_manager_client.ctx_set_event_manager(before)
