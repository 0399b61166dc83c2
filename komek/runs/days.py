"""What a scheduled day waits for: which registries were pulled for it, and what for.

A day is decided once every registry's pull for it has ended, and again for each change
after that: `days/<YYYY-MM-DD>.json` is where pulls and runs of a day say so to each
other. What asks for a run is the pull that ended last; while a run is asked for and has
not begun nobody asks again, for it will take whatever has landed until it begins. What
lands after that asks for one more.

The scheduler has the last word on whether a run that was asked for is still to come: a
scheduler that was put up anew knows of none.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from komek.base import registries
from komek.base.files import make_private, open_private, put
from komek.base.places import Home
from komek.landing.snapshots import latest_snapshot, newest_revision

# How long a scheduler may take to make a run of what asked for it.
_ON_ITS_WAY = timedelta(minutes=1)
# How long after a day a late snapshot of it may still complete it.
_CAUGHT_UP = timedelta(days=14)
_DAYS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].json"
_LOCK = ".lock"


@dataclass
class ScheduledDay:
    """A day, and how far it is.

    Attributes:
        day: the day.
        pulled: when each registry's pull for it last ended.
        since_begun: whose pulls have ended since a run last began.
        asked_by: what asked for a run that has not begun; None where none is to come.
        asked_at: when it did.
        begun: how many runs have begun that were asked for.
        without: the registries that were not waited for any longer.
        read: when each registry was last read in one transaction with others.
    """

    day: date
    pulled: dict[str, datetime] = field(default_factory=dict)
    since_begun: set[str] = field(default_factory=set)
    asked_by: str | None = None
    asked_at: datetime | None = None
    begun: int = 0
    without: tuple[str, ...] = ()
    read: dict[str, datetime] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """The registries whose pull for the day has not ended, in table order."""
        names = [entity.name for entity in registries.entities()]
        return [name for name in names if name not in self.pulled]

    @property
    def is_due(self) -> bool:
        """Whether a run was ever asked for: it is decided, or about to be."""
        return self.begun > 0 or self.asked_by is not None


def pull_ended(
    home: Home,
    day: date,
    entity: str,
    by: str,
    landed: int,
    is_to_come: Callable[[], bool],
) -> list[date]:
    """Note that a registry's pull for a day has ended; return the days to decide now.

    Args:
        home: where it has landed.
        day: the day it was pulled for.
        entity: the registry.
        by: the pull; one that is tried again asks again.
        landed: how many snapshots are new.
        is_to_come: says whether the scheduler has a run that has not begun.

    Returns:
        The days that a run is to be asked for, earlier ones first: this one, or one
        that waited for a snapshot which has come late.
    """
    with _held(home):
        late = [
            earlier
            for earlier in _unfinished(home, day)
            if newest_revision(home, entity, earlier) is not None
        ]
        return [
            each
            for each in (*late, day)
            if _note_pull(home, each, entity, by, landed, is_to_come)
        ]


@contextmanager
def reading_together(home: Home, entities: Sequence[str]) -> Iterator[None]:
    """Let one process at a time read registries that are read in one transaction.

    Whoever comes meanwhile may find that theirs has been read for the day.
    """
    make_private(home.days)
    with open_private(home.days / f".reading-{min(entities)}", os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def note_read(home: Home, day: date, entities: Iterable[str], moment: datetime) -> None:
    """Note that registries were read for a day in one transaction."""
    with _held(home):
        found = scheduled_day(home, day)
        found.read |= dict.fromkeys(entities, moment)
        _save(home, found)


def was_read(home: Home, day: date, entity: str, since: datetime) -> bool:
    """Say whether a registry was read for a day, with others, since a moment."""
    read = scheduled_day(home, day).read.get(entity)
    return read is not None and read >= since


def go_on_without(home: Home, day: date, by: str) -> list[str]:
    """Have a day decided although pulls for it have not ended; return the registries.

    Their last snapshots are taken instead, where they are not too old for that.
    """
    with _held(home):
        found = scheduled_day(home, day)
        found.without = tuple(found.missing)
        _ask(home, found, by)
        return list(found.without)


def run_begins(home: Home, day: date) -> ScheduledDay:
    """Note that a run of a day has begun; what lands from now on asks for another."""
    with _held(home):
        found = scheduled_day(home, day)
        found.asked_by = found.asked_at = None
        found.begun += 1
        found.since_begun.clear()
        _save(home, found)
        return found


def scheduled_day(home: Home, day: date) -> ScheduledDay:
    """Return how far a day is; one that nothing was pulled for is at its beginning."""
    try:
        said = json.loads(_path(home, day).read_text(encoding="utf-8"))
        return _read(day, said)
    except (OSError, ValueError, KeyError, TypeError):
        return ScheduledDay(day)


def scheduled_days(home: Home) -> list[ScheduledDay]:
    """Return the days that something was pulled for, in order."""
    days = sorted(home.days.glob(_DAYS))
    return [scheduled_day(home, date.fromisoformat(path.stem)) for path in days]


def too_old(home: Home, day: date, entities: list[str]) -> list[str]:
    """Return the registries whose last snapshot a run for a day may not go on with."""
    return [
        name
        for name in entities
        if (last := latest_snapshot(home, name, day)) is None
        or (day - last.snapshot_date).days
        > registries.entity(name).tolerance.max_age_days
    ]


def last_landed(home: Home, entity: str, day: date) -> str:
    """Say which snapshot of a registry is the last that a day may know."""
    last = latest_snapshot(home, entity, day)
    return f"last snapshot {last.snapshot_date}" if last else "no snapshot"


def _note_pull(
    home: Home,
    day: date,
    entity: str,
    by: str,
    landed: int,
    is_to_come: Callable[[], bool],
) -> bool:
    """Note an ended pull; say whether it asks for a run."""
    found = scheduled_day(home, day)
    found.pulled[entity] = datetime.now(UTC)
    found.since_begun.add(entity)
    names = {one.name for one in registries.entities()}
    asks_again = found.asked_by == by
    is_asked = found.asked_by is not None and (_is_recent(found) or is_to_come())
    # Lost on its way where nothing is to come of it.
    is_due = found.asked_by is not None or (found.begun > 0 and landed > 0)
    if asks_again or (not is_asked and (is_due or names <= found.since_begun)):
        _ask(home, found, by)
        return True
    _save(home, found)
    return False


def _ask(home: Home, found: ScheduledDay, by: str) -> None:
    found.asked_by, found.asked_at = by, datetime.now(UTC)
    _save(home, found)


def _is_recent(found: ScheduledDay) -> bool:
    asked_at = found.asked_at
    return asked_at is not None and datetime.now(UTC) - asked_at < _ON_ITS_WAY


def _unfinished(home: Home, day: date) -> list[date]:
    """Return the days before one that still wait for a pull."""
    return [
        found.day
        for found in scheduled_days(home)
        if day - _CAUGHT_UP <= found.day < day and found.missing
    ]


def _read(day: date, said: dict[str, Any]) -> ScheduledDay:
    asked_at = said["asked_at"]
    return ScheduledDay(
        day=day,
        pulled={n: datetime.fromisoformat(at) for n, at in said["pulled"].items()},
        since_begun=set(said["since_begun"]),
        asked_by=said["asked_by"],
        asked_at=datetime.fromisoformat(asked_at) if asked_at else None,
        begun=int(said["begun"]),
        without=tuple(said["without"]),
        read={
            name: datetime.fromisoformat(at)
            for name, at in said.get("read", {}).items()
        },
    )


def _save(home: Home, found: ScheduledDay) -> None:
    said = {
        "pulled": {name: at.isoformat() for name, at in sorted(found.pulled.items())},
        "since_begun": sorted(found.since_begun),
        "asked_by": found.asked_by,
        "asked_at": found.asked_at.isoformat() if found.asked_at else None,
        "begun": found.begun,
        "without": list(found.without),
        "read": {name: at.isoformat() for name, at in sorted(found.read.items())},
    }
    put(_path(home, found.day), (json.dumps(said, indent=1) + "\n").encode())


def _path(home: Home, day: date) -> Path:
    return home.days / f"{day}.json"


@contextmanager
def _held(home: Home) -> Iterator[None]:
    """Let one process at a time look at the days and write them."""
    make_private(home.days)
    with open_private(home.days / _LOCK, os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
