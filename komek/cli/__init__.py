"""The command line: `komek nation | pull | run | explain | diff | verify | ...`.

Reads arguments, shows progress, prints what came of it, and turns errors into one line
and an exit status. What is done is done elsewhere.
"""

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from komek import pipeline
from komek.base import ending
from komek.base.claim import refuse_claimed
from komek.base.errors import StoppedError, listed
from komek.base.files import private_files
from komek.base.lock import writer_lock
from komek.base.places import has_source
from komek.base.policies import policy_overrides
from komek.cli import keeping, reading
from komek.publishing import report
from komek.runs.run import DUCKDB, ENGINES, Request
from komek.sources.pull import today
from komek.terminal import showing_progress
from komek.terminal.options import (
    Day,
    drop_option,
    home_at,
    home_option,
    json_option,
    show,
)

# What the portal needs takes half a second to import: only where it is called.
_PORTAL = ("serve", "user", "token", "access")


class _Commands(click.Group):
    """The commands below, and those of the portal."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_PORTAL])

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
    with showing_progress(quiet=False) as progress, private_files():
        write_nation(folder, scale, seed, first, last, say=progress.say)


@cli.command()
@drop_option
@click.option("--entity", "entities", multiple=True, help="Only this entity (repeat).")
@click.option(
    "--date",
    "day",
    type=Day(),
    help="The day that sources without dates are pulled for (default: today).",
)
@home_option
@json_option
def pull(
    drop: str | None,
    entities: Sequence[str],
    day: date | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """Land what the sources have."""
    at = home_at(home)
    with (
        showing_progress(as_json) as progress,
        writer_lock(at, "komek pull", progress.say),
    ):
        landed = pipeline.pull(
            at,
            drop,
            list(entities) or None,
            say=progress.say,
            day=day,
            progress=progress.receiving,
        )
        progress.say(f"{landed} new snapshots in {at.landing}")
    if as_json:
        click.echo(json.dumps({"landed": landed}))


@cli.command()
@click.option("--check", "is_check", is_flag=True, help="Try each; land nothing.")
@click.option("--entity", "entities", multiple=True, help="Only this entity (repeat).")
@json_option
def sources(is_check: bool, entities: Sequence[str], as_json: bool) -> None:
    """Show where each registry comes from, and whether it can be reached."""
    from komek.sources.told import render, sources_told  # noqa: PLC0415

    told = sources_told(list(entities) or None, check=is_check)
    show(told, render, as_json)
    wrong = [one["entity"] for one in told["sources"] if one.get("ok") is False]
    if wrong:
        raise StoppedError(f"sources that cannot be pulled: {listed(wrong)}")


@cli.command()
@click.option("--as-of", type=Day(), required=True, help="The day to decide for.")
@click.option("--known-at", type=Day(), help="Last day of records (default: as-of).")
@drop_option
@home_option
@click.option("--policy", "policies", multiple=True, help="NAME=VALUE (repeat).")
@click.option("--override", help="Why to go on past tolerance checks.")
@click.option(
    "--publish",
    "publish_earlier",
    is_flag=True,
    help="Publish it although a later day is published.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=DUCKDB,
    show_default=True,
    help="What decides; the result is the same.",
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
    engine: str,
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
        engine=engine,
    )
    at = home_at(home)
    with (
        showing_progress(as_json) as progress,
        writer_lock(at, "komek run", progress.say),
    ):
        refuse_claimed(at, progress.say)
        if drop is not None or has_source():
            with progress.step("pull the registries"):
                known = request.known_at
                pipeline.pull(
                    at,
                    drop,
                    until=known,
                    say=progress.say,
                    day=known,
                    # Of a day that is over, what has landed is nearer than what is now.
                    again=known >= today(),
                    progress=progress.receiving,
                )
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
    show(report.of_run(at, run_id), report.run_lines, as_json)


@cli.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Show runs, what is published, what is blocked, how fresh the registries are."""
    from komek.publishing.status import render  # noqa: PLC0415
    from komek.publishing.status import status as status_of  # noqa: PLC0415
    from komek.trust.open_ends import open_end_lines, open_ends  # noqa: PLC0415
    from komek.trust.standing import standing, standing_lines  # noqa: PLC0415

    at = home_at(home)
    show(
        status_of(at) | standing(at) | open_ends(at),
        lambda state: [
            render(state),
            "",
            *open_end_lines(state),
            *standing_lines(state),
        ],
        as_json,
    )


for command in (
    *(reading.explain, reading.diff, reading.verify, reading.simulate, reading.papers),
    *(keeping.retire, keeping.backup, keeping.restore, keeping.key),
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with the status it ends with."""
    sys.exit(ending.run(lambda: cli))
