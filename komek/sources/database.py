"""What one database has for some registries, received as of one moment and landed."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from adbc_driver_manager.dbapi import Connection as Session

from komek.base.errors import Refusal
from komek.base.registries import Entity
from komek.landing.drop import naming
from komek.landing.land import Landing, refuse_other_key
from komek.landing.received import Refused
from komek.landing.revisions import only_one, scratch_of
from komek.sources import postgres
from komek.sources.again import trying
from komek.sources.connections import Connections, connection
from komek.sources.entries import PostgresSource
from komek.sources.rows import Written
from komek.sources.standing import Rows, carry_over, land_rows, stands_for

Sources = Mapping[Entity, PostgresSource]


@dataclass(frozen=True)
class _Received:
    """A registry's rows, in a file of their own, or what they were before.

    Attributes:
        path: the file.
        written: what is in it; None where the source says that nothing has changed.
        seen: hash of what the source says of its version.
    """

    path: Path
    written: Written | None
    seen: str | None


def land(
    landing: Landing, sources: Sources, day: date, connections: Connections
) -> None:
    """Land the registries of one connection, as they are at one moment, for a day.

    None lands before all have come. One that is refused does not stop the others.

    Raises:
        UsageError: there is no such connection.
    """
    left = dict(sources)
    with ExitStack() as held:
        scratches = {}
        for entity in sorted(left, key=lambda one: one.name):
            folder = landing.home.entity(entity.name)
            held.enter_context(only_one(folder))
            refuse_other_key(landing.home, entity)
            scratches[entity] = held.enter_context(scratch_of(folder))
        while left:
            try:
                received = _received(landing, left, scratches, day, connections)
            except Refused as error:
                # Of one of them, or of the database: then of all.
                names = {entity.name: entity for entity in left}
                for name in [error.name] if error.name in names else [*names]:
                    landing.refuse(Refusal(name, day, f"{name}: {error}"))
                    del left[names[name]]
                continue
            for entity, found in received.items():
                with landing.noting_refusal(entity.name, entity, day):
                    _land(
                        landing, entity, sources[entity], found, scratches[entity], day
                    )
            return


def _received(
    landing: Landing,
    sources: Sources,
    scratches: Mapping[Entity, Path],
    day: date,
    connections: Connections,
) -> dict[Entity, _Received]:
    """Receive all registries in one transaction, again where it broke off."""
    first = next(iter(sources.values()))
    known = connection(first.connection, connections)
    timeout = max(source.timeout for source in sources.values())
    retries = max(source.retries for source in sources.values())

    def attempt() -> dict[Entity, _Received]:
        with postgres.session(known, timeout) as opened:
            # Before: a query that fails ends the transaction.
            asked = {}
            for entity, source in sources.items():
                with naming(entity.name):
                    asked[entity] = postgres.described(opened, entity, source, day)
        with postgres.session(known, timeout) as opened:
            postgres.begin(opened)
            received = {}
            for entity, source in sources.items():
                with naming(entity.name):
                    received[entity] = _one(
                        landing, opened, asked[entity], source, scratches[entity], day
                    )
            return received

    return trying(attempt, first.connection, retries, landing.say)


def _one(
    landing: Landing,
    opened: Session,
    asked: postgres.Asked,
    source: PostgresSource,
    scratch: Path,
    day: date,
) -> _Received:
    entity = asked.entity
    if asked.others:
        landing.say(
            f"{entity.name}: columns that are not declared, left where they are:"
            f" {len(asked.others)}"
        )
    seen = postgres.version_in(opened, source, day)
    path = scratch / "received.parquet"
    if seen and stands_for(landing.home, entity, day, seen):
        return _Received(path, None, seen)
    path.unlink(missing_ok=True)
    written = postgres.receive(
        opened,
        asked,
        source.dialect,
        path,
        lambda done: landing.progress(f"receive {entity.name}, rows", done, 0),
    )
    return _Received(path, written, seen)


def _land(
    landing: Landing,
    entity: Entity,
    source: PostgresSource,
    found: _Received,
    scratch: Path,
    day: date,
) -> None:
    if found.written is None:
        carry_over(landing, entity, day, scratch)
        return
    what = f"table {source.table}" if source.table else "query"
    shown = f"postgres {source.connection}: {what}"
    land_rows(
        landing,
        entity,
        day,
        Rows(found.path, found.written, shown, found.seen),
        scratch,
    )
