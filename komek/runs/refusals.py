"""What was refused the last time a registry was pulled: it is told until it goes."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from komek.base.errors import Refusal
from komek.base.files import put
from komek.base.places import Home
from komek.landing.snapshots import newest_snapshots

_FOLDER = "refused"


def note_refusals(
    home: Home, entities: Sequence[str], until: date | None, refusals: Iterable[Refusal]
) -> None:
    """Keep what a pull of registries has refused, in place of what the last one did.

    Args:
        home: where it would have landed.
        entities: the registries that were pulled.
        until: what is of a later day was not looked at, and stays as it was.
        refusals: what was refused.
    """
    found = list(refusals)
    for entity in entities:
        unseen = [
            refusal
            for refusal in refusals_of(home, entity)
            if until and refusal.day and refusal.day > until
        ]
        noted = [refusal for refusal in found if refusal.entity in (entity, None)]
        _save(_path(home, entity), [*noted, *unseen])


def refusals_of(home: Home, entity: str) -> list[Refusal]:
    """Return what was refused of a registry the last time that it was pulled."""
    try:
        said = json.loads(_path(home, entity).read_text(encoding="utf-8"))
        return [_read(entity, one) for one in said]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def holds_up(home: Home, refusal: Refusal, day: date) -> bool:
    """Say whether a day cannot do without what was refused when it was pulled for.

    It may still be arriving, if it is of that day. A bad snapshot of a day before holds
    nobody up, unless no other has ever landed.
    """
    if refusal.entity is None or refusal.day is None:
        return True
    return refusal.day >= day or not newest_snapshots(home, refusal.entity)


def _read(entity: str, said: dict[str, str | None]) -> Refusal:
    day = said["day"]
    return Refusal(entity, date.fromisoformat(day) if day else None, str(said["text"]))


def _save(path: Path, refusals: Sequence[Refusal]) -> None:
    if not refusals:
        path.unlink(missing_ok=True)
        return
    said = [
        {"day": one.day.isoformat() if one.day else None, "text": one.text}
        for one in refusals
    ]
    put(path, (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode())


def _path(home: Home, entity: str) -> Path:
    return home.days / _FOLDER / f"{entity}.json"
