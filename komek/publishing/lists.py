"""The lists of a month go on (p26): what an official publication listed, lands.

A run for a later day reads the newest such snapshot as it reads a registry's.
"""

from functools import partial
from pathlib import Path

from komek.base import database, registries
from komek.base.places import Home
from komek.base.say import Say
from komek.landing.own import land_own
from komek.landing.snapshots import newest_revision
from komek.publishing.listed import has_lists
from komek.publishing.publication import WAREHOUSE, Publication
from komek.runs.inputs import LISTS


def land_lists(home: Home, publication: Publication | None, say: Say) -> None:
    """Land the lists of an official publication that drew one; once is enough.

    Rows that are held back do not pass on. What a crash kept from landing lands with
    the next command that runs.

    Raises:
        UnwritableError: the home cannot be written.
    """
    if publication is None or not publication.official:
        return
    run = publication.run
    if not run.list_drawn:
        return
    source = f"run {run.run_id}"
    newest = newest_revision(home, LISTS, run.as_of)
    if newest and newest.manifest.source == source:
        return
    entity = registries.entity(LISTS)
    warehouse = publication.folder / WAREHOUSE
    if not _has_lists(warehouse):
        return
    landed = land_own(
        home,
        entity,
        run.as_of,
        source,
        partial(_write, warehouse, entity.column_names),
    )
    say(f"{LISTS} {run.as_of}: revision {landed.revision}, {landed.rows} rows")


def _has_lists(warehouse: Path) -> bool:
    with database.connect(warehouse, read_only=True) as connection:
        return has_lists(connection)


def _write(warehouse: Path, columns: tuple[str, ...], target: Path) -> None:
    with database.connect(warehouse, read_only=True) as connection:
        connection.execute(
            f"copy (select {', '.join(columns)} from marts.food_set_lists"
            " where list_no is not null order by list_month, iin)"
            f" to {database.text_literal(target)} (format parquet)"
        )
