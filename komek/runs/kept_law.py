"""The law tables, loaded and tested once for a state of the project.

They are the same for every run: what dbt made of them, and what it said of the tests on
them, is kept where its parse of that state is (parsed.py), and copied by the next run.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb

from komek.base import database, places
from komek.runs.parsed import kept_in
from komek.runs.run import Run

_RESULTS = "run_results_seeds.json"
_TABLES = "law.duckdb"


def lay_law(run: Run, build: Callable[[], None]) -> None:
    """Put the law tables into a run's file, with dbt's results of the tests on them.

    Args:
        run: the run.
        build: has dbt load and test them; called where nothing is kept, or what is kept
            cannot be read.

    Raises:
        UsageError: KOMEK_KEY does not open the run's file.
        UnwritableError, OSError, duckdb.Error: a file cannot be written.
    """
    kept = _kept(run)
    if kept and _copied(run, kept):
        return
    build()
    if kept:
        # Who cannot keep them loads them anew the next time.
        with suppress(OSError, duckdb.Error):
            _keep(run, kept)


def _kept(run: Run) -> Path | None:
    """Return the folder for them: the tests read the calendar of the run, too."""
    folder = kept_in()
    return folder / f"law-{run.inputs.calendar.sha256[:16]}" if folder else None


def _tables() -> list[str]:
    return sorted(path.stem for path in places.LAW_SEEDS.glob("*.csv"))


def _copied(run: Run, kept: Path) -> bool:
    """Say whether what is kept could be copied."""
    if not kept.is_dir():
        return False
    try:
        written = run.folder / "dbt"
        written.mkdir(exist_ok=True)
        shutil.copyfile(kept / _RESULTS, written / _RESULTS)
        with database.connect(run.file) as connection:
            database.attach(connection, kept / _TABLES, "kept", secret=False)
            connection.execute("begin")
            connection.execute("create schema if not exists law")
            for table in _tables():
                connection.execute(
                    f"create or replace table law.{table} as from kept.{table}"
                )
            connection.execute("commit")
    except (OSError, duckdb.Error):
        shutil.rmtree(kept, ignore_errors=True)
        return False
    return True


def _keep(run: Run, kept: Path) -> None:
    """Keep them, whole or not at all; another run may be doing the same."""
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        draft = Path(folder, kept.name)
        draft.mkdir()
        shutil.copyfile(run.folder / "dbt" / _RESULTS, draft / _RESULTS)
        with database.connect(run.file, read_only=True) as connection:
            # The law is no secret.
            database.attach(
                connection, draft / _TABLES, "kept", read_only=False, secret=False
            )
            for table in _tables():
                connection.execute(f"create table kept.{table} as from law.{table}")
            connection.execute("detach kept")
        draft.rename(kept)
