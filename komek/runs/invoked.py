"""dbt called in this process, for one run."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from komek.base.settings import environment
from komek.runs.failures import raise_failure
from komek.runs.parsed import options, parsed
from komek.runs.run import DUCKDB, Run, blocked, taken

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult


def invoke(
    run: Run,
    name: str,
    command: Sequence[str],
    *,
    writes_json: bool = False,
    elsewhere: Mapping[str, str] | None = None,
) -> None:
    """Call dbt on the run's own file, and keep its results as `run_results_<name>`.

    Args:
        run: the run.
        name: what is built.
        command: dbt's, with its arguments.
        writes_json: write the manifest, too: megabytes of it.
        elsewhere: what another engine has decided: of each model the SQL to read it by.

    Raises:
        StoppedError: a model ended the run, or a test failed.
        KomekError: dbt could not build a model.
        UnwritableError, OSError: a file cannot be written.
    """
    from dbt.adapters.duckdb.connections import (  # noqa: PLC0415
        DuckDBConnectionManager,
    )
    from dbt.artifacts.schemas.run import RunExecutionResult  # noqa: PLC0415

    written = run.folder / "dbt"
    try:
        given = [*command, *([] if writes_json else ["--no-write-json"])]
        outcome = call(run, given, written, DUCKDB, _environment(run), elsewhere)
        if isinstance(outcome.result, RunExecutionResult):
            outcome.result.write(str(written / f"run_results_{name}.json"))
        raise_failure(outcome)
    finally:
        DuckDBConnectionManager.close_all_connections()


def call(
    run: Run,
    command: Sequence[str],
    written: Path,
    engine: str,
    surroundings: AbstractContextManager[object] | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> "dbtRunnerResult":
    """Call dbt for an engine; return what it says.

    Args:
        run: whose days, policies and identity it gets.
        command: dbt's, with its arguments.
        written: the folder for what it writes.
        engine: which.
        surroundings: what holds while it works, but not while it parses.
        elsewhere: of each model that is decided already the SQL to read it by.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    variables = _variables(run) | {"elsewhere": dict(elsewhere or {})}
    arguments = [
        *command,
        *options(engine),
        "--target-path",
        str(written),
        "--vars",
        json.dumps(variables),
    ]
    with _silent():
        manifest = parsed(written, engine)
        with surroundings or nullcontext():
            return dbtRunner(manifest=manifest).invoke(arguments)


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
