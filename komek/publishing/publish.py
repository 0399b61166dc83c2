"""Publication: a run's warehouse and packs become what everyone reads, or do not.

A publication is built under another name and never changed after. `warehouse/current`
links to the one that holds, `warehouse/komek.duckdb` and `published` lead through it,
and replacing that one link is the only commit point: a process killed at any moment
leaves the old state or the new one, whole. What a run does not publish anew (other
months, regions it blocks) is taken over from the publication before it by hard links:
what was published stays published.
"""

import json
import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb

from komek.base import database, interrupts
from komek.base.errors import KomekError
from komek.base.files import private_files, sync, sync_tree
from komek.base.messages import harmless
from komek.base.places import Home
from komek.base.say import Say
from komek.publishing.cells import MOST_UNITS
from komek.publishing.listed_rows import gathered
from komek.publishing.pack_files import Origin
from komek.publishing.packs import (
    PACK_MANIFEST,
    is_whole,
    month_folder,
    pack_run,
    write_packs,
)
from komek.publishing.publication import (
    PACKS,
    STATE,
    WAREHOUSE,
    Blocked,
    ChainHead,
    FinishedRun,
    Publication,
    current_publication,
    read_run,
    stated,
    to_state,
)
from komek.publishing.role_files import has_role_files, write_role_files

_BUILDING = "building"


def publish(
    home: Home,
    run_id: str,
    official: bool,
    say: Say,
    chain_head: ChainHead | None = None,
) -> Publication:
    """Publish a finished run; the caller holds the writer lock.

    No pack of an unofficial publication passes into an official one. A run that is
    published already, whole, stays as it is.

    Args:
        home: where the run is filed.
        run_id: which.
        official: whether it reads the law as the policy table does.
        say: takes lines for people.
        chain_head: what the chain of receipts ends in; packs and publication name it.

    Returns:
        The publication that holds the run.

    Raises:
        KomekError: the home cannot be written; what was published still stands.
        StoppedError: the run's tables do not add up to its packs.
    """
    run_file = home.run_file(run_id)
    if not run_file.is_file():
        raise KomekError(f"run {run_id} has no finished file {run_file}")
    before = current_publication(home)
    if before and _holds(before, run_id, official):
        say(f"run {run_id} is published already")
        return before
    try:
        with private_files():
            publication = _build(home, run_file, official, chain_head, before, say)
            _link_fixed(home)
            _point(home, publication)
    except (OSError, duckdb.Error) as error:
        raise KomekError(
            f"cannot publish run {run_id} in {home.root}: {harmless(error)}; "
            "what was published before still stands"
        ) from error
    _sweep(home, publication)
    return publication


def kept_from(home: Home, run_id: str, official: bool, earlier: bool) -> str | None:
    """Say why a finished run is only filed; None where it may be published.

    An unofficial run (one whose policies are not the policy table's) never replaces an
    official publication, and an official one never replaces that of a later day, unless
    it was asked to.

    Args:
        home: where the run is filed.
        run_id: which.
        official: whether it reads the law as the policy table does.
        earlier: whether it may replace a later day's.
    """
    run = read_run(home.run_file(run_id))
    return kept_from_day(home, run.as_of, official, earlier)


def kept_from_day(home: Home, as_of: date, official: bool, earlier: bool) -> str | None:
    """Say why a run for a day would only be filed; None where it may be published."""
    before = current_publication(home)
    if before is None or not before.official:
        return None
    if not official:
        return f"is not official and {before.run.run_id} is published"
    if as_of < before.run.as_of and not earlier:
        return (
            f"is of {as_of} and {before.run.run_id} of {before.run.as_of} is"
            " published; --publish would replace it"
        )
    return None


def _holds(publication: Publication, run_id: str, official: bool) -> bool:
    """Say whether a publication is this run's and nothing of it is missing."""
    return (
        (publication.run.run_id, publication.official) == (run_id, official)
        and (publication.folder / WAREHOUSE).is_file()
        and _is_encrypted_if_asked(publication)
        and all(is_whole(pack) for pack in _pack_folders(publication))
        and _published_packs_exist(publication)
        and has_role_files(publication.folder, publication.published)
    )


def _is_encrypted_if_asked(publication: Publication) -> bool:
    """Say whether a run need not be published anew for its files to be encrypted."""
    if not database.encrypts():
        return True
    with suppress(duckdb.Error):
        return database.is_encrypted(publication.folder / WAREHOUSE)
    return False


def _published_packs_exist(publication: Publication) -> bool:
    month = publication.run.list_month
    return month is None or all(
        (month_folder(publication.packs, month) / region).is_dir()
        for region in publication.published
    )


def _pack_folders(publication: Publication) -> list[Path]:
    return sorted(publication.packs.glob("*/*/"))


