"""A file that is not whole and sound is refused, by name and without its rows."""

import codecs
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing import received, received_csv
from komek.landing.land import land
from komek.landing.snapshots import (
    newest_snapshots,
)
from landed_drop import (
    DAY,
    ENTITY,
    HEADER,
    assert_no_leftovers,
    many_members,
    members,
    parquet_bytes,
    put,
    refusal,
    rows_of,
    write_small,
)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_zero_bytes_are_refused(home: Home, drop: Path, suffix: str) -> None:
    assert "empty" in refusal(home, drop, f"{ENTITY}/{DAY}.{suffix}", b"")


@pytest.mark.parametrize("content", [b"\n\r\n", codecs.BOM_UTF8, b"\r"])
def test_a_csv_without_a_header_is_refused(
    home: Home, drop: Path, content: bytes
) -> None:
    assert "empty" in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)


def test_nothing_zipped_is_refused(home: Home, drop: Path) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", gzip.compress(b""))
    assert "empty" in message


@pytest.mark.parametrize("header", ["iin,award_id,iin", "iin,award_id,IIN", "iin,,"])
def test_a_column_named_twice_is_refused(home: Home, drop: Path, header: str) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"{header}\n1,a,2\n")
    assert "twice" in message


def test_a_column_named_twice_is_refused_in_parquet_too(home: Home, drop: Path) -> None:
    table = members(("a", "1")).append_column("IIN", pa.array(["2"]))
    name = f"{ENTITY}/{DAY}.parquet"
    assert "twice" in refusal(home, drop, name, parquet_bytes(table))


@pytest.mark.parametrize("name", ["__malformed__", "__filename__", "FILE_ROW_NUMBER"])
def test_a_reserved_column_name_is_refused(home: Home, drop: Path, name: str) -> None:
    message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"iin,{name}\n1,a\n")
    assert "reserved" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER + 'a,"1', "inside quotes"),
        (HEADER + 'a,"1\n', "inside quotes"),
        (HEADER + 'a,"1\r', "inside quotes"),
        (HEADER + 'a,1\n"b,2\nc,3\n', "inside quotes"),
        (HEADER + 'a,"1""', "inside quotes"),
        (HEADER + '"', "inside quotes"),
        ('award_id,"iin\na,1\n', "inside quotes"),
        (HEADER + "a,1\nb", "last line"),
        (HEADER + "b", "last line"),
        (HEADER + "a,1\nb,2,3", "last line"),
    ],
)
def test_a_csv_that_was_cut_off_is_refused(
    home: Home, drop: Path, content: str, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)


def test_a_cut_off_line_is_seen_where_blocks_meet(tmp_path: Path) -> None:
    for length in range(1, 140):
        path = put(tmp_path, "cut.csv", f"{HEADER}{'x' * length},1\ncut")
        with pytest.raises(received.Refused, match="last line"):
            write_small(path, tmp_path / f"{length}.parquet", block_bytes=128)


