"""Snapshots of a drop whose owner names files in a way of their own."""

from collections.abc import Iterator, Mapping
from datetime import date

from komek.base.errors import Refusal
from komek.base.registries import Entity
from komek.landing.checksums import is_beside
from komek.landing.drop import (
    Delivery,
    DropPath,
    listing,
    printable,
    reading,
    two_shapes,
)
from komek.landing.templates import NamePattern


def matching(
    drop: DropPath, entity: Entity, pattern: NamePattern, until: date | None
) -> tuple[list[Delivery], list[Refusal]]:
    """Return the snapshots of an entity by date, and what is refused by its name alone.

    Several files of one date are its parts where the pattern has a wildcard.

    Args:
        drop: where they lie.
        entity: whose.
        pattern: how they are named.
        until: later ones are left out.

    Raises:
        Refused: a folder cannot be read.
    """
    by_day: dict[date, list[Delivery]] = {}
    refusals: list[Refusal] = []
    with reading(entity.name):
        found = list(_found(drop, pattern, 0, "", {}))
    for path, folder, texts in found:
        day = pattern.day(texts)
        if day is None:
            text = f"{folder}{printable(path.name)}: its name has no date"
            # Of no day that anyone waits for.
            refusals.append(Refusal(entity.name, date.min, text))
        elif until is None or day <= until:
            with reading(entity.name):
                is_file = not path.is_dir()
            by_day.setdefault(day, []).append(
                Delivery(entity, day, path, folder, is_file)
            )
    if pattern.has_wildcard:
        by_day = {day: _together(shapes) for day, shapes in by_day.items()}
    refusals += two_shapes(by_day)
    single = [shapes[0] for shapes in by_day.values() if len(shapes) == 1]
    return sorted(single, key=lambda delivery: delivery.snapshot_date), refusals


def _found(
    folder: DropPath,
    pattern: NamePattern,
    level: int,
    above: str,
    texts: Mapping[str, str],
) -> Iterator[tuple[DropPath, str, dict[str, str]]]:
    """Yield what matches, the folders it lies in, and the texts of its day."""
    for path in listing(folder):
        matched = pattern.match(level, path.name)
        if matched is None or is_beside(path.name):
            continue
        known = {**texts, **matched}
        if level + 1 == pattern.depth:
            yield path, above, known
        elif path.is_dir():
            yield from _found(path, pattern, level + 1, f"{above}{path.name}/", known)


def _together(shapes: list[Delivery]) -> list[Delivery]:
    first = shapes[0]
    if len(shapes) == 1 or not all(shape.is_file for shape in shapes):
        return shapes
    files = tuple(shape.path for shape in shapes)
    return [
        Delivery(
            first.entity, first.snapshot_date, first.path, first.folder, False, files
        )
    ]
