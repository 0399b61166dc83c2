"""How DuckDB is told to read a Parquet file: that one, and what is in it.

Left to itself it takes a path with `*`, `?` or `[` for a pattern, and so reads what
lies in other folders too, and takes `name=value` in a path for a column.
"""

import re
from collections.abc import Sequence
from pathlib import Path


def pattern(path: Path) -> str:
    """Return the pattern that no path but this one matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path.as_posix())


def literal(path: Path) -> str:
    """Return the path as an SQL text that stands for it where a pattern is read."""
    quoted = pattern(path).replace("'", "''")
    return f"'{quoted}'"


def scan(paths: Path | Sequence[Path], *options: str) -> str:
    """Return SQL that reads Parquet files; `options` are DuckDB's `name = value`."""
    several = [paths] if isinstance(paths, Path) else paths
    listed = ", ".join(literal(path) for path in several)
    given = ", ".join([f"[{listed}]", "hive_partitioning = false", *options])
    return f"read_parquet({given})"
