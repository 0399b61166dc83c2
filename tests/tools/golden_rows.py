"""A table of a run held against golden rows, by equality."""

from pathlib import Path

import duckdb

SHOWN = 5


def differences(marts: duckdb.DuckDBPyConnection, expected: Path) -> str:
    """Return what only one side has, '' where there is nothing.

    Compared as text, null as null: a date, an amount and a code have one writing.

    Args:
        marts: an open file of a run.
        expected: `<table>.csv`; the columns it lacks are not compared.
    """
    source = f"read_csv('{expected}', header = true, all_varchar = true)"
    columns = [row[0] for row in marts.execute(f"describe from {source}").fetchall()]
    received = ", ".join(
        f'nullif(cast("{column}" as varchar), \'\') as "{column}"' for column in columns
    )
    wanted = f"select * from {source}"
    got = f"select {received} from marts.{expected.stem}"
    missing, unexpected = _only(marts, wanted, got), _only(marts, got, wanted)
    if not (missing or unexpected):
        return ""
    return "\n".join(
        [
            f"{expected.parent.name}/{expected.stem} ({', '.join(columns)})",
            *(f"missing: {row}" for row in missing[:SHOWN]),
            *(f"unexpected: {row}" for row in unexpected[:SHOWN]),
        ]
    )


def _only(
    connection: duckdb.DuckDBPyConnection, left: str, right: str
) -> list[tuple[str | None, ...]]:
    return connection.execute(
        f"select * from ({left} except all {right}) order by all"
    ).fetchall()
