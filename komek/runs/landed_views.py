"""The rows of a landed snapshot as views over its Parquet files.

A source row is known by one number: that of its file in the run, and its place in it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from komek.base import database
from komek.base.registries import Entity
from komek.landing.received import FILE_NAME, MALFORMED
from komek.landing.snapshots import Snapshot

ROWS_PER_FILE = 10_000_000_000
# What a view has beside the columns of the source.
NUMBERED = {"source_row": "BIGINT", "malformed": "BOOLEAN"}


@dataclass(frozen=True)
class LandedView:
    """A view of the schema `landing`.

    Attributes:
        name: its name there.
        sql: what it selects.
        types: its columns, name to type as they landed; none where it only puts other
            views together.
        files: the landed files it reads, each with its number in the run.
        marks_malformed: whether they mark malformed lines.
    """

    name: str
    sql: str
    types: Mapping[str, str] = field(default_factory=dict)
    files: tuple[tuple[int, Path], ...] = ()
    marks_malformed: bool = False

    @property
    def declared(self) -> list[str]:
        """The columns that the source has of those declared."""
        return [name for name in self.types if name not in NUMBERED]


def landed_views(
    entity: Entity, snapshot: Snapshot, file_no: int
) -> Iterator[LandedView]:
    """Yield the views of an entity's rows: its declared columns, as they came.

    Where files differ in their columns or types, each kind of file has a view of its
    own (`<entity>_1` and so on): what a value is depends on the type it came in, and is
    staging's to judge. The entity's own view then has the text of all.

    Args:
        entity: which.
        snapshot: its landed snapshot.
        file_no: the number that its first file has in the run.
    """
    kinds = _kinds_of_files(snapshot)
    parts = []
    for number, (types, places) in enumerate(kinds, start=1):
        name = entity.name if len(kinds) == 1 else f"{entity.name}_{number}"
        declared = [name for name in entity.column_names if name in types]
        yield LandedView(
            name,
            _select(snapshot, declared, places, file_no, MALFORMED in types),
            {column: types[column] for column in declared} | NUMBERED,
            tuple((file_no + place, snapshot.paths[place]) for place in places),
            MALFORMED in types,
        )
        texts = "".join(f'cast("{name}" as varchar) as "{name}", ' for name in declared)
        parts.append(f"select {texts}source_row, malformed from landing.{name}")
    if len(kinds) > 1:
        yield LandedView(entity.name, " union all by name ".join(parts))


def _kinds_of_files(snapshot: Snapshot) -> list[tuple[dict[str, str], list[int]]]:
    """Return the kinds of files in a snapshot, in the order of their first.

    Returns:
        Pairs of what columns the files have, name to type, and the places (from 0) of
        the files in the snapshot. One from a CSV also has what marks malformed lines.
    """
    kinds: list[tuple[dict[str, str], list[int]]] = []
    for place, file in enumerate(snapshot.files):
        types = {column.name: column.type for column in file.columns}
        if file.format != "parquet":
            types[MALFORMED] = "VARCHAR"
        same = next((places for known, places in kinds if known == types), None)
        if same is None:
            kinds.append((types, [place]))
        else:
            same.append(place)
    return kinds


def _select(
    snapshot: Snapshot,
    columns: Iterable[str],
    places: Sequence[int],
    file_no: int,
    marks_malformed: bool,
) -> str:
    """Return what to select of the files at some places, all at once."""
    number = f"{file_no + places[0]}"
    if len(places) > 1:
        name = f"regexp_extract({FILE_NAME}, '([0-9]+)[.]parquet$', 1)"
        number = f"({file_no} + cast({name} as bigint))"
    malformed = f'"{MALFORMED}" is not null' if marks_malformed else "false"
    files = database.scan_encrypted(
        [snapshot.paths[place] for place in places],
        database.LANDING,
        f"filename = '{FILE_NAME}'",
        "file_row_number = true",
    )
    selected = "".join(f'"{column}", ' for column in columns)
    return (
        f"select {selected}cast({number} as bigint) * {ROWS_PER_FILE}"
        f" + file_row_number + 1 as source_row, {malformed} as malformed from {files}"
    )
