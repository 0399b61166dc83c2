"""The lists of the months (p26), counted by their numbers."""

from dataclasses import dataclass
from datetime import date

import duckdb


@dataclass(frozen=True)
class ListOfMonth:
    """A list of a month in a region: the people it added, and how they stand now.

    Those of earlier lists are on every later one. Delivered, failed, returned and
    outstanding (what came of their first set) add up to `listed`.
    """

    list_month: date
    region_kato: str
    list_no: int
    listed_on: date
    listed: int
    ended: int
    delivered: int
    failed: int
    returned: int
    outstanding: int


def lists_by_region(
    connection: duckdb.DuckDBPyConnection, catalog: str | None = None
) -> list[ListOfMonth]:
    """Return the lists of a run by month, region and number; those held back have none.

    Args:
        connection: reads the run's file.
        catalog: what the file is attached as, None where it is what was opened.
    """
    run = f"{catalog}." if catalog else ""
    return [
        ListOfMonth(*row)
        for row in connection.execute(
            f"""
            select
                list_month,
                region_kato,
                list_no,
                listed_on,
                count(*),
                count(*) filter (where standing = 'ended'),
                count(*) filter (where delivery_status = 'delivered'),
                count(*) filter (where delivery_status = 'failed'),
                count(*) filter (where delivery_status = 'returned'),
                count(*) filter (where delivery_status = 'outstanding')
            from {run}marts.food_set_lists
            where list_no is not null
            group by list_month, region_kato, list_no, listed_on
            order by list_month, region_kato, list_no
            """
        ).fetchall()
    ]


def has_lists(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether an opened run has lists: those of earlier versions have none."""
    found = connection.execute(
        "select 1 from information_schema.tables"
        " where (table_schema, table_name) = ('marts', 'food_set_lists')"
    ).fetchone()
    return found is not None
