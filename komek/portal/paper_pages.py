"""The papers of a region: the files of its pack, and what is made of them."""

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from komek.papers import KINDS, LANGUAGES, NATIONAL, make
from komek.papers.words import texts
from komek.portal.files import NotThereError, Reader
from komek.portal.region_pages import Kato, month_of, place_of
from komek.portal.site import site_of
from komek.portal.web import Viewing, language_of, page, see_other
from komek.publishing.pack_files import ENCRYPTED_FILES, FILES
from komek.publishing.packs import month_folder

# What a paper's title is called in the words of papers, where it is not by its kind.
_TITLES = {"extensions": "title.extensions_asp", "supplement": "title.ends"}

router = APIRouter(prefix="/regions/{kato}", include_in_schema=False)


@router.get("/papers")
def papers(
    request: Request,
    kato: Kato,
    visitor: Viewing,
    nothing: Annotated[str | None, Query(pattern=r"^[a-z]{1,20}$")] = None,
) -> Response:
    """Show what a region takes away: the files of its pack, and its papers.

    Of the kind in `nothing` none could be made.
    """
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
    values["kinds"] = [] if month is None else _kinds()
    titles = {kind: dict(of_kind) for kind, of_kind in values["kinds"]}
    lang = language_of(request).code
    values["nothing"] = titles.get(nothing, {}).get("kk" if lang == "kk" else "ru")
    return page(request, "papers.html", values, publication=publication)


def _kinds() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the kinds of a region's papers, each with its title by language."""
    return [
        (
            kind,
            [
                (lang, texts(lang)[_TITLES.get(kind, f"title.{kind}")])
                for lang in LANGUAGES
            ],
        )
        for kind in KINDS
        if kind not in NATIONAL
    ]


@router.get("/papers/{kind}/{lang}")
def made(
    request: Request,
    kato: Kato,
    kind: Annotated[str, Path(pattern=r"^[a-z]{1,20}$")],
    lang: Annotated[str, Path(pattern=r"^(ru|kk)$")],
    visitor: Viewing,
) -> Response:
    """Make the papers of a kind and return them in one archive."""
    site = site_of(request)
    if kind not in KINDS or kind in NATIONAL:
        raise NotThereError
    with site.files.of_region(visitor.role, kato) as reader:
        month = month_of(reader)
        if month is None:
            raise NotThereError
        listed = _listed(reader, month)
    site.shows(request, visitor, "download papers", f"{kato} {kind} {lang}", listed)
    folder = FilePath(tempfile.mkdtemp(prefix="komek-papers-"))
    try:
        files = make(site.home, kind, month, kato, lang, folder / "papers")
        if not files:
            shutil.rmtree(folder, ignore_errors=True)
            return see_other(f"/regions/{kato}/papers?nothing={kind}")
        archive = _archived(files, folder / "papers.zip")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        archive,
        filename=f"{kato}-{kind}-{lang}.zip",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _archived(files: Sequence[FilePath], target: FilePath) -> FilePath:
    """Put files into an archive; of the same files it has the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files):
            entry = zipfile.ZipInfo(file.name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return target


def _listed(reader: Reader, month: date) -> list[str]:
    people = reader.rows(
        "select distinct iin from recipients where list_month = ?", [month]
    )
    return [row["iin"] for row in people]


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
        month = month_of(reader)
        listed = _listed(reader, month) if month else []
    site.shows(request, visitor, "download pack", f"{kato} {name}", listed)
    return FileResponse(folder / name, filename=f"{kato}-{name}")
