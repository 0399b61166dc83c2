"""Entries read strictly: what is misspelt is said by file, registry and key."""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from komek.base import registries
from komek.base.errors import UsageError
from komek.base.registries import Entity
from komek.base.settings import settings
from komek.landing.complete import Complete
from komek.landing.dialect import Dialect
from komek.landing.templates import NamePattern
from komek.sources.entries import KINDS, DropSource, HttpSource, Paging, PostgresSource
from komek.sources.entries import Source as AnySource
from komek.sources.paths import check_path

_REGISTRY_TABLE = "registries.yml"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([smhd]?)")
_CONNECTION = re.compile(r"[A-Za-z0-9_.-]+")
# Of a dialect, where a key is not named as the field is.
_DIALECT_KEYS = {"quoting": "quote", "true": "trues", "false": "falses"}
_QUOTES = {"none": None, "double": '"', "single": "'", '"': '"', "'": "'"}
_NOT_GIVEN = (None, "", "null", "~")
# What a source of another kind has as well.
_COMMON = ("connection", "dialect", "retries", "timeout")
Entry = Mapping[str, Any]


def sources() -> dict[str, AnySource]:
    """Return where each registry comes from, by its name, in the order of the table.

    Raises:
        UsageError: an entry says what it cannot; the message names file, registry, key.
    """
    given, file = _override()
    known = {entity.name for entity in registries.entities()}
    for name in given:
        if name not in known:
            raise UsageError(f"{file}: {name} is no registry")
    return {
        entity.name: _source(entity, given.get(entity.name), file)
        for entity in registries.entities()
    }


def _override() -> tuple[Entry, str]:
    path = settings().sources
    if path is None:
        return {}, _REGISTRY_TABLE
    try:
        text = Path(path).read_text(encoding="utf-8")
        # All as text: a word is a word to its owner, `no` and `00` too.
        said = yaml.load(text, yaml.BaseLoader) or {}  # noqa: S506  (it makes no objects)
    except OSError as error:
        raise UsageError(
            f"KOMEK_SOURCES: {path} cannot be read: {error.strerror}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{line}: it is no YAML") from None
    if not isinstance(said, dict):
        raise UsageError(f"{path}: it names no registries")
    return said, path


def _source(entity: Entity, given: object, file: str) -> AnySource:
    default = dict(entity.source)
    if given is None:
        return _Reader(_REGISTRY_TABLE, entity).source(default)
    if not isinstance(given, dict):
        raise UsageError(f"{file}: {entity.name} is no entry")
    if given.get("kind", default["kind"]) != default["kind"]:
        default = {key: default[key] for key in _COMMON if key in default}
    return _Reader(file, entity).source(default | given)


