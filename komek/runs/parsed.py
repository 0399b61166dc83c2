"""The dbt project as dbt parsed it: once per process, and kept for the next.

Parsing takes seconds and gives the same for every run: what a run is comes in when a
model compiles. So dbt's own parse of one state of the project is kept, under the hash
of that state, where dbt keeps such things (`target/` in the project), or beside the run
where the project cannot be written; dbt leaves it unread where it is by another dbt, or
damaged.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, cast

from komek.base import places
from komek.base.files import files_sha256
from komek.runs.failures import raise_failure
from komek.runs.run import DUCKDB

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# What dbt parsed last, by the hash of the project, the engine, and whether from nothing
# but the project: one process may build many runs.
_parsed: dict[tuple[str, str, bool], "Manifest"] = {}
_from_nothing = ContextVar("from_nothing", default=False)


def parsed(beside: Path, engine: str = DUCKDB) -> "Manifest":
    """Return what dbt makes of the project.

    Args:
        beside: a folder for the parse where the project cannot be written.
        engine: whose; the profile has a target of that name.

    Raises:
        KomekError: dbt cannot read it.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  (it takes seconds)

    project = project_sha256()
    key = project, engine, _from_nothing.get()
    if key not in _parsed:
        folder = str(kept_in(engine) or beside)
        result = dbtRunner().invoke(
            ["parse", "--no-write-json", *options(engine), "--target-path", folder]
        )
        raise_failure(result)
        for known in [known for known in _parsed if known[0] != project]:
            del _parsed[known]
        _parsed[key] = cast("Manifest", result.result)
    return _parsed[key]


def options(engine: str = DUCKDB) -> list[str]:
    """Return where the project and its profiles are; nobody reads what dbt says."""
    return [
        "--target",
        engine,
        "--project-dir",
        str(places.DBT_PROJECT),
        "--profiles-dir",
        str(places.DBT_PROJECT),
        "--log-level",
        "none",
        "--log-level-file",
        "none",
        "--no-print",
        "--quiet",
    ]


def project_sha256() -> str:
    """Return a hash of what dbt parses."""
    files = (path for path in places.DBT_PROJECT.rglob("*") if path.is_file())
    written = places.DBT_PROJECT / "target", places.DBT_PROJECT / "logs"
    sources = (f for f in files if not any(map(f.is_relative_to, written)))
    return files_sha256(sources, places.DBT_PROJECT)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Take nothing that was kept, and keep nothing: read the project itself.

    Whoever changed what is kept must not get into what is computed to find changes.
    """
    token = _from_nothing.set(True)
    try:
        yield
    finally:
        _from_nothing.reset(token)


def kept_in(engine: str = DUCKDB) -> Path | None:
    """Return the folder for what is the same for every run of a state of the project.

    None where it cannot be written, or nothing is to be kept.
    """
    if _from_nothing.get():
        return None
    name = f"parsed-{engine}-{project_sha256()[:16]}"
    folder = places.DBT_PROJECT / "target" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
