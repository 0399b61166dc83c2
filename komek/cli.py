"""The command line: `komek nation | pull | run | explain | diff | verify | ...`.

Reads arguments, shows progress, prints what came of it, and turns errors into one line
and an exit status. What is done is done elsewhere.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from komek import pipeline
from komek.base import database, ending
from komek.base.errors import StoppedError, listed, printable
from komek.base.files import private_files
from komek.base.lock import writer_lock
from komek.base.options import Day, home_at, home_option, json_option
from komek.base.places import has_source
from komek.base.policies import policy_overrides
from komek.publishing import report
from komek.publishing.publication import parsed_head
from komek.runs.run import Request

if TYPE_CHECKING:
    import rich.progress


_drop = click.option(
    "--drop", help="A drop folder, in place of the configured sources."
)


class _Progress:
    """What is going on: a bar per step on a terminal, plain lines elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bars: rich.progress.Progress | None = None
        if not quiet and sys.stdout.isatty():
            from rich.progress import (  # noqa: PLC0415  (only where it is shown)
                BarColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bars = Progress(
                TextColumn("{task.description:32}"), BarColumn(), TimeElapsedColumn()
            )

    def say(self, text: str) -> None:
        """Print a line for people."""
        text = printable(text)
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False)
        elif not self._quiet:
            click.echo(text)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a step while it lasts."""
        if not self._bars:
            self.say(f"{label} ...")
            yield
            return
        self._bars.start()
        task = self._bars.add_task(label, total=None)
        try:
            yield
            self._bars.update(task, total=1, completed=1)
        finally:
            self._bars.stop_task(task)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bars:
            self._bars.stop()


@contextmanager
def _progress(quiet: bool) -> Iterator[_Progress]:
    progress = _Progress(quiet)
    try:
        yield progress
    finally:
        progress.close()


# What the portal needs takes half a second to import: only where it is called.
_PORTAL = ("serve", "user", "token", "access")


class _Commands(click.Group):
    """The commands below, and those of the portal."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_PORTAL]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PORTAL:
            return super().get_command(ctx, cmd_name)
        from komek.portal import commands  # noqa: PLC0415

        found: click.Command = getattr(commands, cmd_name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="komek")
def cli() -> None:
    """Decide by Order No. 118 of 1 April 2020, and show why."""


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=0.01,
    show_default=True,
    help="Share of the nation; 1.0 is 18,631,779 people.",
)
@click.option("--seed", type=int, default=118, show_default=True)
@click.option("--from", "first", type=Day(), default="2020-03-01", show_default=True)
@click.option("--to", "last", type=Day(), default="2020-05-31", show_default=True)
def nation(folder: Path, scale: float, seed: int, first: date, last: date) -> None:
    """Write the demo nation into FOLDER, as a drop folder."""
    from komek.nation import write_nation  # noqa: PLC0415

    if last < first:
        raise click.UsageError("--to is before --from")
    with _progress(quiet=False) as progress, private_files():
        write_nation(folder, scale, seed, first, last, say=progress.say)


@cli.command()
@_drop
@click.option("--entity", "entities", multiple=True, help="Only this entity (repeat).")
@home_option
@json_option
def pull(
    drop: str | None, entities: Sequence[str], home: Path | None, as_json: bool
) -> None:
    """Land what the sources have."""
    at = home_at(home)
    with _progress(as_json) as progress, writer_lock(at, "komek pull", progress.say):
        landed = pipeline.pull(at, drop, list(entities) or None, say=progress.say)
        progress.say(f"{landed} new snapshots in {at.landing}")
    if as_json:
        click.echo(json.dumps({"landed": landed}))


@cli.command()
@click.option("--as-of", type=Day(), required=True, help="The day to decide for.")
@click.option("--known-at", type=Day(), help="Last day of records (default: as-of).")
@_drop
@home_option
@click.option("--policy", "policies", multiple=True, help="NAME=VALUE (repeat).")
@click.option("--override", help="Why to go on past tolerance checks.")
@click.option(
    "--publish",
    "publish_earlier",
    is_flag=True,
    help="Publish it although a later day is published.",
)
@json_option
def run(
    as_of: date,
    known_at: date | None,
    drop: str | None,
    home: Path | None,
    policies: Sequence[str],
    override: str | None,
    publish_earlier: bool,
    as_json: bool,
) -> None:
    """Pull, check, decide, check, publish."""
    if override is not None and not override.strip():
        raise click.UsageError("--override needs a reason")
    request = Request(
        as_of,
        known_at or as_of,
        policy_overrides(policies),
        override,
        publish_earlier,
    )
    at = home_at(home)
    with _progress(as_json) as progress, writer_lock(at, "komek run", progress.say):
        if drop is not None or has_source():
            with progress.step("pull the registries"):
                pipeline.pull(at, drop, until=request.known_at, say=progress.say)
        else:
            progress.say("there is no drop folder: going on with what has landed")
        with progress.step("find what the run may know"):
            run_id = pipeline.prepare(at, request, progress.say, alone=True)
        with pipeline.abandoned_on_failure(at, run_id, progress.say):
            for step in pipeline.STEPS:
                with progress.step(step.label):
                    step.act(at, run_id, progress.say)
            with progress.step("publish"):
                pipeline.publish(at, run_id, progress.say)
    _show(report.of_run(at, run_id), report.run_lines, as_json)


