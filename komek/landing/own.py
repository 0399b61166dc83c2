"""Landing what komek itself makes: the lists of its publications, like a registry."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from komek.base import database
from komek.base.files import new_file, sha256, sync, writing_to
from komek.base.places import Home
from komek.base.registries import Entity
from komek.landing import received
from komek.landing.land import move_into, only_one, scratch_of
from komek.landing.manifest import MANIFEST, LandedColumn, LandedFile, Manifest
from komek.landing.snapshots import Snapshot, newest_revision


def land_own(
    home: Home,
    entity: Entity,
    day: date,
    source: str,
    write: Callable[[Path], object],
) -> Snapshot:
    """Land what komek made as a new revision, unless the newest has the same bytes.

    Args:
        home: where it lands.
        entity: an internal entity.
        day: the day the snapshot is of.
        source: what made it, for the manifest.
        write: writes it as a Parquet file of the entity's columns to the path it gets.

    Returns:
        The newest revision of the day.

    Raises:
        UnwritableError: the home cannot be written.
    """
    folder = home.entity(entity.name)
    with writing_to(home), only_one(folder), scratch_of(folder) as scratch:
        made = scratch / f"{day}.parquet"
        write(made)
        made.chmod(0o600)
        sync(made)
        received_sha256 = sha256(made)
        newest = newest_revision(home, entity.name, day)
        if newest and newest.sha256 == received_sha256:
            return newest
        revision = newest.revision + 1 if newest else 1
        building = scratch / f"r{revision:04}"
        building.mkdir(mode=0o700)
        target = building / "00000.parquet"
        size = made.stat().st_size
        rows = received.check_parquet(made, entity.column_names)
        made.rename(target)
        columns = received.duckdb_columns(target)
        if database.encrypts():
            received.encrypt(target)
        manifest = Manifest(
            entity=entity.name,
            snapshot_date=day,
            revision=revision,
            source=source,
            sha256=received_sha256,
            files=(
                LandedFile(
                    file=f"{entity.name}/{made.name}",
                    landed=target.name,
                    sha256=received_sha256,
                    landed_sha256=sha256(target),
                    bytes=size,
                    rows=rows,
                    malformed_rows=0,
                    format="parquet",
                    columns=tuple(LandedColumn(*column) for column in columns),
                ),
            ),
        )
        with new_file(building / MANIFEST) as file:
            file.write(manifest.text.encode())
        return Snapshot(move_into(building, folder / str(day)), manifest)
