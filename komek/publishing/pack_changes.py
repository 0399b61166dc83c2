"""What has changed since a region's previous pack: pack_changes.sql compares them."""

from pathlib import Path

import duckdb

from komek.base.database import text_literal
from komek.publishing.listed_rows import TEXTS, shortened
from komek.publishing.pack_files import (
    COLUMNS,
    CSV_OPTIONS,
    Pack,
    parquet_options,
    read_parquet,
)

# Of the whole pack, and of the person.
_NOT_COMPARED = ("list_month", "iin")
# What people are named by, and what says how a row stands.
_ALWAYS_READ = ("last_name", "first_name", "middle_name", "standing", "moved_to")


def find_changes(
    connection: duckdb.DuckDBPyConnection, pack: Pack, previous: Path | None
) -> int:
    """Keep who was added, ended, removed or changed as `pack_changes`; say how many.

    A row per person. Without a previous pack there is none.
    """
    before, region = "(from pack_rows limit 0)", None
    if previous is not None:
        before = read_parquet(previous / "recipients.parquet", pack.region_kato)
        region = pack.region_kato
    described = connection.execute(f"describe from {before}").fetchall()
    # A pack of an older version of the project may lack a column.
    had = [name for name, *_ in described]
    lacking = "".join(
        f", null::varchar as {name}" for name in _ALWAYS_READ if name not in had
    )
    # Of long texts the rows of this pack have the hash, too.
    shorter = ", ".join(
        f"{shortened(name)} as {name}" if name in TEXTS else name for name in had
    )
    connection.execute(
        "create or replace temp view previous_pack as"
        f" select {shorter}{lacking} from {before}"
    )
    columns = [name for name in COLUMNS if name in had and name not in _NOT_COMPARED]
    compared = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection.execute(
        f"create or replace temp table pack_changes as\n{compared}",
        {"region": region, "columns": columns},
    )
    (count,) = connection.execute("select count(*) from pack_changes").fetchone() or (
        0,
    )
    return int(count)


def write_changes(
    connection: duckdb.DuckDBPyConnection, pack: Pack, path: Path
) -> None:
    """Write the changes found: codes and names of columns, nothing somebody wrote.

    The columns are `iin`, `change` (added, ended, resumed, moved, changed, removed),
    `list_no`, `cause` (why it ended, where somebody moved, the grounds of a newcomer)
    and the names of the columns that differ.
    """
    options = CSV_OPTIONS
    if path.suffix == ".parquet":
        options = parquet_options(pack.region_kato)
    connection.execute(
        "copy (select iin, change, list_no, cause, columns from pack_changes"
        f" order by iin) to {text_literal(path)} {options}"
    )