class _Reader:
    """Reads the entry of one registry."""

    def __init__(self, file: str, entity: Entity) -> None:
        self._at = f"{file}: {entity.name}"
        self._entity = entity

    def source(self, entry: Entry) -> AnySource:
        kind = entry.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise self._wrong("kind", f"one of {', '.join(KINDS)}")
        self._known(entry, "", {"kind", *(one.name for one in fields(KINDS[kind]))})
        read: dict[str, Callable[[Entry], Any]] = {
            "connection": self._connection,
            "dialect": lambda given: self._dialect(given["dialect"]),
            "complete": lambda given: self._complete(given["complete"]),
            "page": lambda given: self._paging(given["page"]),
            "retries": lambda given: self._whole(given, "retries", 0),
            "timeout": lambda given: self._seconds(given, "timeout"),
            "rows": lambda given: self._path(given, "rows"),
            "total": lambda given: self._path(given, "total"),
        }
        said = {
            key: read[key](entry) if key in read else self._text(entry, key)
            for key in entry
            if key != "kind" and entry[key] not in _NOT_GIVEN
        }
        return self._checked(KINDS[kind], said)

    def _checked(self, kind: type[AnySource], said: dict[str, Any]) -> AnySource:
        if kind is PostgresSource:
            if "connection" not in said:
                raise self._wrong("connection", "given for a postgres source")
            if ("table" in said) == ("query" in said):
                raise self._wrong("query", "given where table is not, or the other way")
        if kind is HttpSource:
            if "where" not in said:
                raise self._wrong("where", "given for an http source")
            if said.get("format", "json") not in ("json", "jsonl", "csv"):
                raise self._wrong("format", "one of json, jsonl, csv")
        if kind is DropSource and "pattern" in said:
            try:
                NamePattern(said["pattern"], self._entity.name)
            except UsageError as error:
                raise UsageError(f"{self._at}: {error}") from None
        return kind(**said)

    def _dialect(self, given: object) -> Dialect:
        entry = {
            _DIALECT_KEYS.get(key, key): value
            for key, value in self._table(given, "dialect").items()
        }
        self._known(entry, "dialect.", {one.name for one in fields(Dialect)})
        said: dict[str, Any] = {}
        for key in ("dates", "nulls", "trues", "falses"):
            if key in entry:
                said[key] = self._texts(entry, key, "dialect.")
        for key in ("encoding", "delimiter", "decimal", "sheet"):
            if entry.get(key) not in _NOT_GIVEN:
                said[key] = self._text(entry, key, "dialect.")
        self._check_dialect(said)
        if "header_row" in entry:
            said["header_row"] = self._whole(entry, "header_row", 1, "dialect.")
        if "quote" in entry:
            word = entry["quote"] or "none"
            if word not in _QUOTES:
                raise self._wrong("dialect.quoting", "one of double, single, none")
            said["quote"] = _QUOTES[word]
        if "columns" in entry:
            said["columns"] = self._columns(entry["columns"])
        return Dialect(**said)

    def _check_dialect(self, said: Mapping[str, Any]) -> None:
        try:
            codecs.lookup(said.get("encoding", "utf-8"))
        except LookupError:
            raise self._wrong("dialect.encoding", "an encoding that is known") from None
        for key, marks in {"delimiter": None, "decimal": ".,"}.items():
            mark = said.get(key, ".")
            if len(mark) != 1 or (marks and mark not in marks):
                wanted = "a point or a comma" if marks else "one character"
                raise self._wrong(f"dialect.{key}", wanted)

    def _columns(self, given: object) -> dict[str, str]:
        columns = self._table(given, "dialect.columns")
        for heading, name in columns.items():
            if name not in self._entity.column_names:
                raise self._wrong(
                    f"dialect.columns.{heading}", f"a column of {self._entity.name}"
                )
        if len({*columns.values()}) != len(columns):
            raise self._wrong("dialect.columns", "one heading for each column")
        return {f"{heading}": name for heading, name in columns.items()}

    def _complete(self, given: object) -> Complete:
        entry = self._table(given, "complete")
        self._known(entry, "complete.", {one.name for one in fields(Complete)})
        said: dict[str, Any] = {
            key: self._text(entry, key, "complete.")
            for key in ("marker", "checksum")
            if key in entry
        }
        if "parts" in entry:
            said["parts"] = self._whole(entry, "parts", 1, "complete.")
        if "still_for" in entry:
            said["still_for"] = self._seconds(entry, "still_for", "complete.")
        return Complete(**said)

    def _paging(self, given: object) -> Paging:
        entry = self._table(given, "page")
        self._known(entry, "page.", {one.name for one in fields(Paging)})
        said: dict[str, Any] = {
            key: self._text(entry, key, "page.")
            for key in ("number", "offset", "parameter", "limit")
            if key in entry
        }
        if "cursor" in entry:
            said["cursor"] = self._path(entry, "cursor", "page.")
        for key, least in {"size": 1, "first": 0}.items():
            if key in entry:
                said[key] = self._whole(entry, key, least, "page.")
        if "link" in entry:
            if entry["link"] not in ("true", "false"):
                raise self._wrong("page.link", "true or false")
            said["link"] = entry["link"] == "true"
        ways = [key for key in ("number", "offset", "cursor", "link") if said.get(key)]
        if len(ways) != 1:
            raise self._wrong("page", "one of number, offset, cursor, link")
        return Paging(**said)

    def _known(self, entry: Entry, above: str, keys: set[str]) -> None:
        for key in entry:
            if key not in keys:
                shown = {field: word for word, field in _DIALECT_KEYS.items()}
                known = ", ".join(sorted(shown.get(one, one) for one in keys))
                raise UsageError(
                    f"{self._at}: unknown key {above}{key}: one of {known}"
                )

    def _table(self, given: object, key: str) -> Entry:
        if not isinstance(given, dict):
            raise self._wrong(key, "a table of keys and values")
        return given

    def _connection(self, entry: Entry) -> str:
        name = self._text(entry, "connection")
        # A URL here would be a password in a file of the project.
        if not _CONNECTION.fullmatch(name):
            raise self._wrong("connection", "the id of a connection, not a URL")
        return name

    def _text(self, entry: Entry, key: str, above: str = "") -> str:
        value = entry[key]
        if not isinstance(value, str) or not value:
            raise self._wrong(f"{above}{key}", "a text")
        return value

    def _texts(self, entry: Entry, key: str, above: str) -> tuple[str, ...]:
        value = entry[key]
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise self._wrong(f"{above}{key}", "a list of words")
        # Unquoted, YAML takes these for other things than the words they are.
        return tuple(f"{one}" for one in values)

    def _whole(self, entry: Entry, key: str, least: int, above: str = "") -> int:
        value = f"{entry[key]}"
        if not re.fullmatch("[0-9]{1,9}", value) or int(value) < least:
            raise self._wrong(f"{above}{key}", f"a whole number from {least}")
        return int(value)

    def _seconds(self, entry: Entry, key: str, above: str = "") -> float:
        found = _DURATION.fullmatch(f"{entry[key]}")
        if not found:
            raise self._wrong(f"{above}{key}", "a time such as 30s, 10m, 2h")
        return float(found[1]) * _SECONDS[found[2]]

    def _path(self, entry: Entry, key: str, above: str = "") -> str:
        path = self._text(entry, key, above)
        if not check_path(path):
            raise self._wrong(f"{above}{key}", "a path such as $.items")
        return path

    def _wrong(self, key: str, wanted: str) -> UsageError:
        return UsageError(f"{self._at}: {key} must be {wanted}")
