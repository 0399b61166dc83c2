"""What spreadsheets add to a CSV: a line about the delimiter, one delimiter more."""

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from komek.base.errors import StoppedError
from komek.base.places import Home
from komek.landing import received_csv, received_text
from komek.landing.land import land

DAY = "2020-04-18"
ENTITY = "asp_members"
ROWS = [("a", "1", None), ("b", "2", None)]


def landed(folder: Path, content: str | bytes, suffix: str = "csv") -> list[tuple]:
    """Land a CSV; return its rows: the declared columns and what is malformed."""
    place = folder / "drop" / ENTITY / f"{DAY}.{suffix}"
    place.parent.mkdir(parents=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    (snapshot,) = land(Home(folder / "home"), folder / "drop")
    table = pq.read_table(snapshot.paths[0])
    assert table.column_names == ["award_id", "iin", "__malformed__"]
    malformed = table.column("__malformed__")
    assert snapshot.manifest.malformed_rows == len(malformed) - malformed.null_count
    return [tuple(row.values()) for row in table.to_pylist()]


# The line that tells the delimiter


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\naward_id;iin\na;1\nb;2\n",
        "SEP=;\r\naward_id;iin\r\na;1\r\nb;2\r\n",
        '"sep=;"\naward_id;iin\na;1\nb;2\n',
        "sep=;\raward_id;iin\ra;1\rb;2\r",
        "sep=\t\naward_id\tiin\na\t1\nb\t2\n",
        # A delimiter that is no one else's.
        "sep=|\naward_id|iin\na|1\nb|2\n",
        # Told wrong: the header knows better.
        "sep=;\naward_id,iin\na,1\nb,2\n",
        "\ufeffsep=;\naward_id;iin\na;1\nb;2\n",
    ],
)
def test_a_line_that_tells_the_delimiter_is_none_of_the_table(
    tmp_path: Path, content: str
) -> None:
    assert landed(tmp_path, content) == ROWS


def test_it_counts_as_no_row(tmp_path: Path) -> None:
    content = "sep=;\naward_id;iin\nlost\na;1\n"
    assert landed(tmp_path, content) == [(None, None, "lost"), ("a", "1", None)]


def test_a_file_of_that_line_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="is empty: not even a header"):
        landed(tmp_path, "sep=;\n")


# One delimiter more


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    "content",
    [
        "award_id;iin;\na;1;\nb;2;\n",
        "award_id;iin\na;1;\nb;2;\n",
        "award_id;iin;\na;1\nb;2\n",
        "award_id;iin;\r\na;1;\r\n\r\nb;2;\r\n",
        'award_id;iin;\n"a";"1";""\nb;2;\n',
        "award_id;iin\na;1;\nb;2;",
        "sep=;\naward_id;iin;\na;1;\nb;2;\n",
    ],
)
def test_a_delimiter_that_parts_nothing_from_nothing_is_none(
    tmp_path: Path, content: str, mark: str
) -> None:
    assert landed(tmp_path, content.replace(";", mark)) == ROWS


def test_lines_are_still_held_against_the_header(tmp_path: Path) -> None:
    lines = ["a;1;", "b;2", "c;3;4", "d;", "e", '"f;5";;', ";6;", "g;7;;", 'h;"8;9";']
    content = "award_id;iin\n" + "".join(f"{line}\n" for line in lines)
    assert landed(tmp_path, content + "z;9;\n") == [
        ("a", "1", None),
        ("b", "2", None),
        (None, None, "c;3;4"),
        # Two columns, of which the second is empty: what was meant is one more.
        ("d", None, None),
        (None, None, "e"),
        ("f;5", None, None),
        (None, "6", None),
        (None, None, "g;7;;"),
        ("h", "8;9", None),
        ("z", "9", None),
    ]


def test_only_the_lines_that_do_not_split_are_malformed_where_few_end_so(
    tmp_path: Path,
) -> None:
    content = "award_id;iin\na;1\nb;2\nc;3;\n"
    assert landed(tmp_path, content) == [*ROWS, (None, None, "c;3;")]


def test_a_column_without_a_name_is_a_column_where_it_has_values(
    tmp_path: Path,
) -> None:
    place = tmp_path / "drop" / ENTITY / f"{DAY}.csv"
    place.parent.mkdir(parents=True)
    place.write_text("award_id;iin;\na;1;\nb;2;x\n", encoding="utf-8")
    (snapshot,) = land(Home(tmp_path / "home"), tmp_path / "drop")
    assert pq.read_table(snapshot.paths[0]).to_pylist() == [
        {"award_id": "a", "iin": "1", "": None, "__malformed__": None},
        {"award_id": "b", "iin": "2", "": "x", "__malformed__": None},
    ]


def test_a_line_that_was_cut_off_is_seen_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="is cut off: its last line has no end"):
        landed(tmp_path, "award_id;iin;\na;1;\nb;2;\nc;3")


def test_many_lines_keep_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Across blocks, with a malformed line here and there, zipped."""
    monkeypatch.setitem(received_csv.write_csv.__kwdefaults__, "block_bytes", 256)
    monkeypatch.setattr(received_text, "_RAW_CHUNK", 100)
    monkeypatch.setattr(received_csv, "ROW_GROUP_ROWS", 50)
    expected, lines = [], []
    for number in range(500):
        if number % 7 == 3:
            lines.append(f"lost {number}")
            expected.append((None, None, f"lost {number}"))
        elif number % 11 == 5:
            lines.append(f"{number};bare")
            expected.append((f"{number}", "bare", None))
        else:
            lines.append(f"{number};x;")
            expected.append((f"{number}", "x", None))
    content = "sep=;\naward_id;iin\n" + "".join(f"{line}\n" for line in lines)
    assert landed(tmp_path, gzip.compress(content.encode()), "csv.gz") == expected
