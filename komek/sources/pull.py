"""Pulling: every registry from where it is, side by side, landed as it came."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from zoneinfo import ZoneInfo

from komek.base import interrupts, registries
from komek.base.errors import KomekError, Refusal
from komek.base.files import writing_to
from komek.base.places import TIME_ZONE, Home, has_drop
from komek.base.registries import Entity
from komek.base.say import Progress, Say, no_progress, silent
from komek.base.settings import settings
from komek.landing.land import Landing
from komek.landing.received import Refused
from komek.landing.snapshots import Snapshot, newest_revision
from komek.sources import drops
from komek.sources.again import trying
from komek.sources.connections import Connections, no_connections
from komek.sources.entries import (
    DropSource,
    HttpSource,
    PostgresSource,
    Source,
    is_dated,
)
from komek.sources.parse import sources

_SIDE_BY_SIDE = 4


def ignored(_: Refusal) -> None:
    """Take what is not to be looked at."""


def today() -> date:
    """Return the day it is in Almaty."""
    return datetime.now(ZoneInfo(TIME_ZONE)).date()


def pull(
    home: Home,
    entities: Sequence[str] | None = None,
    until: date | None = None,
    *,
    day: date | None = None,
    again: bool = True,
    say: Say = silent,
    progress: Progress | None = None,
    connections: Connections = no_connections,
    arriving: Callable[[Refusal], object] = ignored,
) -> list[Snapshot]:
    """Land what the configured sources have and the landing lacks.

    Args:
        home: where it lands.
        entities: names of the registries; None is all of them.
        until: what is dated after it is not touched.
        day: the day that sources without dates are pulled for; None: today in Almaty.
        again: whether they are, where something has landed for that day; what they have
            now may not be what they had then.
        say: takes lines for people.
        progress: takes what is being done, how far it is, and of how much.
        connections: is asked for the URL of a connection before the environment is.
        arriving: takes each delivery that is not whole yet, and what it lacks.

    Returns:
        The newly landed snapshots.

    Raises:
        UsageError: an entry, a connection or a name of a registry is wrong.
        RefusedError: something was refused; all else has landed.
        UnwritableError: the home cannot be written.
    """
    known = sources()
    names = [*known] if entities is None else entities
    chosen = [registries.entity(name) for name in names]
    landing = Landing(home, say, _interruptible(progress or no_progress))
    asked = day or today()
    wanted = {
        entity: known[entity.name]
        for entity in chosen
        if again
        or is_dated(known[entity.name])
        or newest_revision(home, entity.name, asked) is None
    }
    acts = _Pull(landing, until, asked, connections).side_by_side(wanted)
    with writing_to(home):
        _all_of(acts)
    for one in landing.arriving:
        arriving(one)
    landing.end()
    return landing.landed


def together(entity: str) -> list[str]:
    """Return the registries that are read in one transaction with one, itself too."""
    known = sources()
    source = known[registries.entity(entity).name]
    if not isinstance(source, PostgresSource):
        return [entity]
    return [
        name
        for name, other in known.items()
        if isinstance(other, PostgresSource) and other.connection == source.connection
    ]


class _Pull:
    """What is the same for all registries of one pull."""

    def __init__(
        self, landing: Landing, until: date | None, day: date, connections: Connections
    ) -> None:
        self._landing = landing
        self._until = until
        self._day = day
        self._connections = connections

    def side_by_side(self, chosen: Mapping[Entity, Source]) -> list[Callable[[], None]]:
        """Return what may go on at the same time: each source's part of the pull.

        Of one database it is one transaction, of one folder one file after the other.
        """
        groups: dict[tuple[str, str], list[Entity]] = {}
        for entity, source in chosen.items():
            if isinstance(source, PostgresSource):
                key = ("postgres", source.connection)
            elif isinstance(source, DropSource):
                key = ("drop", drops.where_of(source))
            else:
                key = ("http", entity.name)
            groups.setdefault(key, []).append(entity)
        return [
            self._part({entity: chosen[entity] for entity in group})
            for group in groups.values()
        ]

    def _part(self, part: Mapping[Entity, Source]) -> Callable[[], None]:
        def act() -> None:
            # Slow to import, and needed only here.
            from komek.sources import database, service  # noqa: PLC0415

            databases = {
                entity: source
                for entity, source in part.items()
                if isinstance(source, PostgresSource)
            }
            if databases:
                database.land(self._landing, databases, self._day, self._connections)
            told: set[str] = set()
            for entity, source in part.items():
                if isinstance(source, DropSource):
                    self._drop(entity, source, told)
                elif isinstance(source, HttpSource):
                    with self._landing.noting_refusal(entity.name, entity, self._day):
                        service.land(
                            self._landing, entity, source, self._day, self._connections
                        )

        return act

    def _drop(self, entity: Entity, source: DropSource, told: set[str]) -> None:
        left: list[Refused] = []
        is_default = source.where is None and source.pattern is None
        if is_default and settings().sources and not has_drop():
            self._landing.say(f"{entity.name}: there is no drop folder")
            return

        def attempt() -> None:
            place = drops.place_of(source, entity, self._connections, self._landing.say)
            if is_default and not told:
                told.add(place.shown)
                self._landing.tell_unknown(place.folder)
            names = [refusal.name for refusal in left] or None
            left[:] = self._landing.land_entity(place, entity, self._until, names)
            if left:
                raise left[0]

        try:
            trying(attempt, entity.name, source.retries, self._landing.say)
        except Refused as error:
            self._landing.refuse_for(entity, error)
            for other in left[1:]:
                self._landing.refuse_for(entity, other)


def _interruptible(progress: Progress) -> Progress:
    """Return what ends a transfer of any thread where somebody interrupts."""

    def note(doing: str, done: int, total: int) -> None:
        interrupts.end_if_heard()
        progress(doing, done, total)

    return note


def _all_of(acts: Sequence[Callable[[], None]]) -> None:
    """Do several things side by side; the first that fails for good is raised."""
    if len(acts) <= 1:
        for act in acts:
            act()
        return
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        futures = [pool.submit(act) for act in acts]
        try:
            for future in futures:
                future.exception()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    errors = [error for future in futures if (error := future.exception())]
    # What the caller mends outweighs what stands for itself.
    errors.sort(key=lambda error: not isinstance(error, KomekError))
    for error in errors:
        raise error
