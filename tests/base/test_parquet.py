"""DuckDB reads the file it is told to, whatever the path looks like."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from komek.base import database


@pytest.mark.parametrize(
    "name",
    [
        *("[u] x", "a*", "a?b", "**", "[!u]", "[a-c]]*", "a{b,c}", "a\\b", "'", "қ"),
        *(
            "a=b",
            "iin=5",
            "#",
            "%20",
            "; --",
            "{{ x }}",
            "$HOME",
            "~",
            "-x",
            "s3:",
            "қ",
        ),
    ],
)
def test_only_that_file_and_its_columns_are_read(tmp_path: Path, name: str) -> None:
    for other in ("u x", "ab", "a1b", "b", name):
        path = tmp_path / other / "00000.parquet"
        path.parent.mkdir()
        pq.write_table(pa.table({"of": [other]}), path)
    read = duckdb.sql(f"from {database.scan(tmp_path / name / '00000.parquet')}")
    assert read.columns == ["of"]
    assert read.fetchall() == [(name,)]
