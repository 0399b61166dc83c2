"""What of old runs may go: their files and reports, never receipts or publications.

A receipt and its inputs stay, so that the run can be computed again and verified; that
its file went, and when in the order of things, is a link of the chain.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from komek.base.places import Home
from komek.base.say import Say
from komek.base.scratch import RUN
from komek.publishing.publication import current_publication
from komek.runs.days import scheduled_days
from komek.trust.audit import publication_folders
from komek.trust.chain import RETIRED, add_link, path_below, receipt_path
from komek.trust.receipts import read_receipt

_RUN_ID = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})-[0-9a-f]{12}")


@dataclass(frozen=True)
class _OldRun:
    """A run whose file and reports may go, and what there is of it."""

    run_id: str
    paths: tuple[Path, ...]


def retire_runs(home: Home, before: date, say: Say, *, dry_run: bool) -> list[str]:
    """Remove the files and reports of runs for earlier days that nobody needs.

    What stays: every receipt; runs that a publication which is there is made of; runs
    being built. Notes of scheduled days go with them.

    Args:
        home: where the runs are.
        before: runs for this day and later stay.
        say: gets a line per run.
        dry_run: only say what would be removed.

    Returns:
        What was (or would be) removed, as paths below the home.

    Raises:
        KomekError: a receipt cannot be read; nothing was removed.
    """
    old = list(_old_runs(home, before))
    days = [
        home.days / f"{found.day}.json"
        for found in scheduled_days(home)
        if found.day < before
    ]
    for run in old:
        if not dry_run:
            _remove(home, run)
        say(f"run {run.run_id}: {'to be ' if dry_run else ''}removed, but its receipt")
    for path in days if not dry_run else ():
        path.unlink(missing_ok=True)
    paths = [*(path for run in old for path in run.paths), *days]
    return [path_below(home, path) for path in paths]


def _old_runs(home: Home, before: date) -> Iterator[_OldRun]:
    needed = {folder.name.partition("-")[2] for folder in publication_folders(home)}
    needed |= {path.parent.name for path in home.scratch.glob(f"*/{RUN}")}
    current = current_publication(home)
    if current:
        needed.add(current.run.run_id)
    reports = [path.name for path in home.reports.glob("*") if path.is_dir()]
    for run_id in sorted({*home.run_ids(), *reports} - needed):
        is_filed = receipt_path(home, run_id).exists()
        as_of = _as_of(home, run_id, is_filed=is_filed)
        paths = tuple(_paths(home, run_id, is_filed=is_filed))
        if as_of is not None and as_of < before and paths:
            yield _OldRun(run_id, paths)


def _as_of(home: Home, run_id: str, *, is_filed: bool) -> date | None:
    """Return the day a run decides for; None for what is no run's."""
    if is_filed:
        try:
            return date.fromisoformat(read_receipt(home, run_id)["as_of"])
        except (KeyError, TypeError, ValueError):
            # A receipt that names no day says nothing that could be judged.
            return None
    found = _RUN_ID.fullmatch(run_id)
    with suppress(ValueError):
        return date(*map(int, found.groups())) if found else None
    return None


def _paths(home: Home, run_id: str, *, is_filed: bool) -> Iterator[Path]:
    """Yield what there is of a run, beside the receipt."""
    file, report = home.run_file(run_id), home.report(run_id)
    # A file without a receipt is in no chain: whoever put it there knows why.
    if file.exists() and is_filed:
        yield file
    if not is_filed and report.exists() and not file.exists():
        yield report
    elif is_filed:
        yield from sorted({*report.iterdir()} - {receipt_path(home, run_id)})


def _remove(home: Home, run: _OldRun) -> None:
    file = home.run_file(run.run_id)
    if file in run.paths:
        # First said, then done: what is said to be gone may still be there.
        add_link(home, run.run_id, {path_below(home, file): RETIRED})
    for path in run.paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
