"""The registry table as Python: entities, columns, keys, tolerances, schedules."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import yaml

from komek.base import places
from komek.base.errors import UsageError

_NAME = re.compile(r"(^|_)(name|address)(_|$)")
ColumnType = Literal["iin", "identifier", "text", "code", "date", "amount", "integer"]


@dataclass(frozen=True)
class Column:
    """A declared column of an entity."""

    name: str
    type: ColumnType
    required: bool
    codes: tuple[str, ...] = ()

    @property
    def is_identifier(self) -> bool:
        """Whether a numeric column would have lost its leading zeros."""
        return self.type in ("iin", "identifier")

    @property
    def is_name(self) -> bool:
        """Whether it is a name or an address, in Kazakh or Russian."""
        return self.type == "text" and bool(_NAME.search(self.name))


@dataclass(frozen=True)
class Tolerance:
    """How far a snapshot may be from the usual before it stops a run.

    Shares are of received rows (0 to 1); the age is in days on `known_at`.
    """

    max_quarantined_share: float
    max_volume_change: float
    max_share_without_person: float
    max_age_days: int
    small_entity_rows: int
    max_quarantined_share_if_small: float


@dataclass(frozen=True)
class Entity:
    """One registry's snapshot entity.

    `internal` is what komek lands itself when it publishes; no source delivers it, and
    it has no schedule. `source` is where one comes from, as komek.sources reads it.
    """

    name: str
    description: str
    owner: str
    system: str
    schedule: str
    key: tuple[str, ...]
    intervals: tuple[tuple[str, str], ...]
    iin_column: str | None
    columns: tuple[Column, ...]
    tolerance: Tolerance
    encoding: str = "utf-8"
    internal: bool = False
    source: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The declared columns, in declared order."""
        return tuple(column.name for column in self.columns)


def _entity(table: dict[str, Any], given: dict[str, Any]) -> Entity:
    meta = table["config"]["meta"]
    return Entity(
        name=table["name"],
        description=table["description"].strip(),
        owner=meta["owner"],
        system=meta["system"],
        schedule=meta.get("schedule", ""),
        key=tuple(meta["key"]),
        intervals=tuple((start, end) for start, end in meta["intervals"]),
        iin_column=meta["iin_column"],
        columns=tuple(
            Column(
                name=column["name"],
                type=column["config"]["meta"]["type"],
                required=column["config"]["meta"]["required"],
                codes=tuple(column["config"]["meta"].get("codes", ())),
            )
            for column in table["columns"]
        ),
        tolerance=Tolerance(**{**given["tolerance"], **meta.get("tolerance", {})}),
        encoding=_encoding(table["name"], meta.get("encoding", "utf-8")),
        internal=meta.get("internal", False),
        source={**given["source"], **meta.get("source", {})},
    )


def _encoding(entity_name: str, encoding: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"registry table: {entity_name} has the unknown encoding {encoding!r}"
        ) from None
    return encoding


@cache
def every_entity() -> tuple[Entity, ...]:
    """Return the fifteen entities and the internal ones, in the order of the table."""
    table_text = places.REGISTRY_TABLE.read_text(encoding="utf-8")
    source = yaml.safe_load(table_text)["sources"][0]
    given = source["config"]["meta"]
    return tuple(
        _entity(table, given) for table in source["tables"] if "columns" in table
    )


@cache
def entities() -> tuple[Entity, ...]:
    """Return the fifteen entities that sources deliver, in the order of the table."""
    return tuple(entity for entity in every_entity() if not entity.internal)


def entity(name: str) -> Entity:
    """Return one entity by its name, an internal one too.

    Raises:
        UsageError: there is no such entity.
    """
    for candidate in every_entity():
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in entities())
    raise UsageError(f"unknown entity {name!r}: one of {known}")
