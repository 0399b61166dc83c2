"""What a scheduler does beyond the steps of a run: a day's pulls, and its beginning."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from komek import pipeline
from komek.base import claim
from komek.base.errors import (
    KomekError,
    Refusal,
    RefusedError,
    StoppedError,
    listed,
)
from komek.base.files import private_files
from komek.base.places import Home
from komek.base.say import Say
from komek.publishing.publication import current_publication
from komek.publishing.publish import kept_from_day
from komek.publishing.question import question_lines
from komek.runs import days
from komek.runs.refusals import holds_up
from komek.runs.run import Request, load
from komek.sources.connections import Connections, no_connections
from komek.sources.pull import together

__all__ = [
    "Request",
    "begin",
    "past_deadline",
    "pull_ended",
    "pull_for_day",
    "question",
    "standing",
]


def pull_for_day(
    home: Home,
    entity: str,
    day: date,
    tell: Say,
    connections: Connections = no_connections,
    say: Say = print,
    due: datetime | None = None,
) -> int:
    """Land what a registry's source has for a day; return how many snapshots are new.

    What is read in one transaction with others is, whichever of them is pulled: two
    registries that were read one after the other would not agree.

    Args:
        home: where it lands.
        entity: the registry.
        day: the day.
        tell: takes what people should know: a bad snapshot of an earlier day, which
            holds nobody up.
        connections: is asked for the URL of a connection before the environment is.
        say: takes lines for the log.
        due: since when it is to be pulled: where it was read with another since, it
            has been.

    Raises:
        RefusedError: what was refused cannot be done without.
        KomekError: its delivery for the day is still arriving.
    """
    others = together(entity)
    if len(others) == 1:
        return _pull(home, entity, others, day, tell, connections, say)
    with private_files(), days.reading_together(home, others):
        if due and days.was_read(home, day, entity, due):
            say(f"{entity}: was read with {listed([o for o in others if o != entity])}")
            return 0
        return _pull(home, entity, others, day, tell, connections, say)


def _pull(
    home: Home,
    entity: str,
    read: list[str],
    day: date,
    tell: Say,
    connections: Connections,
    say: Say,
) -> int:
    began = datetime.now(UTC)
    arriving: list[Refusal] = []
    refused: tuple[Refusal, ...] = ()
    try:
        landed = pipeline.pull(
            home,
            None,
            read,
            until=day,
            say=say,
            day=day,
            connections=connections,
            arriving=arriving.append,
        )
    except RefusedError as error:
        refused, landed = error.refusals, error.landed
    # Another registry that was refused is its own pull's to tell, and to try again.
    lacking = {one.entity for one in (*refused, *arriving)}
    if len(read) > 1 and None not in lacking:
        with private_files():
            days.note_read(home, day, [o for o in read if o not in lacking], began)
    own = [one for one in refused if one.entity in (entity, None)]
    if any(holds_up(home, refusal, day) for refusal in own):
        raise RefusedError(own, landed)
    if own:
        tell(f"{RefusedError(own, landed)}: going on without")
    for one in arriving:
        if one.entity == entity and one.day == day:
            raise KomekError(one.text)
    return landed


def pull_ended(
    home: Home,
    entity: str,
    day: date,
    by: str,
    landed: int,
    is_to_come: Callable[[], bool],
) -> list[date]:
    """Note that a pull for a day has ended; return the days to be decided now."""
    with private_files():
        return days.pull_ended(home, day, entity, by, landed, is_to_come)


def past_deadline(home: Home, day: date, may_go_on: bool, by: str, say: Say) -> bool:
    """Name the registries that a day still waits for, once it should not.

    Args:
        home: where the registries land.
        day: the day.
        may_go_on: whether it is decided on their last snapshots then.
        by: who asks.
        say: takes a line for each registry.

    Returns:
        Whether a run is to be asked for, on the last snapshots.

    Raises:
        StoppedError: names what is waited for, where the day may not go on without.
    """
    found = days.scheduled_day(home, day)
    if not found.missing or set(found.missing) <= set(found.without):
        return False
    shown = listed(
        [f"{n} ({days.last_landed(home, n, day)})" for n in found.missing],
        most=len(found.missing),
    )
    waits = f"{day} is past its deadline and waits for {shown}"
    if not may_go_on:
        raise StoppedError(waits)
    old = days.too_old(home, day, found.missing)
    if old:
        raise StoppedError(f"{waits}; too old to go on with: {listed(old)}")
    with private_files():
        days.go_on_without(home, day, by)
    say(f"{waits}: going on with these snapshots")
    return True


def begin(
    home: Home,
    request: Request,
    owner: str,
    has_ended: Callable[[str], bool],
    say: Say = print,
    *,
    asked_for: bool,
) -> str:
    """Claim the home for a run and prepare it; return its id.

    The caller holds the writer lock.

    Args:
        home: where it is built.
        request: what is asked of it.
        owner: what runs, in the scheduler's words.
        has_ended: says whether the owner of another claim has ended.
        say: takes lines for people.
        asked_for: whether the registries of the day asked for it.

    Raises:
        ClaimedError: another run is going on.
        StoppedError: a registry is to be waited for, or an input is missing.
    """
    left = claim.take(home, owner, has_ended, say)
    if left is not None and left.run_id is not None:
        pipeline.clear_away(home, left.run_id, say)
    try:
        if asked_for:
            request = _of_day(home, request, say)
        run_id = pipeline.prepare(home, request, say)
    except BaseException:
        claim.give_back(home, owner)
        raise
    claim.move_on(home, owner, run_id)
    return run_id


def _of_day(home: Home, request: Request, say: Say) -> Request:
    """Return the request of the run that a day's registries asked for.

    Raises:
        StoppedError: the pull of a registry has not ended, and is to be waited for.
    """
    day = request.as_of
    found = days.scheduled_day(home, day)
    waits_for = [name for name in found.missing if name not in found.without]
    if waits_for:
        raise StoppedError(f"{day} waits for {listed(waits_for)}: not pulled yet")
    with private_files():
        days.run_begins(home, day)
    for name in found.missing:
        say(f"going on without {name}: {days.last_landed(home, name, day)}")
    return replace(request, without=tuple(found.missing))


def question(home: Home, run_id: str) -> str | None:
    """Return what whoever approves of a run is to see, as Markdown.

    None where there is nothing to approve: the run would only be filed.
    """
    run = load(home, run_id)
    asked = run.request
    if kept_from_day(home, asked.as_of, run.is_official, asked.publish_earlier):
        return None
    return "\n".join(
        question_lines(home, run.file, home.report(run_id), run.is_official)
    )


def standing(home: Home) -> str:
    """Say what is published, for whoever is told that something failed."""
    publication = current_publication(home)
    if publication is None:
        return "nothing is published"
    run = publication.run
    return f"published is run {run.run_id}, as of {run.as_of}"
