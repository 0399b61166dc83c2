"""What a web service has for a registry, received for a day and landed."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from komek.base.errors import UsageError, listed
from komek.base.files import new_file, sha256
from komek.base.registries import Column, Entity
from komek.landing.dialect import NOT_AS_DECLARED, Dialect, canonical_text
from komek.landing.drop import Copy, naming
from komek.landing.land import Landing, refuse_other_key
from komek.landing.received import Refused
from komek.landing.revisions import only_one, scratch_of
from komek.landing.snapshots import latest_snapshot
from komek.landing.templates import DATE, filled
from komek.sources.again import trying
from komek.sources.client import Download, answer, client, download
from komek.sources.connections import Connection, Connections, connection
from komek.sources.entries import HttpSource, Paging
from komek.sources.pages import Page, pages
from komek.sources.paths import at_path
from komek.sources.rows import write_rows
from komek.sources.standing import Rows, carry_over, land_copies, land_rows

_TAG = "etag "
_LONGEST_EXPONENT = 30


class Number(str):
    """A number of JSON, as it is written there."""

    __slots__ = ()


def land(
    landing: Landing,
    entity: Entity,
    source: HttpSource,
    day: date,
    connections: Connections,
) -> None:
    """Land what a service has for a day, unless it says that it is what has landed.

    Raises:
        Refused: it fails, or what it answers cannot be landed.
        UsageError: there is no such connection.
    """
    known = connection(source.connection, connections) if source.connection else None
    folder = landing.home.entity(entity.name)
    with only_one(folder), scratch_of(folder) as scratch, naming(entity.name):
        refuse_other_key(landing.home, entity)
        start = url_of(source, known, day)
        shown = f"http {start.host}{start.path}"
        with client(known, source.timeout) as opened:
            pulled = _Pulled(landing, entity, source, opened, start, scratch)
            if source.page == Paging():
                pulled.land_file(day, shown)
            else:
                pulled.land_pages(day, shown)


def try_out(
    entity: Entity, source: HttpSource, day: date, connections: Connections
) -> None:
    """Ask a service for its first page; nothing lands.

    Raises:
        Refused: it fails, or what it answers is not what is declared.
        UsageError: there is no such connection.
    """
    known = connection(source.connection, connections) if source.connection else None
    with client(known, source.timeout) as opened:
        body, _ = answer(opened, url_of(source, known, day))
    page = read_page(source, body, 1, None)
    if source.format != "csv":
        table = _Table(entity, source.dialect)
        table.batch(rows_in(source, page))
        list(table.odd(page.count))


def url_of(source: HttpSource, known: Connection | None, day: date) -> httpx.URL:
    """Return the URL of a service on a day.

    Raises:
        UsageError: it is none.
    """
    where = filled(source.where, day)
    if where.startswith("/") and known and known.host:
        port = f":{known.port}" if known.port else ""
        where = f"{known.scheme}://{known.host}{port}{where}"
    try:
        url = httpx.URL(where)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"{source.where!r} is no URL of a web service")
    return url


@dataclass(frozen=True)
class _Pulled:
    """A service that is being pulled for a registry."""

    landing: Landing
    entity: Entity
    source: HttpSource
    opened: httpx.Client
    start: httpx.URL
    scratch: Path

    def land_file(self, day: date, shown: str) -> None:
        """Land what is one answer: it goes on where it broke off."""
        file = Download(self.scratch / "received")
        tag = self._known_tag(day)
        name = f"{self.entity.name}/{day}"

        def attempt() -> list[Page]:
            for done in download(self.opened, self.start, file, tag):
                self.landing.progress(f"receive {name}", done, 0)
            if self.source.format != "json" or file.is_known:
                return []
            try:
                return self._whole(file.path.read_bytes())
            except Refused:
                # What is no answer is not gone on with.
                file.path.unlink()
                raise

        whole: list[Page] = self._trying(attempt)
        if file.is_known:
            carry_over(self.landing, self.entity, day, self.scratch)
            return
        seen = _TAG + file.tag if file.tag else None
        if self.source.format == "csv":
            copy = Copy(f"{name}.csv", file.path, file.done, sha256(file.path))
            self._land_copies(day, [copy], shown, seen)
            return
        batches = (
            (rows_in(self.source, page) for page in whole)
            if whole
            else _line_pages(file.path)
        )
        received = self._rows(batches, shown, seen)
        land_rows(self.landing, self.entity, day, received, self.scratch)

    def land_pages(self, day: date, shown: str) -> None:
        """Land what comes page by page: all of them as of one pass."""
        if self.source.format == "csv":
            copies = self._trying(lambda: list(self._csv_pages(day)))
            self._land_copies(day, copies, shown, None)
            return

        def attempt() -> Rows:
            came = (rows_in(self.source, page) for page in self._pages())
            return self._rows(came, shown, None)

        received = self._trying(attempt)
        land_rows(self.landing, self.entity, day, received, self.scratch)

    def _whole(self, body: bytes) -> list[Page]:
        """Return an answer that is all, checked as the only page of several."""
        page = read_page(self.source, body, 1, None)
        return list(pages(self.source, self.start, lambda _url, _number: page))

    def _pages(self) -> Iterator[Page]:
        def ask(url: httpx.URL, number: int) -> Page:
            def once() -> Page:
                body, response = answer(self.opened, url)
                link = response.links.get("next", {}).get("url")
                return read_page(self.source, body, number, link)

            page: Page = self._trying(once)
            return page

        rows = 0
        for page in pages(self.source, self.start, ask):
            rows += page.count
            self.landing.progress(f"receive {self.entity.name}, rows", rows, 0)
            yield page

    def _csv_pages(self, day: date) -> Iterator[Copy]:
        for page in self._pages():
            path = self.scratch / f"received-{page.number:05}"
            path.unlink(missing_ok=True)
            with new_file(path) as file:
                file.write(page.body)
            digest = hashlib.sha256(page.body).hexdigest()
            name = f"{self.entity.name}/{day}/page-{page.number:05}.csv"
            yield Copy(name, path, len(page.body), digest)

    def _land_copies(
        self, day: date, copies: Sequence[Copy], shown: str, seen: str | None
    ) -> None:
        land_copies(
            self.landing,
            self.entity,
            day,
            copies,
            (shown, seen, self.source.dialect),
            self.scratch,
        )

    def _rows(
        self, batches: Iterator[list[dict[str, Any]]], shown: str, seen: str | None
    ) -> Rows:
        path = self.scratch / "received.parquet"
        path.unlink(missing_ok=True)
        table = _Table(self.entity, self.source.dialect)
        schema = pa.schema([(name, pa.string()) for name in self.entity.column_names])
        came = (table.batch(rows) for rows in batches)
        written = write_rows(path, schema, came, self.entity)
        for line in table.odd(written.rows):
            self.landing.say(f"{self.entity.name}: {line}")
        return Rows(path, written, shown, seen)

    def _known_tag(self, day: date) -> str | None:
        """Return the tag of what has landed, where the same URL had it."""
        latest = latest_snapshot(self.landing.home, self.entity.name, day)
        if latest is None or not (latest.manifest.seen or "").startswith(_TAG):
            return None
        is_same = latest.snapshot_date == day or not DATE.search(self.source.where)
        return (latest.manifest.seen or "").removeprefix(_TAG) if is_same else None

    def _trying(self, act: Any) -> Any:  # noqa: ANN401  (what it returns is act's)
        return trying(act, self.entity.name, self.source.retries, self.landing.say)


class _Table:
    """Objects of JSON as rows of text, under our names."""

    def __init__(self, entity: Entity, dialect: Dialect) -> None:
        self._columns = entity.columns
        self._dialect = dialect
        self._seen: set[str] = set()

    def batch(self, objects: Sequence[dict[str, Any]]) -> pa.RecordBatch:
        """Return objects as rows.

        Raises:
            Refused: an identifier is a number, a value is no value.
        """
        renamed = self._dialect.renamed
        rows = [{renamed(key): value for key, value in one.items()} for one in objects]
        for row in rows:
            self._seen.update(row)
        return pa.RecordBatch.from_arrays(
            [
                pa.array(
                    [self._text(row.get(one.name), one) for row in rows], pa.string()
                )
                for one in self._columns
            ],
            names=[column.name for column in self._columns],
        )

    def odd(self, rows: int) -> Iterator[str]:
        """Yield what is said of keys that are not columns.

        Raises:
            Refused: a required column stood in no row.
        """
        names = {column.name for column in self._columns}
        missing = [
            column.name
            for column in self._columns
            if column.required and column.name not in self._seen
        ]
        if rows and missing:
            raise Refused(f"lacks the columns {listed(missing)}")
        others = len(self._seen - names)
        if others:
            yield f"keys that are no declared columns, left out: {others}"

    def _text(self, value: object, column: Column) -> str | None:
        if value is None:
            return None
        if isinstance(value, Number):
            if column.is_identifier:
                raise Refused(
                    f"has a number as an identifier, which has lost its leading zeros:"
                    f" {column.name}"
                )
            mark = NOT_AS_DECLARED if column.type == "date" else ""
            return mark + _plain(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return canonical_text(value, column, self._dialect)
        raise Refused(f"has more than a value in {column.name}")


def read_page(source: HttpSource, body: bytes, number: int, link: str | None) -> Page:
    """Return an answer as a page.

    Raises:
        Refused: it is not what it should be: cut off, perhaps.
    """
    if source.format == "csv":
        encoding = source.dialect.encoding or "utf-8"
        text = io.StringIO(body.decode(encoding, errors="replace"), newline="")
        rows = sum(1 for row in csv.reader(text) if row) - source.dialect.header_row
        return Page(number, body, None, max(0, rows), link)
    if source.format == "jsonl":
        document: Any = [_parsed(line) for line in body.splitlines() if line.strip()]
    else:
        document = _parsed(body)
    page = Page(number, body, document, 0, link)
    return Page(number, body, document, len(rows_in(source, page)), link)


def rows_in(source: HttpSource, page: Page) -> list[dict[str, Any]]:
    """Return the objects of a page.

    Raises:
        Refused: there are none where they should be.
    """
    found = at_path(page.document, source.rows) if source.rows else page.document
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Refused(f"has no list of rows at {source.rows or 'the top'}")
    return found


def _line_pages(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of a file of JSON lines, some thousands at once."""
    waiting: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            one = _parsed(line)
            if not isinstance(one, dict):
                raise Refused(f"line {number} is no object")
            waiting.append(one)
            if len(waiting) == 10_000:
                yield waiting
                waiting = []
    yield waiting


def _parsed(body: bytes) -> Any:  # noqa: ANN401  (JSON is anything)
    try:
        return json.loads(
            body, parse_float=Number, parse_int=Number, parse_constant=Number
        )
    except (ValueError, RecursionError):
        raise Refused("answers what is no JSON, or is cut off", may_pass=True) from None


def _plain(number: Number) -> str:
    """Return a number without an exponent, or zeros that say nothing."""
    try:
        value = Decimal(number)
    except InvalidOperation:
        return str(number)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _LONGEST_EXPONENT:
        return str(number)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
