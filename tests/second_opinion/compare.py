"""Compare the pipeline's tables with the floor's, row by row.

Over the columns that the outputs' contract names; further columns of either side are
its own. Usage::

    python tests/second_opinion/compare.py RUN.duckdb FLOOR.duckdb [--table T ...]
        [--show N]
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

TABLES: dict[str, str] = {
    "food_set_decisions": "list_month, iin, ground, outcome, reason, paragraph,"
    " region_kato",
    "food_set_recipients": "list_month, iin, region_kato, district_kato,"
    " primary_ground, grounds, mode, set_cost",
    "food_set_lists": "list_month, iin, list_no, listed_on, region_kato,"
    " district_kato, primary_ground, grounds, standing, ended_on, ended_reason,"
    " delivery_status",
    "list_reconciliation": "list_month, region_kato, listed, ended, sets, delivered,"
    " failed, returned, outstanding, withdrawn, amount_delivered",
    "asp_extensions": "award_id, family_id, outcome, reason, review_reasons,"
    " old_period_start, old_period_end, new_period_start, new_period_end,"
    " monthly_amount",
    "disability_extensions": "term_id, iin, kind, category, outcome, reason,"
    " old_valid_until, new_valid_until",
    "mse_queue": "iin, term_id, cause, due_on",
    "mse_findings": 'term_id, iin, "check", outcome, finding, due_on',
    "payout_schedule": "award_id, iin, benefit, month, basis, amount, paid_amount,"
    " due_amount, overpaid_amount, pay_on, paragraph",
    "case_deadlines": "case_kind, case_id, step, paragraph, started_on, due_on,"
    " done_on, status",
    "jobseeker_findings": "case_id, iin, finding, paragraph",
    "application_findings": "application_id, finding, paragraph",
    "delivery_plan": "list_month, iin, region_kato, mode, contract_id, allocation,"
    " iban, account_iin, amount, delivery_status, list_no, standing",
    "delivery_findings": "delivery_id, iin, finding",
    "contract_findings": "contract_id, region_kato, finding, paragraph",
    "region_status": "region_kato, recipients, amount_total, norm_cost, floor_cost,"
    " publication, blocked_by",
    "quarantine": "entity, snapshot_date, file, row_number, reason, key",
    "snapshot_use": "entity, snapshot_date, revision, sha256, rows_received,"
    " rows_accepted, rows_quarantined, rows_duplicate",
}
LEFT, RIGHT = "run.marts", "floor_file.floor"


def _only(table: str, side: str, other: str) -> str:
    """Return the select of the rows of one side that the other has not."""
    columns = TABLES[table]
    return (
        f"select {columns} from {side}.{table}"
        f" except all select {columns} from {other}.{table}"
    )


def _open(run_file: Path, floor_file: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for path, name in ((run_file, "run"), (floor_file, "floor_file")):
        quoted = str(path).replace("'", "''")
        connection.execute(f"attach '{quoted}' as {name} (read_only)")
    return connection


def compare(
    run_file: Path, floor_file: Path, tables: Sequence[str] | None = None
) -> dict[str, tuple[int, int]]:
    """Count the rows that only one side has.

    Args:
        run_file: a run's DuckDB file, with schema `marts`.
        floor_file: the floor's, with schema `floor`.
        tables: some of `TABLES`; all by default.

    Returns:
        Per table, rows only in `marts` and rows only in `floor`, copies counted.

    Raises:
        duckdb.Error: a table or a column is missing on either side.
    """
    with _open(run_file, floor_file) as connection:
        return {
            table: (
                _count(connection, _only(table, LEFT, RIGHT)),
                _count(connection, _only(table, RIGHT, LEFT)),
            )
            for table in (tables or TABLES)
        }


def _count(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    row = connection.execute(f"select count(*) from ({select})").fetchone()
    return 0 if row is None else row[0]


def show(run_file: Path, floor_file: Path, table: str, rows: int) -> str:
    """Return some rows of a table that only one side has: personal data, for tests."""
    with _open(run_file, floor_file) as connection:
        sides = (("run", LEFT, RIGHT), ("floor", RIGHT, LEFT))
        lines = [
            f"  {name}: {' | '.join(str(value) for value in row)}"
            for name, side, other in sides
            for row in connection.execute(
                f"{_only(table, side, other)} order by all limit {rows}"
            ).fetchall()
        ]
    return "\n".join(lines)


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the differences by table; the status is 1 if there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("floor", type=Path)
    parser.add_argument("--table", action="append", choices=TABLES)
    parser.add_argument(
        "--show",
        type=int,
        default=0,
        metavar="N",
        help="print N differing rows a side (personal data: only for invented nations)",
    )
    given = parser.parse_args(None if arguments is None else list(arguments))
    differences = compare(given.run, given.floor, given.table)
    for table, (only_run, only_floor) in differences.items():
        sys.stdout.write(
            f"{table:24} only run {only_run:9,}   only floor {only_floor:9,}\n"
        )
        if given.show and (only_run or only_floor):
            sys.stdout.write(show(given.run, given.floor, table, given.show) + "\n")
    return int(any(one or other for one, other in differences.values()))


if __name__ == "__main__":
    sys.exit(main())