@cli.command()
@click.argument("iin")
@click.option("--run", "run_id", help="A finished run (default: the published one).")
@click.option(
    "--lang", type=click.Choice(["en", "ru", "kk"]), default="en", show_default=True
)
@home_option
@json_option
def explain(
    iin: str, run_id: str | None, lang: str, home: Path | None, as_json: bool
) -> None:
    """Every decision on a person: paragraph, reading, values compared, source rows."""
    from komek.explain import explain as explanation_of  # noqa: PLC0415
    from komek.explain import render  # noqa: PLC0415

    explanation = explanation_of(home_at(home), iin, run_id)
    _show(explanation, lambda found: render(found, lang), as_json)


@cli.command()
@click.argument("first")
@click.argument("second")
@home_option
@json_option
def diff(first: str, second: str, home: Path | None, as_json: bool) -> None:
    """Who was added, removed or changed between two runs, and the one cause of each."""
    from komek.diff import diff as difference_of  # noqa: PLC0415
    from komek.diff import render  # noqa: PLC0415

    at = home_at(home)
    with _progress(as_json) as progress:
        difference = difference_of(at, first, second, progress.say)
    _show(difference, render, as_json)


@cli.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--chain", "is_chain", is_flag=True, help="The whole chain of receipts.")
@click.option(
    "--head",
    "heads",
    metavar="NUMBER:SHA256",
    multiple=True,
    help="A link that a copy outside names, as a pack's manifest does (repeat).",
)
@click.option(
    "--public-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM file of the keys that sign (default: KOMEK_VERIFY_KEY).",
)
@home_option
@json_option
def verify(
    run_id: str | None,
    is_chain: bool,
    heads: Sequence[str],
    public_key: Path | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Recompute a RUN and compare every table; or check every link of the --chain."""
    if is_chain == (run_id is not None) or (heads and not is_chain):
        raise click.UsageError("it takes a RUN, or --chain, which may have --head")
    from komek.trust.audit import audit  # noqa: PLC0415
    from komek.trust.signatures import public_keys  # noqa: PLC0415
    from komek.trust.verify import verify as verified  # noqa: PLC0415

    at = home_at(home)
    if run_id is None:
        audited = audit(at, public_keys(public_key), map(parsed_head, heads))
        findings, notes = audited.findings, audited.notes
        told: dict[str, Any] = {"head": str(audited.head) if audited.head else None}
        about = "the chain of receipts"
        holds = f"every link holds up to {audited.head}"
    else:
        with (
            _progress(as_json) as progress,
            writer_lock(at, "komek verify", progress.say),
        ):
            run = verified(at, run_id, progress.say, public_key)
        findings, notes = run.findings, run.notes
        told = {"run_id": run_id}
        about, holds = f"run {run_id}", "every input and every table is what it was"
    if as_json:
        told |= {"findings": findings, "notes": notes}
        click.echo(json.dumps(told))
    else:
        for line in (*findings, *(f"note: {note}" for note in notes)):
            click.echo(line)
    if findings:
        several = listed(findings, "; ")
        raise StoppedError(f"{about} is not what it was: {several}")
    if not as_json:
        click.echo(f"{about}: {holds}")


@cli.command()
@click.option("--before", type=Day(), required=True, help="Retire what is older.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@home_option
@json_option
def retire(before: date, dry_run: bool, home: Path | None, as_json: bool) -> None:
    """Delete old landed snapshots that no receipt needs."""
    from komek.trust.retention import retire as retire_from  # noqa: PLC0415

    at = home_at(home)
    with _progress(as_json) as progress, writer_lock(at, "komek retire", progress.say):
        retired = retire_from(at, before, progress.say, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"retired": retired, "dry_run": dry_run}))


@cli.command()
@click.argument("region_kato", required=False, metavar="[REGION]")
@click.option(
    "--signing",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a new private key to sign receipts with; print its public key.",
)
def key(region_kato: str | None, signing: Path | None) -> None:
    """Print the key of a REGION's packs (nine digits), or of landing and warehouse."""
    if signing is not None:
        from komek.trust.signatures import make_pair  # noqa: PLC0415

        if region_kato is not None:
            raise click.UsageError("it takes a REGION or --signing, not both")
        click.echo(make_pair(signing), nl=False)
        return
    if region_kato is not None and not re.fullmatch(r"[0-9]{9}", region_kato):
        raise click.UsageError(f"{region_kato!r} is not a code of nine digits")
    click.echo(database.key_of(region_kato))


@cli.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Show runs, what is published, what is blocked, how fresh the registries are."""
    from komek.publishing.status import render  # noqa: PLC0415
    from komek.publishing.status import status as status_of  # noqa: PLC0415
    from komek.trust.standing import standing, standing_lines  # noqa: PLC0415

    at = home_at(home)
    _show(
        status_of(at) | standing(at),
        lambda state: [render(state), "", *standing_lines(state)],
        as_json,
    )


def _show(
    result: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], as_json: bool
) -> None:
    if as_json:
        click.echo(printable(json.dumps(result, ensure_ascii=False)))
    else:
        for line in lines(result):
            click.echo(printable(line))


def main() -> None:
    """Run the command line and exit with the status it ends with."""
    sys.exit(ending.run(lambda: cli))