def test_a_gzip_that_was_cut_off_is_refused(home: Home, drop: Path) -> None:
    content = gzip.compress((HEADER + "a,1\n" * 1_000).encode())
    for end in (len(content) // 2, len(content) - 8, len(content) - 1):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", content[:end])
        assert "gzip ends early" in message


def test_a_damaged_gzip_is_refused(home: Home, drop: Path) -> None:
    content = bytearray(gzip.compress((HEADER + "a,1\n" * 1_000).encode()))
    for place in (0, 12, len(content) - 8, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv.gz", bytes(damaged))
        assert "gzip does not check" in message


def test_a_gzip_of_several_members_is_read_whole(home: Home, drop: Path) -> None:
    content = gzip.compress((HEADER + "a,").encode()) + gzip.compress(b"1\nb,2\n")
    put(drop, f"{ENTITY}/{DAY}.csv.gz", content)
    (snapshot,) = land(home, drop)
    assert rows_of(snapshot) == [("a", "1", None), ("b", "2", None)]


def test_a_parquet_that_was_cut_off_is_refused(home: Home, drop: Path) -> None:
    content = parquet_bytes(many_members())
    for part in (content[:-1], content[:100], content[:3], content[50:], b"PAR1"):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", part)
        assert "no whole Parquet" in message


def test_a_parquet_with_a_damaged_page_is_refused(home: Home, drop: Path) -> None:
    content = parquet_bytes(
        many_members(),
        compression="none",
        use_dictionary=False,
        write_page_checksum=True,
    )
    damaged = content.replace(b"a2500", b"a2600")
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", damaged)
    assert "no whole Parquet" in message


def test_a_parquet_whose_pages_do_not_decode_is_refused(home: Home, drop: Path) -> None:
    """Also without checksums, in a column that the pipeline never reads."""
    table = many_members().append_column("surplus", pa.array(["x" * 50] * 5_000))
    content = bytearray(parquet_bytes(table, compression="zstd"))
    chunk = pq.read_metadata(io.BytesIO(content)).row_group(0).column(2)
    start = chunk.dictionary_page_offset
    content[start : start + chunk.total_compressed_size] = b"\xff" * (
        chunk.total_compressed_size
    )
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", bytes(content))
    assert "no whole Parquet" in message


def test_text_that_is_not_utf_8_in_a_parquet_is_refused(home: Home, drop: Path) -> None:
    binary = pa.array([b"\xd1\xe5"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, binary.buffers())
    content = parquet_bytes(pa.table({"award_id": ["a"], "iin": text}))
    message = refusal(home, drop, f"{ENTITY}/{DAY}.parquet", content)
    assert "has text that is not UTF-8" in message


def test_a_long_row_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(received_csv.write_csv.__kwdefaults__, "block_bytes", 1 << 20)
    for row in ("x" * (3 << 20) + ",1\n", 'a,"never closed\n' + "a,1\n" * (1 << 20)):
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", HEADER + row)
        assert "row longer than 1 MB" in message


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (",".join(f"c{n}" for n in range(1_001)), "more than 1000 columns"),
        ("iin" + "," * 200_000, "more than 1000 columns"),
        ("," * 500_000, "header without end"),
        ("x" * 200_000, "header without end"),
        ('iin,"' + "\n" * (2 << 20), "header without end"),
        (
            "iin," + ",".join(f"{n}{'x' * 100_000}" for n in range(20)),
            "header without end",
        ),
    ],
)
def test_a_header_out_of_proportion_is_refused(
    home: Home, drop: Path, header: str, reason: str
) -> None:
    assert reason in refusal(home, drop, f"{ENTITY}/{DAY}.csv", f"{header}\n1\n")


def test_a_file_that_begins_with_too_many_malformed_lines_is_refused(
    home: Home, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received_csv, "MAX_WAITING_CHARACTERS", 99)
    name = f"{ENTITY}/{DAY}.csv"
    message = refusal(home, drop, name, HEADER + "0123456789\n" * 10)
    assert "too many lines that do not split" in message


def test_a_refusal_quotes_no_row(home: Home, drop: Path) -> None:
    contents = [
        'Серикова,1\n"Айгуль',
        "Серикова,1\nАйгуль",
        "Серикова,Айгуль\n".encode() + b"\xff",
        "Айгуль,Серикова,Айгуль\n",
    ]
    for content in contents:
        message = refusal(home, drop, f"{ENTITY}/{DAY}.csv", content)
        assert "Айгуль" not in message
        assert "Серикова" not in message


CSV_LIKE = st.lists(
    st.sampled_from(
        [
            *(b"award_id,iin\n", b"a,1\n", b'"', b"\r", b"\n", b",", b";", b"\0"),
            *(b"\xff", b"\xd1", b"\xef\xbb\xbf", "я".encode(), b"x" * 300),
        ]
    ),
    max_size=30,
).map(b"".join)
WHOLE_PARQUET = parquet_bytes(many_members().slice(0, 50))
DAMAGED_PARQUET = st.lists(
    st.tuples(st.integers(0, len(WHOLE_PARQUET) - 1), st.integers(0, 255)),
    min_size=1,
    max_size=5,
).map(lambda changes: changed(WHOLE_PARQUET, changes))
WHOLE_GZIP = gzip.compress(b"award_id,iin\na,1\nb,2\n")
DAMAGED_GZIP = st.lists(
    st.tuples(st.integers(0, len(WHOLE_GZIP) - 1), st.integers(0, 255)), max_size=3
).map(lambda changes: changed(WHOLE_GZIP, changes))


def changed(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    result = bytearray(content)
    for place, value in changes:
        result[place] = value
    return bytes(result)


@settings(max_examples=100, deadline=None)
@given(
    content=st.one_of(st.binary(), CSV_LIKE, DAMAGED_PARQUET, DAMAGED_GZIP),
    suffix=st.sampled_from(["csv", "csv.gz", "parquet"]),
)
def test_any_bytes_are_landed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    home = Home(folder / "home")
    put(folder, f"drop/{ENTITY}/{DAY}.{suffix}", content)
    try:
        (snapshot,) = land(home, folder / "drop")
    except StoppedError as stopped:
        assert f"{ENTITY}/{DAY}.{suffix}: " in str(stopped)
        assert newest_snapshots(home, ENTITY) == []
    else:
        assert len(rows_of(snapshot)) == snapshot.rows
    assert_no_leftovers(home)
