"""Where each registry comes from, for people; and whether it can be pulled there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from komek.base import registries
from komek.base.errors import UsageError, listed
from komek.base.registries import Entity
from komek.base.say import silent
from komek.landing import drop
from komek.landing.complete import still_missing
from komek.landing.drop import naming, parts_of
from komek.landing.land import found_in
from komek.landing.received import Refused
from komek.sources import drops
from komek.sources.connections import Connections, connection, no_connections
from komek.sources.entries import (
    DropSource,
    HttpSource,
    PostgresSource,
    Source,
    kind_of,
)
from komek.sources.headings import columns_in
from komek.sources.parse import sources
from komek.sources.pull import today

_COLUMNS = ("entity", "kind", "connection", "where")
_CHECKED = (*_COLUMNS, "newest", "says")
_NONE = "-"


def sources_told(
    entities: Sequence[str] | None = None,
    *,
    check: bool = False,
    connections: Connections = no_connections,
) -> dict[str, Any]:
    """Return where registries come from, as JSON has it.

    Args:
        entities: the registries; None is all of them.
        check: try each. Then `ok` says whether it can be pulled, `newest` the date of
            the newest snapshot there, `says` what is wrong.
        connections: is asked for the URL of a connection before the environment is.

    Raises:
        UsageError: an entry is not what it can be.
    """
    known = sources()
    chosen = [registries.entity(name) for name in entities or known]
    return {
        "sources": [
            _told(entity, known[entity.name])
            | (_tried(entity, known[entity.name], connections) if check else {})
            for entity in chosen
        ]
    }


def render(told: dict[str, Any]) -> list[str]:
    """Return the lines of a table."""
    rows = told["sources"]
    columns = _CHECKED if any("ok" in row for row in rows) else _COLUMNS
    texts = [columns, *([f"{row[one] or _NONE}" for one in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(
            text.ljust(width) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in texts
    ]


def _told(entity: Entity, source: Source) -> dict[str, Any]:
    if isinstance(source, PostgresSource):
        where = source.table or "query"
    elif isinstance(source, HttpSource):
        where = drop.shown_drop(source.where)
    else:
        where = _drop_where(source)
    return {
        "entity": entity.name,
        "kind": kind_of(source),
        "connection": source.connection,
        "where": where,
    }


def _drop_where(source: DropSource) -> str:
    shown = drop.shown_drop(drops.where_of(source))
    return f"{shown}/{source.pattern}" if source.pattern else shown


def _tried(entity: Entity, source: Source, connections: Connections) -> dict[str, Any]:
    """Return whether a source can be pulled; nothing lands."""
    try:
        with naming(entity.name):
            newest = _newest(entity, source, connections)
    except (Refused, UsageError) as error:
        return {"ok": False, "newest": None, "says": str(error)}
    return {"ok": True, "newest": newest, "says": "ok"}


def _newest(entity: Entity, source: Source, connections: Connections) -> str | None:
    if isinstance(source, PostgresSource):
        from komek.sources import postgres  # noqa: PLC0415  (slow)

        known = connection(source.connection, connections)
        with postgres.session(known, source.timeout) as opened:
            postgres.described(opened, entity, source, today())
        return f"{today()}"
    if isinstance(source, HttpSource):
        from komek.sources import service  # noqa: PLC0415  (slow)

        service.try_out(entity, source, today(), connections)
        return f"{today()}"
    return _newest_of_drop(entity, source, connections)


def _newest_of_drop(
    entity: Entity, source: DropSource, connections: Connections
) -> str:
    """Return the date of a drop's newest snapshot, having read it on the side.

    Raises:
        Refused: there is none, it is not complete, or it could not be landed.
    """
    place = drops.place_of(source, entity, connections, silent)
    found, refusals = found_in(place, entity, None, silent)
    if not found:
        raise Refused(refusals[0].text if refusals else "nothing delivered")
    newest = found[-1]
    lacking = still_missing(newest, place.complete, datetime.now(UTC))
    if lacking:
        raise Refused(f"{newest.name} is not complete yet: {lacking}")
    for name, path in parts_of(newest, silent).items():
        with naming(name):
            names = columns_in(path, entity, place.dialect)
        missing = [one for one in entity.column_names if one not in names]
        if names and missing:
            raise Refused(f"{name} lacks the columns {listed(missing)}")
    return f"{newest.snapshot_date}"
