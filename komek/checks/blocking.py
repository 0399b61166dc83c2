"""What the result checks leave in a run's tables: blocked regions, how it ended."""

from datetime import UTC, datetime

from komek.base import database
from komek.checks.outcome import Outcome
from komek.runs.run import Run, overridden


def settle(run: Run, outcome: Outcome) -> None:
    """Block the regions whose own checks failed, and note how the run was checked.

    A region that the law blocks already keeps its cause.
    """
    blocked = [[name, region] for region, name in outcome.blocked_regions.items()]
    with database.connect(run.file) as connection:
        connection.executemany(
            "update marts.region_status set publication = 'blocked',"
            " blocked_by = 'check:' || ? where region_kato = ?"
            " and blocked_by is null",
            blocked or [["", ""]],
        )
        connection.execute(
            "update marts.run set finished_at = ?, override_reason = ?,"
            " overridden_checks = ?",
            [
                datetime.now(UTC).replace(tzinfo=None, microsecond=0),
                run.request.override or "",
                overridden(run),
            ],
        )
