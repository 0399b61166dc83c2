"""The quality of registries: how fresh, how many rows, what was rejected and why."""

import csv
import json
from functools import lru_cache
from io import StringIO
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from komek.base import registries
from komek.base.places import Home
from komek.portal.accounts import Visitor
from komek.portal.api import national_quality, own_quality
from komek.portal.files import NotThereError
from komek.portal.language import owner_of
from komek.portal.site import Site, site_of
from komek.portal.web import Viewing, language_of, page
from komek.publishing.role_files import ENGINEER, region_file
from komek.publishing.status import status

router = APIRouter(include_in_schema=False)
Entity = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$")]
Run = Annotated[str, Path(pattern=r"^[0-9]{8}-[0-9a-f]{12}$")]
_STAGES = ("door", "result")
# The pages of other tools bring scripts and styles of their own: they run apart from
# the portal (no cookie, no form, no other host).
_DOCS_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; img-src 'self' data:;"
    " style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
    " 'unsafe-eval'; font-src 'self' data:; connect-src 'none'; frame-ancestors 'none'"
)


def _registries(site: Site, visitor: Visitor) -> tuple[list[dict[str, Any]], Any]:
    """Return the registries that a role sees, and the publication."""
    role = visitor.role
    if role.region:
        with site.files.of_region(role, role.region) as reader:
            return own_quality(reader), reader.publication
    with site.files.reading(role, ENGINEER) as reader:
        return national_quality(reader), reader.publication


@router.get("/quality")
def overview(request: Request, visitor: Viewing) -> Response:
    """Show every registry of the role's."""
    site = site_of(request)
    found, publication = _registries(site, visitor)
    values = {
        "registries": found,
        "owner_of": owner_of,
        "runs": _runs(site.home, visitor),
        "current": publication.run.run_id,
    }
    return page(request, "quality.html", values, publication=publication)


def _runs(home: Home, visitor: Visitor) -> list[dict[str, Any]]:
    """Return the finished runs with how their checks ended; a region sees none."""
    if visitor.role.region or not home.runs.is_dir():
        return []
    changed = home.runs.stat().st_mtime_ns, home.current.lstat().st_mtime_ns
    return _finished(home, *changed)


@lru_cache(maxsize=2)
def _finished(home: Home, *_changed: int) -> list[dict[str, Any]]:
    """Return the runs, the last first; a filed run does not change, nor its checks."""
    return [
        {**run, "checks": checks(home, run["run_id"])} for run in status(home)["runs"]
    ][::-1]


@lru_cache(maxsize=50)
def checks(home: Home, run_id: str) -> list[dict[str, Any]]:
    """Return the checks of a finished run, those that did not pass first."""
    found = []
    for stage in _STAGES:
        path = home.report(run_id) / "validation" / f"{stage}.json"
        try:
            results = json.loads(path.read_text(encoding="utf-8"))["results"]
        except (OSError, ValueError, KeyError):
            continue
        found += [{**result, "stage": stage} for result in results]
    return sorted(found, key=lambda one: one["verdict"] == "passed")


@router.get("/quality/runs/{run_id}")
def run(request: Request, run_id: Run, visitor: Viewing) -> Response:
    """Show the checks of a run."""
    site = site_of(request)
    _refuse_region(visitor)
    with site.files.reading(visitor.role, ENGINEER) as reader:
        publication = reader.publication
    if run_id not in site.home.run_ids():
        raise NotThereError
    values = {"run_id": run_id, "checks": checks(site.home, run_id)}
    return page(request, "checks.html", values, publication=publication)


def _refuse_region(visitor: Visitor) -> None:
    if not visitor.role.may_open(ENGINEER):
        raise NotThereError


@router.get("/quality/{entity}")
def registry(request: Request, entity: Entity, visitor: Viewing) -> Response:
    """Show what was rejected of a registry: how often, where, and what the fault is."""
    site = site_of(request)
    found, publication = _registries(site, visitor)
    one = next((each for each in found if each["entity"] == entity), None)
    if one is None:
        raise NotThereError
    values = {"registry": one, "owner": owner_of(entity)}
    return page(request, "registry.html", values, publication=publication)


@router.get("/quality/{entity}/returns.csv")
def returns(request: Request, entity: Entity, visitor: Viewing) -> Response:
    """Return each rejected row for the registry's owner: its place, and what is wrong.

    Nothing that stands in a row is in it: the owner has the file.
    """
    site, lang, role = site_of(request), language_of(request), visitor.role
    name, table = ENGINEER, "rejected"
    if role.region:
        name, table = region_file(role.region), "own_rejected"
    with site.files.reading(role, name) as reader:
        found = reader.rows(
            f"select file, row_number, reason from {table} where entity = ?"
            " order by all",
            [entity],
        )
    if entity not in {one.name for one in registries.entities()}:
        raise NotThereError
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    _ = lang.text
    writer.writerow([_("File"), _("Row"), _("Column"), _("Code"), _("Reason")])
    for row in found:
        column = row["reason"].partition(":")[2]
        said = lang.word("quarantine", row["reason"])
        writer.writerow([row["file"], row["row_number"], column, row["reason"], said])
    return Response(
        "\ufeff" + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="returns-{entity}.csv"'},
    )


# The pages of Great Expectations and of dbt


@router.get("/docs/{run_id}/{path:path}")
def docs(request: Request, run_id: Run, path: str, visitor: Viewing) -> Response:
    """Show a page of a run's checks, or dbt's own documentation."""
    site = site_of(request)
    _refuse_region(visitor)
    folder = site.home.report(run_id)
    wanted = folder / (
        "dbt/static_index.html" if path == "dbt" else f"data_docs/{path}"
    )
    if not _is_page(wanted, folder / "data_docs", folder / "dbt"):
        raise NotThereError
    return FileResponse(wanted, headers={"Content-Security-Policy": _DOCS_POLICY})


def _is_page(wanted: FilePath, *folders: FilePath) -> bool:
    """Say whether a file is below one of the folders, and made to be looked at."""
    try:
        real = wanted.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return False
    kinds = (".html", ".css", ".js", ".png", ".svg", ".woff", ".woff2", ".ico")
    return (
        real.is_file()
        and real.suffix in kinds
        and any(real.is_relative_to(folder.resolve()) for folder in folders)
    )
