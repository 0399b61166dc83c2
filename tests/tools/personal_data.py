"""Looks for people where nobody may find any: logs, reports, events, documentation."""

import html
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from urllib.parse import unquote

import duckdb

from komek.landing.received import MALFORMED

_IIN = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_IBAN = re.compile(r"KZ[0-9]{2}[0-9A-Z]{16}", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_PERCENT = re.compile(r"%D[01]%[89AB]", re.IGNORECASE)
# By the column they stand in; everything is compared in lower case.
_COLUMNS = {
    "iins": re.compile(r"(.*_)?iin"),
    "ibans": re.compile(r"iban"),
    "last_names": re.compile(r"last_name"),
    "phrases": re.compile(r"address|postal_address|email|phone"),
}
_CSV = "read_csv('{}', header = true, all_varchar = true, ignore_errors = true)"
_READ = {".parquet": "read_parquet('{}')", ".csv": _CSV, ".csv.gz": _CSV}


@dataclass(frozen=True)
class People:
    """What would give people away; phrases are addresses, e-mails and telephones."""

    iins: frozenset[str] = frozenset()
    ibans: frozenset[str] = frozenset()
    last_names: frozenset[str] = frozenset()
    phrases: frozenset[str] = frozenset()

    def __or__(self, other: "People") -> "People":
        return People(
            *(
                getattr(self, kind) | getattr(other, kind)
                for kind in self.__dataclass_fields__
            )
        )


def people_of(registers: Path) -> People:
    """Return everyone in a drop folder or a landing, in whatever file of it.

    Lines that did not split give the numbers in them.
    """
    with duckdb.connect() as connection:
        files = [
            read.format(path)
            for suffix, read in _READ.items()
            for path in sorted(registers.rglob(f"*{suffix}"))
        ]
        return reduce(People.__or__, (_people(connection, file) for file in files))


def people_named_in(text: str) -> People:
    """Return the numbers that a text has."""
    return People(
        iins=frozenset(_IIN.findall(text)),
        ibans=frozenset(number.lower() for number in _IBAN.findall(text)),
    )


def find_personal_data(
    root: Path, people: People, *, besides: Collection[str] = ()
) -> list[str]:
    """Return `<path below root>: <what>` for each file that gives somebody away.

    The name of a file may do so too. Text is found as UTF-8 in any file, binary or not,
    also where it is escaped for JSON, HTML or a URL; compressed files are not opened.

    Args:
        root: a folder, or one file.
        people: whom to look for.
        besides: suffixes of the files that are there to hold people (`.parquet`).
    """
    found = []
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        if not path.is_file() or path.suffix in besides:
            continue
        shown = path.relative_to(root).as_posix() if path != root else path.name
        text = f"{shown}\n{path.read_bytes().decode(errors='replace')}"
        found += [f"{shown}: {what}" for what in given_away(text, people)]
    return found


def given_away(text: str, people: People) -> list[str]:
    """Return what of somebody a text has: kinds and counts, nothing of the person."""
    readings = [*_readings(text)]
    found = {
        "iins": {number for text in readings for number in _IIN.findall(text)},
        "ibans": {n.lower() for text in readings for n in _IBAN.findall(text)},
        "last_names": set(),
        "phrases": set(),
    }
    for reading in map(str.lower, readings):
        words = frozenset(_WORD.findall(reading))
        found["last_names"] |= words
        found["phrases"] |= {
            phrase
            for phrase in people.phrases
            if words.issuperset(_WORD.findall(phrase)) and phrase in reading
        }
    hits = {kind: found[kind] & getattr(people, kind) for kind in found}
    return [f"{len(hit)} {kind}" for kind, hit in hits.items() if hit]


def open_to_others(root: Path) -> list[str]:
    """Return the files and folders, `root` too, that are not their owner's alone."""
    wanted = {True: 0o700, False: 0o600}
    return [
        f"{path}: {stat.S_IMODE(path.stat().st_mode):o}"
        for path in (root, *sorted(root.rglob("*")))
        if not path.is_symlink()
        and stat.S_IMODE(path.stat().st_mode) != wanted[path.is_dir()]
    ]


def _people(connection: duckdb.DuckDBPyConnection, file: str) -> People:
    columns = [row[0] for row in connection.execute(f"describe from {file}").fetchall()]

    def values(wanted: re.Pattern[str]) -> Iterator[str]:
        for column in filter(wanted.fullmatch, columns):
            rows = connection.execute(
                f'select distinct lower(cast("{column}" as varchar)) from {file}'
                f' where "{column}" is not null'
            ).fetchall()
            yield from (value for (value,) in rows)

    found = {kind: frozenset(values(name)) for kind, name in _COLUMNS.items()}
    lines = "\n".join(values(re.compile(MALFORMED)))
    return People(**found) | people_named_in(lines)


def _readings(text: str) -> Iterator[str]:
    """Yield a text, and what it says where something in it is escaped."""
    yield text
    if _ESCAPED.search(text):
        yield _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), text)
    if "&#" in text:
        yield html.unescape(text)
    if _PERCENT.search(text):
        yield unquote(text)
