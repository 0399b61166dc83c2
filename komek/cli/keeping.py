"""Commands that keep a home: `komek retire | backup | restore | key`."""

import json
import re
from datetime import date
from pathlib import Path

import click

from komek.base import database
from komek.base.lock import writer_lock
from komek.terminal import showing_progress
from komek.terminal.options import Day, home_at, home_option, json_option


@click.command()
@click.option("--before", type=Day(), required=True, help="Retire what is older.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@home_option
@json_option
def retire(before: date, dry_run: bool, home: Path | None, as_json: bool) -> None:
    """Delete old snapshots, run files and reports that no receipt needs."""
    from komek.trust.retention import retire as retire_from  # noqa: PLC0415
    from komek.trust.retired_runs import retire_runs  # noqa: PLC0415

    at = home_at(home)
    with (
        showing_progress(as_json) as progress,
        writer_lock(at, "komek retire", progress.say),
    ):
        retired = retire_from(at, before, progress.say, dry_run=dry_run)
        retired += retire_runs(at, before, progress.say, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps({"retired": retired, "dry_run": dry_run}))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@home_option
@json_option
def backup(folder: Path, home: Path | None, as_json: bool) -> None:
    """Copy the home into FOLDER, or bring the copy there up to date; runs go on."""
    from komek.keep.backup import backup as back_up  # noqa: PLC0415

    with showing_progress(as_json) as progress:
        copied = back_up(home_at(home), folder, progress.say)
    if as_json:
        click.echo(json.dumps(copied.as_json()))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@home_option
@json_option
def restore(folder: Path, home: Path | None, as_json: bool) -> None:
    """Make an empty home of the backup in FOLDER."""
    from komek.keep.backup import restore as restore_from  # noqa: PLC0415

    with showing_progress(as_json) as progress:
        copied = restore_from(folder, home_at(home), progress.say)
    if as_json:
        click.echo(json.dumps(copied.as_json()))


@click.command()
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
