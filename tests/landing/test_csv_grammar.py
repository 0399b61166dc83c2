"""Values of a CSV are taken as written, and keep their places."""

import codecs
import csv
import gzip
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komek.base.places import Home
from komek.landing import received_csv
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    ENTITY,
    HEADER,
    land_csv,
    put,
    write_small,
)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("award_id,iin\na,1\n", [("a", "1", None)]),
        ("award_id,iin\r\na,1\r\n", [("a", "1", None)]),
        ("award_id,iin\ra,1\r", [("a", "1", None)]),
        ("award_id;iin\na,b;1\n", [("a,b", "1", None)]),
        ("award_id\tiin\na\t1\n", [("a", "1", None)]),
        ("iin,award_id\n1,a\n", [("1", "a", None)]),
        ('"award_id","iin"\n"a","1"\n', [("a", "1", None)]),
        ("\n\r\naward_id,iin\n\n\na,1\n\n", [("a", "1", None)]),
        ("award_id,iin\na,1", [("a", "1", None)]),
        ('award_id,iin\na,"1"', [("a", "1", None)]),
        ("award_id,iin\n", []),
        ("award_id,iin", []),
        ("award_id,iin\n ,\t\n", [(" ", "\t", None)]),
        ("award_id,iin\n,\n", [(None, None, None)]),
        ('award_id,iin\n"",""\n', [(None, None, None)]),
        ("award_id,iin\nNA,NULL\n", [("NA", "NULL", None)]),
        ("award_id,iin\nnull,nan\n", [("null", "nan", None)]),
        ("award_id,iin\n001,1e5\n", [("001", "1e5", None)]),
        ("award_id,iin\ntrue,2020-01-01\n", [("true", "2020-01-01", None)]),
        ('award_id,iin\n"a ""b"" c",1\n', [('a "b" c', "1", None)]),
        ('award_id,iin\na "b" c,1\n', [('a "b" c', "1", None)]),
        ('award_id,iin\n5" pipe,1\n', [('5" pipe', "1", None)]),
        ('award_id,iin\n"a\n\nb","1\r\n2"\n', [("a\n\nb", "1\r\n2", None)]),
        ("award_id,iin\nФамилия,қазақ\n", [("Фамилия", "қазақ", None)]),
    ],
)
def test_values_are_taken_as_written(
    home: Home, drop: Path, content: str, rows: list[tuple]
) -> None:
    assert land_csv(home, drop, content) == rows


def test_a_byte_order_mark_is_stripped(home: Home, drop: Path) -> None:
    content = codecs.BOM_UTF8 + b'"award_id";iin\na;1\n'
    assert land_csv(home, drop, content) == [("a", "1", None)]
    (snapshot,) = newest_snapshots(home, ENTITY)
    assert [c.name for c in snapshot.files[0].columns] == ["award_id", "iin"]


def test_the_delimiter_is_the_one_that_yields_declared_names(
    home: Home, drop: Path
) -> None:
    content = "award_id;x,y,z;iin\na;b,c;1\n"
    assert land_csv(home, drop, content) == [("a", "b,c", "1", None)]


def test_missing_and_extra_columns_are_not_the_landing_s_business(
    home: Home, drop: Path
) -> None:
    assert land_csv(home, drop, "iin,surplus\n1,x\n") == [("1", "x", None)]


def test_a_single_column(home: Home, drop: Path) -> None:
    rows = [("1", None), (None, None), (None, "2,3"), ("4", None)]
    assert land_csv(home, drop, 'iin\n1\n""\n\n2,3\n4\n') == rows


def test_malformed_lines_keep_their_place_and_text(home: Home, drop: Path) -> None:
    content = HEADER + ('lost\n\na,1\n\nb,2,3\nc,4\n \n"two\nlines"\nd,"5\n5"\nlast\n')
    assert land_csv(home, drop, content) == [
        (None, None, "lost"),
        ("a", "1", None),
        (None, None, "b,2,3"),
        ("c", "4", None),
        (None, None, " "),
        (None, None, '"two\nlines"'),
        ("d", "5\n5", None),
        (None, None, "last"),
    ]
    (snapshot,) = newest_snapshots(home, ENTITY)
    assert (snapshot.rows, snapshot.manifest.malformed_rows) == (8, 5)


def test_every_line_may_be_malformed(home: Home, drop: Path) -> None:
    rows = [(None, None, str(n)) for n in range(100)]
    content = HEADER + "".join(f"{n}\n" for n in range(100))
    assert land_csv(home, drop, content) == rows


def test_many_blocks_and_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_csv, "ROW_GROUP_ROWS", 1_000)
    expected = [
        (None, None, f"bad {n}")
        if n % 7 == 3 or n > 19_000
        else (f"a{n}", f"{n}", None)
        for n in range(20_000)
    ]
    lines = [bad or f"{award},{iin}" for award, iin, bad in expected]
    path = put(tmp_path, "many.csv", HEADER + "\n".join(lines) + "\n")
    target = tmp_path / "many.parquet"
    assert write_small(path, target, block_bytes=4_096) == expected
    assert pq.read_metadata(target).num_row_groups > 10


def test_a_line_feed_is_kept_where_blocks_meet(tmp_path: Path) -> None:
    for shift in range(140):
        value = "x" * shift + "\r\ny"
        path = put(tmp_path, "cr.csv", f'{HEADER}a,"{value}"\r\nb,2\r\n')
        rows = write_small(path, tmp_path / f"{shift}.parquet", block_bytes=128)
        assert rows == [("a", value, None), ("b", "2", None)]


TEXT = st.lists(
    st.one_of(
        st.sampled_from([*'",;\t \n\r', "\r\n", "ә", "я", "\ufeff", "😀"]),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
).map("".join)
ROW = st.tuples(TEXT, TEXT)
MALFORMED = st.sampled_from(
    ["lost", "a,b,c", ",,,", " ", '"x\ny"', '"a""b"', 'q"', "ө"]
)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.one_of(ROW, MALFORMED), max_size=25),
    block_bytes=st.integers(120, 400),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    empty_lines=st.booleans(),
    zipped=st.booleans(),
)
def test_any_table_keeps_its_values_and_row_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    rows: list[tuple[str, str] | str],
    block_bytes: int,
    line_end: str,
    empty_lines: bool,
    zipped: bool,
) -> None:
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator=line_end)
    quoted = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    plain.writerow(["award_id", "iin"])
    for row in rows:
        if isinstance(row, str):
            text.write(row + line_end)
        else:
            # This Python's writer leaves a lone carriage return unquoted.
            has_lines = any(c in value for value in row for c in "\r\n")
            (quoted if has_lines else plain).writerow(row)
        text.write(line_end * 2 if empty_lines else "")
    expected = [
        (None, None, row) if isinstance(row, str) else (*(v or None for v in row), None)
        for row in rows
    ]
    folder = tmp_path_factory.mktemp("any")
    content = text.getvalue().encode()
    file_format = "csv.gz" if zipped else "csv"
    path = put(folder, "any", gzip.compress(content) if zipped else content)
    assert write_small(path, folder / "p", file_format, block_bytes) == expected