def _build(
    home: Home,
    run_file: Path,
    official: bool,
    chain_head: ChainHead | None,
    before: Publication | None,
    say: Say,
) -> Publication:
    """Build the publication's folder, whole and on disk, under its own name."""
    home.publications.mkdir(parents=True, exist_ok=True)
    _sweep(home, before)
    run = read_run(run_file)
    number = int(before.name.partition("-")[0]) + 1 if before else 1
    name = f"{number:06}-{run.run_id}"
    building = home.publications / _BUILDING
    try:
        draft = building / name
        (draft / PACKS).mkdir(parents=True)
        run_file.chmod(0o600)
        _link(run_file, draft / WAREHOUSE)
        compared_with = _last_of_other_run(home, before, run.run_id)
        if compared_with and compared_with.official != official:
            compared_with = None
        published = []
        (building / "work").mkdir()
        with gathered(run_file, building / "work") as connection:
            if run.list_month is not None:
                origin = Origin(
                    run.run_id, official, run.as_of, run.list_month, chain_head
                )
                packs = draft / PACKS
                published = _new_packs(connection, origin, packs, compared_with, say)
            write_role_files(connection, draft, name, run)
        if before and before.official == official:
            _take_over(before, draft / PACKS)
        elif before:
            say(f"the packs of the unofficial run {before.run.run_id} are withdrawn")
        publication = Publication(
            name=name,
            folder=home.publications / name,
            official=official,
            run=run,
            published=tuple(published),
            blocked=_blocked(run_file, run, draft / PACKS),
            previous=before.name if before else None,
            chain_head=chain_head,
        )
        text = json.dumps(to_state(publication), indent=2) + "\n"
        (draft / STATE).write_text(text, encoding="utf-8")
        sync_tree(draft)
        draft.rename(publication.folder)
        sync(home.publications)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return publication


def _last_of_other_run(
    home: Home, publication: Publication | None, run_id: str
) -> Publication | None:
    """Return the last publication that is not the run's own, if it is still there."""
    while publication and publication.run.run_id == run_id:
        publication = stated(home, publication.previous)
    return publication


def _new_packs(
    connection: duckdb.DuckDBPyConnection,
    origin: Origin,
    packs: Path,
    compared_with: Publication | None,
    say: Say,
) -> list[str]:
    """Write the packs of the run's list; return their regions."""
    previous = compared_with.packs if compared_with else None
    written = write_packs(connection, packs, origin, previous)
    for pack in written:
        if pack.cut_cells:
            say(
                f"warning: pack of {pack.region_kato}: {pack.cut_cells} texts, longer"
                f" than a cell may be ({MOST_UNITS:,} characters), are cut in the"
                " workbook; the other files have them whole"
            )
    return [pack.region_kato for pack in written]


def _take_over(before: Publication, packs: Path) -> None:
    """Link the packs of the publication before that this run did not write."""
    for old in _pack_folders(before):
        new = packs / old.relative_to(before.packs)
        if new.exists():
            continue
        new.mkdir(parents=True)
        for file in sorted(old.iterdir()):
            _link(file, new / file.name)


def _blocked(run_file: Path, run: FinishedRun, packs: Path) -> tuple[Blocked, ...]:
    """Return the regions the run blocks, with the run of the pack each still has."""
    with database.connect(run_file, read_only=True) as connection:
        rows = connection.execute(
            """
            select region_kato, blocked_by from marts.region_status
            where publication = 'blocked'
            order by region_kato
            """
        ).fetchall()
    return tuple(
        Blocked(region, blocked_by, _pack_run(packs, run.list_month, region))
        for region, blocked_by in rows
    )


def _pack_run(packs: Path, list_month: date | None, region: str) -> str | None:
    if list_month is None:
        return None
    pack = month_folder(packs, list_month) / region
    return pack_run(pack) if (pack / PACK_MANIFEST).is_file() else None


def _link(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where the file system has no such links."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _link_fixed(home: Home) -> None:
    """Make the two links that lead through `current`; they never change again."""
    _link_once(home.published_warehouse, Path(home.current.name, WAREHOUSE))
    through = home.current.relative_to(home.root)
    _link_once(home.published, through / PACKS)


def _link_once(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_dir() and not link.is_symlink():
        # Somebody made the empty folder beforehand; a full one is not ours to remove.
        link.rmdir()
    link.symlink_to(target)


def _point(home: Home, publication: Publication) -> None:
    """Commit: make `current` lead to the publication."""
    fresh = home.current.with_name(f"{home.current.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(publication.folder.relative_to(home.current.parent))
    interrupts.finish_first(f"run {publication.run.run_id} is published")
    fresh.replace(home.current)
    sync(home.current.parent)
    sync(home.root)


def _sweep(home: Home, holding: Publication | None) -> None:
    """Delete what crashed runs left and publications older than the one before.

    What cannot be deleted now is deleted by a later run.
    """
    keep = {holding.name, holding.previous} if holding else set()
    for folder in home.publications.iterdir():
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
