"""Landing what komek itself makes: the lists of its publications, like a registry."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from komek.base.files import sha256, sync, writing_to
from komek.base.places import Home
from komek.base.registries import Entity
from komek.landing import received
from komek.landing.drop import Copy
from komek.landing.land import landed_file
from komek.landing.manifest import LandedFile
from komek.landing.revisions import add_revision, only_one, scratch_of
from komek.landing.snapshots import Snapshot


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
        copy = Copy(
            f"{entity.name}/{made.name}", made, made.stat().st_size, sha256(made)
        )

        def land_it(building: Path) -> tuple[LandedFile, ...]:
            target = building / "00000.parquet"
            rows = received.check_parquet(made, entity.column_names)
            made.rename(target)
            return (landed_file(copy, target, entity, rows, 0),)

        landed, _ = add_revision(
            home, scratch, entity, day, source, copy.sha256, land_it
        )
        return landed
