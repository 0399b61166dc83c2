"""A run over hostile input: in names, values, codes, paths and what it is asked.

Nothing of it is obeyed: not by SQL, a template, a path, a page or a terminal.
"""

import csv
import io
import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from komek.base import database
from komek.base.errors import printable
from komek.base.places import Home
from komek.cli import main
from komek.publishing.publication import current_publication
from komek.runs.filed import attached
from komek.terminal import showing_progress
from warm import komek

GOLDEN = Path(__file__).parents[1] / "golden" / "drop"
# A URL, a pattern, a template, a partition and an end of SQL, all in one.
ODD = 'it\'s "odd"; -- {{ x }} [ü] ab#c %20 iin=5 қ*'
OVERRIDE = """x'; drop table marts.run; -- "q" {{ var('x') }} \x1b[31m\n<script>"""
MARKUP = "<script>alert(1)</script>"
VALUES = (
    "'; drop table staging.stg_persons; --",
    "'; attach 'x.duckdb' as x; --",
    '{{ var("run_id") }}{% endmacro %}',
    "\x1b[2J\x1b]0;title\x07\u202e\x9b31m",
    "two\nlines: + a condition: holds",
    '=HYPERLINK("http://x")',
    "../../../etc/passwd",
    MARKUP,
)
COLUMNS = ("filename", "'; drop table x; --", "{{ x }}", "\x1b[2J", MARKUP, "a\nb")
UNITS = (
    "../../etc",
    "..",
    "a/b",
    "..0000000",
    "/1",
    "1100000/0",
    "%2e%2e",
    "11\n000000",
)
HOSTILE = (*VALUES, "", "..", "../../x", "x\0y", "\udcff", "%", "_", "-", "--help=x")


@dataclass(frozen=True)
class Ended:
    """A run over hostile input, how it ended, and whom it was about."""

    home: Home
    status: int
    out: str
    err: str
    people: tuple[str, ...]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("hostile") / ODD
    home = Home(folder / "home")
    shutil.copytree(GOLDEN, folder / "drop")
    people = _spoil(folder / "drop")
    run = ["run", "--as-of", "2020-04-20", "--override", OVERRIDE]
    said = komek(*run, "--drop", str(folder / "drop"), "--home", str(home.root))
    return Ended(home, said.returncode, said.stdout, said.stderr, people)


def _spoil(drop: Path) -> tuple[str, ...]:
    """Put hostile values, columns and territorial units into the golden nation.

    Returns:
        Recipients of sets who get a hostile name and a hostile territory.
    """
    expected = GOLDEN.parent / "april" / "food_set_recipients.csv"
    with expected.open(encoding="utf-8", newline="") as file:
        people = tuple(row["iin"] for row in csv.DictReader(file))[: len(UNITS)]
    rows = _read(drop, "persons")
    for row in rows:
        row.update(dict.fromkeys(COLUMNS, "x"))
        if row["iin"] in people:
            place = people.index(row["iin"])
            row["kato"] = UNITS[place]
            row["address"] = row["first_name"] = VALUES[place]
    _write(drop, "persons", rows)
    units = _read(drop, "kato")
    units += [{**units[0], "kato": unit, "valid_to": ""} for unit in UNITS]
    _write(drop, "kato", units)
    norms = _read(drop, "food_set_norms")
    regions = {f"{unit[:2]}0000000" for unit in UNITS}
    good = {
        "mode": "cash",
        "set_cost": "6000",
        "decided_on": "2020-04-01",
        "valid_from": "2020-04-01",
        "valid_to": "",
        "act_ref": "act",
    }
    norms += [
        {**good, "norm_id": f"hostile {region}", "kato": region} for region in regions
    ]
    _write(drop, "food_set_norms", norms)
    return people


