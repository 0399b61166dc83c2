"""The steps of a run, in order. The command line and the DAGs call these, nothing else.

Between steps only the home's path and the run's id pass; what a run is stands in its
folder. Each step may be repeated: it starts from what the step before left.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from komek.base import database, interrupts, registries
from komek.base.errors import KomekError, Refusal, RefusedError
from komek.base.files import private_files
from komek.base.messages import harmless
from komek.base.places import Home
from komek.base.say import Progress, Say
from komek.base.scratch import holding
from komek.checks import blocking, check
from komek.checks.outcome import Outcome
from komek.landing.land import land
from komek.publishing import volume
from komek.publishing.lists import land_lists
from komek.publishing.metrics import Ending, write_metrics
from komek.publishing.publication import (
    Publication,
    current_publication,
    refuse_other_key,
)
from komek.publishing.publish import kept_from
from komek.publishing.publish import publish as publish_run
from komek.runs import build, filed, on_spark
from komek.runs.layout import begin
from komek.runs.refusals import note_refusals
from komek.runs.run import (
    SPARK,
    Request,
    Run,
    load,
    note_duration,
    note_overridden,
    note_stopped,
    overridden,
    stopped,
)
from komek.runs.staged import take_staging
from komek.runs.stops import forget_stop, note_stop
from komek.sources.connections import Connections, no_connections
from komek.sources.pull import ignored
from komek.sources.pull import pull as pull_sources
from komek.trust import events
from komek.trust.chain import read_chain, receipt_path
from komek.trust.kept import staged_before
from komek.trust.receipts import said_first, seal, seal_if_missing, write_receipt
from komek.trust.signatures import signing_key

DECIDED_IN = ("facts", "law", "marts")


@dataclass(frozen=True)
class RunStep:
    """A step of a run: what people read, and what it does with home and run id."""

    label: str
    act: Callable[[Home, str, Say], object]


def pull(
    home: Home,
    drop: str | Path | None,
    entities: list[str] | None = None,
    until: date | None = None,
    say: Say = print,
    *,
    day: date | None = None,
    again: bool = True,
    progress: Progress | None = None,
    connections: Connections = no_connections,
    arriving: Callable[[Refusal], object] = ignored,
) -> int:
    """Land what the sources have and the landing lacks; return how many snapshots.

    Args:
        home: where they land.
        drop: a drop folder in place of the configured sources; None: these.
        entities: the registries; None is all of them.
        until: what is dated after it is not touched.
        say: takes lines for people.
        day: the day that a source without dates is pulled for; None: today in Almaty.
        again: whether it is, where something has landed for that day.
        progress: takes what is being done, how far it is, and of how much.
        connections: is asked for the URL of a connection before the environment is.
        arriving: takes each delivery of the sources that is not whole yet.

    Raises:
        UsageError: a source is not what it is said to be.
        RefusedError: something was refused; what could be landed has been.
    """
    asked = [registries.entity(name) for name in entities or ()]
    names = [entity.name for entity in asked or registries.entities()]
    refused: tuple[Refusal, ...] = ()
    try:
        if drop is not None:
            return len(land(home, drop, entities, until, say=say, progress=progress))
        landed = pull_sources(
            home,
            entities,
            until,
            day=day,
            again=again,
            say=say,
            progress=progress,
            connections=connections,
            arriving=arriving,
        )
        return len(landed)
    except RefusedError as error:
        refused = error.refusals
        raise
    finally:
        with private_files(), suppress(OSError):
            note_refusals(home, names, until, refused)


def prepare(
    home: Home, request: Request, say: Say = print, *, alone: bool = False
) -> str:
    """Find the inputs of a run and lay out its file; return its id.

    Args:
        home: where it is built.
        request: what is asked.
        say: takes lines for people.
        alone: this process takes every step. What it leaves when it is killed is swept
            by the next that writes; what a scheduler's tasks build waits for the next.

    Raises:
        UsageError: KOMEK_KEY is not the one the home was published under,
            KOMEK_SIGNING_KEY is no key, or the engine is not there.
        StoppedError: an input is missing, or not what it was.
    """
    refuse_other_key(home)
    signing_key()
    if request.engine == SPARK:
        on_spark.refuse_impossible()
    with private_files():
        # What a crash kept the last publication from: the run may go on from it.
        land_lists(home, current_publication(home), say)
        try:
            run = begin(home, request, alone=alone)
        except Exception as error:
            note_stop(home, request, None, _reason(error))
            events.refused(home, request, _reason(error), say)
            raise
        events.started(run, say)
    return run.run_id


def stage(home: Home, run_id: str, _say: Say = print) -> None:
    """Parse every registry; accept or quarantine each row.

    What a run before has of the same snapshots is taken from it.
    """
    with _step_of(home, run_id, "sort") as run:
        before = staged_before(home, run.inputs)
        # Spark decides from what landed, all of it.
        if before and run.request.engine != SPARK:
            take_staging(run, before)
        build.layer(run, "staging")


def check_door(home: Home, run_id: str, say: Say = print) -> None:
    """Check every registry before anything is decided from it.

    Raises:
        StoppedError: a critical expectation failed.
    """
    with _step_of(home, run_id, "door") as run:
        outcome = check.check_door(run.file, home.report(run_id), run.request.override)
        _tell(outcome, say)
        outcome.raise_if_stopped()
        note_overridden(run, outcome.overridden)


def decide(home: Home, run_id: str, layer: str, _say: Say = print) -> None:
    """Build one layer of the decisions: facts, law or marts."""
    with _step_of(home, run_id, layer) as run:
        build.layer(run, layer)


def check_result(home: Home, run_id: str, say: Say = print) -> None:
    """Check the result; block the regions whose own checks failed.

    Raises:
        StoppedError: an invariant does not hold.
    """
    with _step_of(home, run_id, "result") as run:
        outcome = blocking.check_and_settle(run, home.report(run_id))
        _tell(outcome, say)
        outcome.raise_if_stopped()


def publish(
    home: Home,
    run_id: str,
    say: Say = print,
    approved_by: str | None = None,
    kept_back: str | None = None,
) -> Publication | None:
    """File the run's own database and publish it; None where it is only filed.

    It may be tried again: what has been filed and published stays as it is.

    Args:
        home: where the run was built.
        run_id: the run.
        say: takes lines for people.
        approved_by: who let it be published, where somebody was asked; the receipt
            names them, and a list of unusual length may pass.
        kept_back: why it is only filed, where somebody was asked and it may not be
            published; the receipt says so.

    Raises:
        StoppedError: the list is too far from the last one, and nobody said why; or
            every region is blocked.
    """
    if not (home.scratch / run_id).exists() and receipt_path(home, run_id).exists():
        say(f"run {run_id} is filed already")
        current = current_publication(home)
        return current if current and current.run.run_id == run_id else None
    with _step_of(home, run_id, "publish") as run:
        _file(home, run)
        earlier = run.request.publish_earlier
        filed_only = kept_back or kept_from(home, run_id, run.is_official, earlier)
        reason = run.request.override or (approved_by and f"approved by {approved_by}")
        unusual = (
            []
            if filed_only
            else volume.check_volume(home, run_id, run.is_official, reason)
        )
        details = {
            "overridden_checks": overridden(run),
            # Of the publication, not of the result: a rerun keeps what was said first.
            **said_first(
                home,
                run_id,
                {
                    "approved_by": approved_by,
                    "kept_back": kept_back,
                    "volume_overridden": "|".join(unusual),
                    "gone_on_without": "|".join(run.request.without),
                    "engine": run.request.engine,
                },
            ),
        }
        write_receipt(home, run, details)
        volume.check_regions(home, run_id)
        publication = None
        if filed_only:
            say(f"run {run_id} {filed_only}:")
            say(f"it stays in {home.run_file(run_id)}")
        else:
            publication = _published(home, run, say)
        artifacts = home.report(run_id) / build.ARTIFACTS
        events.completed(run, home.run_file(run_id), artifacts, say)
        forget_stop(home, run.request.as_of)
    ending: Ending = "published" if publication else "filed"
    write_metrics(run, home.run_file(run_id), ending, say)
    _delete(home, run_id)
    return publication


def _published(home: Home, run: Run, say: Say) -> Publication:
    """Publish a filed run, seal the publication, and let its lists go on (p26)."""
    before = current_publication(home)
    if before:
        seal_if_missing(home, before)
    head = read_chain(home).head
    publication = publish_run(home, run.run_id, run.is_official, say, head)
    if before is None or publication.name != before.name:
        seal(home, publication)
    land_lists(home, publication, say)
    return publication


def clear_away(home: Home, run_id: str, say: Say = print) -> None:
    """Delete what is left of a run that did not end, and tell that it did not.

    Its file, if it is filed, and its reports stay.
    """
    try:
        # Without a folder it has ended, and said so.
        with suppress(KomekError, ValueError), private_files():
            run = load(home, run_id)
            note_stop(home, run.request, run_id, stopped(run))
            write_metrics(run, run.file, "stopped", say)
            events.ended(run, stopped(run), say)
    finally:
        _delete(home, run_id)


@contextmanager
def abandoned_on_failure(home: Home, run_id: str, say: Say = print) -> Iterator[None]:
    """Clear away a run that this process alone builds if it does not end."""
    try:
        with holding(home.scratch / run_id):
            yield
    except BaseException as error:
        clear_away(home, run_id, say)
        if isinstance(error, KomekError) and home.run_file(run_id).is_file():
            error.run_id = run_id
        raise


def _deciding(layer: str) -> Callable[[Home, str, Say], None]:
    return lambda home, run_id, say: decide(home, run_id, layer, say)


STEPS = (
    RunStep("read and sort the registries", stage),
    RunStep("check the registries", check_door),
    *(
        RunStep(label, _deciding(layer))
        for label, layer in zip(
            ("find the facts", "apply the law", "write the tables"),
            DECIDED_IN,
            strict=True,
        )
    ),
    RunStep("check the result", check_result),
)


@contextmanager
def _step_of(home: Home, run_id: str, step: str) -> Iterator[Run]:
    """Yield a run for one of its steps; what stops the step is noted with the run.

    An interrupt stops it whatever a library made of it, now or in the step before.
    """
    run = load(home, run_id)
    with private_files():
        note_stopped(run, None)
        interrupts.end_if_heard()
        began = time.monotonic()
        try:
            yield run
        except Exception as error:
            interrupts.end_if_heard()
            note_stopped(run, _reason(error))
            raise
        note_duration(run, step, time.monotonic() - began)


def _reason(error: Exception) -> str:
    """Return what an error says, where that can be no personal data."""
    if isinstance(error, KomekError):
        return str(error)
    if isinstance(error, duckdb.Error):
        return harmless(error)
    return type(error).__name__


def _delete(home: Home, run_id: str) -> None:
    on_spark.end(run_id)
    shutil.rmtree(home.scratch / run_id, ignore_errors=True)


def _file(home: Home, run: Run) -> None:
    """Move a finished run's database to its place, and dbt's artifacts beside it."""
    if not run.file.exists():
        if home.run_file(run.run_id).exists():
            return
        raise KomekError(f"run {run.run_id} has no file to publish")
    kept = home.report(run.run_id) / build.ARTIFACTS
    kept.mkdir(parents=True, exist_ok=True)
    for artifact in build.artifacts(run):
        shutil.copy2(artifact, kept / artifact.name)
    home.runs.mkdir(parents=True, exist_ok=True)
    filed.put_away(run.file)
    database.fold_log(run.file)
    os.replace(run.file, home.run_file(run.run_id))  # noqa: PTH105  (atomic)


def _tell(outcome: Outcome, say: Say) -> None:
    for warning in outcome.warnings:
        say(f"warning: {warning}")
    for name in outcome.overridden:
        say(f"overridden: {name}")
