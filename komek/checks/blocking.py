"""The checks of the result, and what they leave in the run: blocked regions, an end."""

from datetime import UTC, datetime
from pathlib import Path

from komek.base import database
from komek.checks import check
from komek.checks.outcome import Outcome
from komek.runs import build
from komek.runs.run import Run, blocked, note_blocked, overridden

# What says which regions are published: all that rests on it is built with the blocks.
_SAYS_WHAT_IS_BLOCKED = "p27_region_norm"


def check_and_settle(run: Run, report: Path) -> Outcome:
    """Check the result; block the regions whose own checks failed, and note the end.

    A run that a check stops is left as it is: whoever asked tells its warnings first,
    and raises.

    Who would be newly listed in a blocked region is held back (p26): the lists and what
    rests on them are built once more. A region that the law blocks keeps its cause.

    Args:
        run: the run, built up to its marts.
        report: folder of its reports.
    """
    outcome = check.check_result(run.file, report)
    if not outcome.stopped and outcome.blocked_regions != blocked(run):
        note_blocked(run, outcome.blocked_regions)
        build.anew(run, _SAYS_WHAT_IS_BLOCKED)
        outcome = check.check_result(run.file, report)
    if outcome.stopped:
        return outcome
    with database.connect(run.file) as connection:
        connection.execute(
            "update marts.run set finished_at = ?, override_reason = ?,"
            " overridden_checks = ?",
            [
                datetime.now(UTC).replace(tzinfo=None, microsecond=0),
                run.request.override or "",
                overridden(run),
            ],
        )
    return outcome