def _read(drop: Path, entity: str) -> list[dict[str, str]]:
    """Return the rows of a registry that split."""
    (path,) = (drop / entity).glob("*.csv")
    text = path.read_text(encoding="utf-8-sig")
    mark = max(",;", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
    return [row for row in rows if None not in row]


def _write(drop: Path, entity: str, rows: Sequence[dict[str, str]]) -> None:
    """Write a registry as a folder of one part whose name is hostile too."""
    (old,) = (drop / entity).glob("*.csv")
    part = old.with_suffix("") / "-'; drop [a]*? {{ x }} қ\\.csv"
    old.unlink()
    part.parent.mkdir()
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


def _commands(text: str) -> set[str]:
    """Return the characters that a terminal would obey."""
    commands = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {c for c in text if unicodedata.category(c) in commands} - {"\n"}


def _fetched(ended: Ended, query: str) -> list:
    file = ended.home.published_warehouse
    with duckdb.connect(file, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_it_is_published_and_says_so_harmlessly(ended: Ended) -> None:
    assert (ended.status, ended.err) == (0, "")
    assert "no_unknown_columns" in ended.out
    assert _commands(ended.out) == set()
    assert len(ended.people) == len(UNITS)
    ((extra,),) = _fetched(
        ended,
        "select extra_columns from landing.landed_snapshots where entity = 'persons'",
    )
    assert _commands(extra) == set()
    assert "\n" not in extra
    assert MARKUP in extra.split("|")


def test_values_are_kept_as_they_were_received(ended: Ended) -> None:
    people = ", ".join(f"'{iin}'" for iin in ended.people)
    publication = current_publication(ended.home)
    assert publication
    run_file = ended.home.run_file(publication.run.run_id)
    with database.connect() as connection, attached(connection, run_file):
        kept = connection.execute(
            f"select address from run.marts.recipient_people where iin in ({people})"
        ).fetchall()
    assert {address for (address,) in kept} == set(VALUES)
    ((override,),) = _fetched(ended, "select override_reason from marts.run")
    assert override == OVERRIDE


def test_what_is_no_code_names_no_folder(ended: Ended) -> None:
    """The people stay recipients; no region is made of their code."""
    found = _fetched(ended, "select region_kato from marts.region_status")
    regions = {region for (region,) in found}
    assert "unassigned" in regions
    assert all(region.isdigit() for region in regions - {"unassigned"})
    people = ", ".join(f"'{iin}'" for iin in ended.people)
    listed = _fetched(
        ended,
        "select distinct region_kato, district_kato from marts.food_set_recipients"
        f" where iin in ({people})",
    )
    assert listed == [("unassigned", None)]

    publication = current_publication(ended.home)
    assert publication is not None
    assert publication.published
    packs = {path.name for path in (publication.packs / "2020-04-01").iterdir()}
    assert packs == set(publication.published)
    beside = {path.name for path in ended.home.root.parent.iterdir()}
    assert beside == {"drop", "home"}


def test_pages_show_markup_as_text(ended: Ended) -> None:
    pages = [*ended.home.reports.glob("*/data_docs/**/*.html")]
    shown = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert "script&gt;alert(1)" in shown
    assert "<script" not in shown


def test_an_explanation_is_harmless(
    ended: Ended, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value stands in one line, and a program gets it as it was."""
    home = ["--home", str(ended.home.root)]
    for iin, value in zip(ended.people, VALUES, strict=True):
        status, out, err = _said(capsys, monkeypatch, "explain", iin, *home)
        assert (status, err, _commands(out)) == (0, "", set())
        assert f"address={printable(value, keep='')}" in out
        status, out, err = _said(capsys, monkeypatch, "explain", iin, *home, "--json")
        assert (status, err, _commands(out)) == (0, "", set())
        addresses = {row["values"].get("address") for row in json.loads(out)["rows"]}
        assert value in addresses


def _said(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["komek", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
@pytest.mark.parametrize(
    "asked",
    [
        ["explain", "000000000000", "--run={}"],
        ["verify", "--", "{}"],
        ["diff", "--", "{}", "{}"],
        ["pull", "--entity={}"],
        ["run", "--as-of={}"],
        ["run", "--as-of=2020-04-20", "--policy={}"],
        ["run", "--as-of=2020-04-20", "--policy={}=1"],
        ["run", "--as-of=2020-04-20", "--policy=food_set.carer={}"],
        ["retire", "--before={}"],
    ],
    ids=lambda asked: " ".join(asked[:-1]),
)
def test_what_is_asked_is_refused_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    asked: list[str],
    value: str,
) -> None:
    # What a run's id might lead to, were it taken for a path.
    (tmp_path / "x.duckdb").write_bytes(b"no database")
    home = tmp_path / "a" / "home"
    (home / "warehouse" / "runs").mkdir(parents=True)
    (tmp_path / "drop").mkdir()
    command, *others = (part.replace("{}", value) for part in asked)
    at = [f"--home={home}"]
    if command in ("pull", "run"):
        at.append(f"--drop={tmp_path / 'drop'}")

    status, out, err = _said(capsys, monkeypatch, command, *at, *others)

    assert status == 2
    assert len(err.splitlines()) == 1
    assert _commands(out + err) == set()


def test_a_home_that_duckdb_would_cut_in_two_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, err = _said(capsys, monkeypatch, "status", f"--home={tmp_path}/a?b")
    assert status == 2
    assert "cannot have a ?" in err


def test_a_line_for_people_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    with showing_progress(quiet=False) as progress:
        progress.say("\x1b[2Jtwo\nlines")
    assert capsys.readouterr().out == "\\u001b[2Jtwo\nlines\n"


def test_printable_keeps_what_is_written() -> None:
    text = "Қазақстан «область» № 1\u00a0— 😀\nтак"
    assert printable(text) == text
    assert printable(text, keep="") == text.replace("\n", "\\n")
    assert printable("\x1b[2J\x9b\u202e\udcff\u2028") == (
        "\\u001b[2J\\u009b\\u202e\\udcff\\u2028"
    )
