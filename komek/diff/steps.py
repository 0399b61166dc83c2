"""The steps from one run to another, one cause at a time, each computed in scratch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from komek.base import database, policies
from komek.base.errors import KomekError, UnwritableError
from komek.base.places import Home
from komek.base.say import Say
from komek.diff.law import law_as_on
from komek.runs import rerun
from komek.runs.inputs import Inputs, inputs_from_json
from komek.runs.run import Request
from komek.trust.kept import staged_before

Receipt = Mapping[str, Any]
CAUSES = ("data", "law", "policy", "time", "code")


@dataclass(frozen=True)
class Asked:
    """A run to compute: what is asked of it, and from what.

    Attributes:
        request: the days, and the policies that were set.
        inputs: the snapshots and the calendar.
        law_of: the run whose law tables it reads.
        law_on: the day whose law it reads of them, of what comes into force between
            that and the day it decides for; None: its own.
    """

    request: Request
    inputs: Inputs
    law_of: str
    law_on: date | None = None


@dataclass(frozen=True)
class Step:
    """What one substitution leads to; without `asked` it is a run as it is filed."""

    cause: str
    asked: Asked | None = None


@dataclass(frozen=True)
class State:
    """A step that has been computed: its file, and the name its tables get here."""

    name: str
    cause: str
    file: Path


def steps(
    first: Receipt, second: Receipt, today: str, *, law_moves: bool = False
) -> list[Step]:
    """Return the steps from one run to another, that of the first run itself included.

    Args:
        first: receipt of the run before.
        second: receipt of the run after.
        today: the version of the code that computes.
        law_moves: whether other law is in force on the day of the one than on that of
            the other.
    """
    start = Asked(
        rerun.request_of(first), inputs_from_json(first["inputs"]), first["run_id"]
    )
    asked, found = start, []
    for cause in differing(first, second):
        if cause == "code":
            continue
        if cause == "time" and law_moves:
            found += _in_time_and_law(asked, second)
            asked = _substituted(asked, cause, second)
            continue
        asked = _substituted(asked, cause, second)
        found.append(Step(cause, asked))
    codes = first["code_version"], second["code_version"]
    if codes[0] == codes[1] != today and len(found) > 1:
        return [Step("", start), *found]
    if codes[0] != codes[1] and codes[0] != today:
        found.insert(0, Step("code", start))
    if codes[0] != codes[1] and codes[1] != today:
        found.append(Step("code"))
    # The last is the second run itself, and need not be computed.
    return [Step(""), *found[:-1], *(Step(step.cause) for step in found[-1:])]


def _in_time_and_law(asked: Asked, second: Receipt) -> list[Step]:
    """Take another day apart from the law that came into force between the two.

    The later day is decided for by the law of the earlier one, which both have.
    """
    then = _substituted(asked, "time", second)
    days = asked.request.as_of, then.request.as_of
    if days[0] < days[1]:
        return [Step("time", replace(then, law_on=days[0])), Step("law", then)]
    return [Step("law", replace(asked, law_on=days[1])), Step("time", then)]


def differing(first: Receipt, second: Receipt) -> list[str]:
    """Return in what two runs differ, in order of substitution."""
    names = {
        "data": ("inputs",),
        "law": ("law_sha256", "known_at"),
        "policy": ("policy_overrides",),
        "time": ("as_of",),
        "code": ("code_version",),
    }
    return [
        cause
        for cause in CAUSES
        if any(first[name] != second[name] for name in names[cause])
    ]


def _substituted(asked: Asked, cause: str, second: Receipt) -> Asked:
    """Take one thing from the second run."""
    request, theirs = asked.request, rerun.request_of(second)
    if cause == "data":
        return replace(asked, inputs=inputs_from_json(second["inputs"]))
    if cause == "law":
        request = replace(request, known_at=theirs.known_at)
        return replace(asked, request=request, law_of=second["run_id"])
    if cause == "policy":
        request = replace(request, policy_overrides=theirs.policy_overrides)
    else:
        request = replace(request, as_of=theirs.as_of)
    return replace(asked, request=request)


@dataclass(frozen=True)
class Work:
    """Computes steps in a scratch home."""

    home: Home
    scratch: Home
    say: Say
    first: Receipt
    second: Receipt

    def computed(self, steps: Sequence[Step], ends: Sequence[State]) -> list[State]:
        """Compute every step that can be; leave out the others."""
        states = []
        for number, step in enumerate(steps):
            if step.asked is None:
                states.append(replace(ends[number > 0], cause=step.cause))
                continue
            self.say(f"compute the first run with the second's {step.cause} ...")
            try:
                file = self.compute(step.asked)
            except UnwritableError:
                raise
            except KomekError as error:
                self.say(f"not to be computed, taken with what follows: {error}")
                continue
            name = f"step_{number}"
            database.fold_log(file)
            place = file.rename(self.scratch.root / f"{name}.duckdb")
            states.append(State(name, step.cause, place))
        return states

    def compute(self, asked: Asked) -> Path:
        """Compute a run in the scratch home; return its file."""
        receipts_by_run = {
            receipt["run_id"]: receipt for receipt in (self.first, self.second)
        }
        file = self.home.run_file(asked.law_of)
        theirs = receipts_by_run[asked.law_of]["law_sha256"]
        tables = None if theirs == policies.law_sha256() else file
        if asked.law_on is not None:
            days = asked.law_on, asked.request.as_of
            tables = law_as_on(file, self.scratch.root / "frozen.duckdb", *days)
        staged = staged_before(self.home, asked.inputs)
        return rerun.build_again(
            self.scratch, asked.request, asked.inputs, tables, staged
        ).file
