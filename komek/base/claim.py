"""One run at a time: a home is claimed from a run's first step to its last.

The writer lock keeps two processes apart; a scheduler's run is many processes, one
after the other, and another run could slip between two of them. So such a run claims
the home, in a file, and every step of it finds its claim or does not begin. A run that
one process takes from end to end needs none, for it never lets go of the lock: it only
respects what is claimed.

A run that ends, however, gives the home back. One that was killed whole does not: its
claim is good until the moment it names, and each step moves that on. Whoever can ask
the scheduler does not wait for it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from komek.base.errors import KomekError
from komek.base.files import put
from komek.base.places import Home
from komek.base.say import Say

# Between two steps, with the retries of one that failed.
LEASE = timedelta(hours=2)


class ClaimedError(KomekError):
    """Another run has claimed the home, and has not ended."""


@dataclass(frozen=True)
class Claim:
    """A run's claim of a home.

    Attributes:
        owner: what runs, in the scheduler's words.
        run_id: the run, None before it has a name.
        since: when it was claimed.
        until: when it has been left behind, unless it is moved on.
        waits_for: what the run waits for, if it waits.
    """

    owner: str
    since: datetime
    until: datetime
    run_id: str | None = None
    waits_for: str | None = None

    @property
    def text(self) -> str:
        """The claim for people."""
        run = f", run {self.run_id}" if self.run_id else ""
        waits = f", waits for {self.waits_for}" if self.waits_for else ""
        return f"{self.owner}{run}, since {_moment(self.since)}{waits}"


def current_claim(home: Home) -> Claim | None:
    """Return the claim that stands in a home, also one that was left behind."""
    try:
        said = json.loads(home.claim.read_text(encoding="utf-8"))
        return Claim(
            owner=said["owner"],
            since=datetime.fromisoformat(said["since"]),
            until=datetime.fromisoformat(said["until"]),
            run_id=said["run_id"],
            waits_for=said["waits_for"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_left_behind(claim: Claim) -> bool:
    """Say whether a claim is good no longer."""
    return datetime.now(UTC) > claim.until


def refuse_claimed(home: Home, say: Say) -> None:
    """Refuse to begin where another run is between two of its steps.

    Raises:
        ClaimedError: names it, and until when it may be silent.
    """
    claim = current_claim(home)
    if claim is None:
        return
    if is_left_behind(claim):
        say(f"the claim of {claim.text} was left behind: going on")
        home.claim.unlink(missing_ok=True)
        return
    raise ClaimedError(
        f"another run is going on in {home.root}: {claim.text}; wait until it ends"
        f" (if it was killed, its claim lapses at {_moment(claim.until)}:"
        f" {home.claim})"
    )


def take(
    home: Home, owner: str, has_ended: Callable[[str], bool], say: Say
) -> Claim | None:
    """Claim a home for a run; the caller holds the writer lock.

    Args:
        home: what is claimed.
        owner: what runs; whoever has the claim already keeps it.
        has_ended: says whether the owner of a claim has ended, for all one can know.
        say: takes a line where a claim was left behind.

    Returns:
        The claim that was left behind, if there was one.

    Raises:
        ClaimedError: another run has the home.
    """
    claim = current_claim(home)
    left = claim if claim is not None and claim.owner != owner else None
    if left is not None:
        if not is_left_behind(left) and has_ended(left.owner):
            say(f"the claim of {left.text} was left behind: that run has ended")
        else:
            refuse_claimed(home, say)
    now = datetime.now(UTC)
    _write(home, Claim(owner, now, now + LEASE))
    return left


def move_on(
    home: Home,
    owner: str,
    run_id: str,
    lease: timedelta = LEASE,
    waits_for: str | None = None,
) -> None:
    """Say that a run goes on; the caller holds the writer lock.

    Raises:
        KomekError: it has not, or no longer, claimed the home.
    """
    claim = current_claim(home)
    if claim is None or claim.owner != owner or claim.run_id not in (None, run_id):
        raise KomekError(
            f"run {run_id} has no claim to {home.root} any more"
            + (f": {claim.text} has" if claim else "")
        )
    until = datetime.now(UTC) + lease
    _write(home, replace(claim, run_id=run_id, until=until, waits_for=waits_for))


def give_back(home: Home, owner: str) -> None:
    """Give a home back, if this run has claimed it."""
    claim = current_claim(home)
    if claim is not None and claim.owner == owner:
        home.claim.unlink(missing_ok=True)


def _write(home: Home, claim: Claim) -> None:
    said = asdict(claim) | {
        "since": claim.since.isoformat(),
        "until": claim.until.isoformat(),
    }
    put(home.claim, (json.dumps(said) + "\n").encode())


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
