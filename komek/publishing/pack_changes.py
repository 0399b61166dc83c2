"""What has changed since a region's previous pack: pack_changes.sql compares them."""

from pathlib import Path

import duckdb

from komek.base.database import text_literal
from komek.publishing.pack_files import (
    COLUMNS,
    CSV_OPTIONS,
    Pack,
    parquet_options,
    read_parquet,
)
from komek.publishing.pack_rows import TEXTS, shortened

# Of the whole pack, and of the person.
_NOT_COMPARED = ("list_month", "iin")


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    path: Path,
    previous: Path | None,
) -> int:
    """Write who was added, removed or changed since the previous pack; say how many.

    A row per person: `iin`, `change` (added, removed, changed) and, of the changed, the
    names of the columns that did. Without a previous pack there is a header only.
    """
    before, region = "(from pack_rows limit 0)", None
    if previous is not None:
        before = read_parquet(previous / "recipients.parquet", pack.region_kato)
        region = pack.region_kato
    described = connection.execute(f"describe from {before}").fetchall()
    # A pack of an older version of the project may lack a column.
    had = [name for name, *_ in described]
    # Of long texts the rows of this pack have the hash, too.
    shorter = ", ".join(
        f"{shortened(name)} as {name}" if name in TEXTS else name for name in had
    )
    connection.execute(
        f"create or replace temp view previous_pack as select {shorter} from {before}"
    )
    columns = [
        column.name
        for column in COLUMNS
        if column.name in had and column.name not in _NOT_COMPARED
    ]
    options = CSV_OPTIONS
    if path.suffix == ".parquet":
        options = parquet_options(pack.region_kato)
    compared = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    (count,) = connection.execute(
        f"copy (\n{compared}\n) to {text_literal(path)} {options}",
        {"region": region, "columns": columns},
    ).fetchone() or (0,)
    return int(count)
