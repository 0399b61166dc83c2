"""The papers of a region: the files of its pack, and what is made of them."""

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from komek.portal.files import NotThereError, Reader
from komek.portal.region_pages import Kato, month_of, place_of
from komek.portal.site import site_of
from komek.portal.web import Viewing, page
from komek.publishing.pack_files import ENCRYPTED_FILES, FILES
from komek.publishing.packs import month_folder

router = APIRouter(prefix="/regions/{kato}", include_in_schema=False)


@router.get("/papers")
def papers(request: Request, kato: Kato, visitor: Viewing) -> Response:
    """Show what a region takes away: the files of its pack, and its papers."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        month = month_of(reader)
        publication = reader.publication
        values: dict[str, Any] = {
            "kato": kato,
            "place": place_of(reader, kato),
            "month": month,
        }
        folder = _pack(reader, kato)
    names = _names(folder) if folder else []
    values["files"] = [
        (name, (folder / name).stat().st_size) for name in names if folder
    ]
    return page(request, "papers.html", values, publication=publication)


def _pack(reader: Reader, kato: str) -> FilePath | None:
    """Return the folder of a region's pack, None where it has none."""
    month = month_of(reader)
    if month is None:
        return None
    folder = month_folder(reader.publication.packs, month) / kato
    return folder if folder.is_dir() else None


def _names(folder: FilePath) -> list[str]:
    """Return the files of a pack that there are, each once."""
    known = dict.fromkeys([*FILES, *ENCRYPTED_FILES])
    return [name for name in known if (folder / name).is_file()]


@router.get("/papers/{name}")
def file(
    request: Request,
    kato: Kato,
    name: Annotated[str, Path(pattern=r"^[a-z]{1,20}\.[a-z]{1,8}$")],
    visitor: Viewing,
) -> Response:
    """Return a file of a region's pack; everybody in it goes into the log first."""
    site = site_of(request)
    with site.files.of_region(visitor.role, kato) as reader:
        folder = _pack(reader, kato)
        if folder is None or name not in _names(folder):
            raise NotThereError
        people = reader.rows(
            "select distinct iin from recipients where list_month = ?",
            [month_of(reader)],
        )
    listed = [row["iin"] for row in people]
    site.shows(request, visitor, "download pack", f"{kato} {name}", listed)
    return FileResponse(folder / name, filename=f"{kato}-{name}")
