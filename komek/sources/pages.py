"""The pages of a service, one after the other, each once and none left out."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from komek.landing.received import Refused
from komek.sources.entries import HttpSource
from komek.sources.paths import at_path

MAX_PAGES = 1_000_000


@dataclass(frozen=True)
class Page:
    """What a service answered.

    Attributes:
        number: of the page, from 1.
        body: what it answered, as it is.
        document: what that is as JSON; None for other formats.
        count: how many rows there are in it.
        link: the next page, as the header `Link` says.
    """

    number: int
    body: bytes
    document: Any
    count: int
    link: str | None


def pages(
    source: HttpSource, start: httpx.URL, ask: Callable[[httpx.URL, int], Page]
) -> Iterator[Page]:
    """Yield the pages of a service in order, the empty ones at the end left out.

    Args:
        source: how they are asked for.
        start: the URL of all.
        ask: asks for a page by URL and number.

    Raises:
        Refused: a page comes again, one is left out, their total is not what was said
            or changes meanwhile, or they lead elsewhere.
    """
    checked = _Checked(source)
    url: httpx.URL | None = _first(source, start)
    number = 0
    while url is not None:
        number += 1
        if number > MAX_PAGES:
            raise Refused(f"has more than {MAX_PAGES:,} pages")
        page = ask(url, number)
        checked.take(page)
        if page.count or number == 1:
            yield page
        url = _next(source, start, page, checked)
        if page.count == 0 and url is not None and _is_counted(source):
            _see_end(source, start, ask, checked, number)
            url = None
    checked.end()


class _Checked:
    """What is known of the pages so far."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source
        self._seen: set[str] = set()
        self._short: int | None = None
        self.longest = 0
        self.rows = 0
        self.total: int | None = None
        self.cursors: set[str] = set()

    def take(self, page: Page) -> None:
        """Check a page against those before it."""
        self._take_total(page)
        if page.count == 0:
            return
        if _is_counted(self._source):
            if self._short is not None:
                raise Refused(
                    f"page {self._short} is shorter than the first, and not the last",
                    may_pass=True,
                )
            self.longest = self.longest or page.count
            if page.count < self.longest:
                self._short = page.number
        digest = hashlib.sha256(_content(self._source, page)).hexdigest()
        # A page of one row may be a row that is there twice.
        if digest in self._seen and page.count > 1:
            raise Refused(f"page {page.number} came before", may_pass=True)
        self._seen.add(digest)
        self.rows += page.count

    def end(self) -> None:
        """Check that all has come."""
        if self.total is not None and self.rows != self.total:
            raise Refused(
                f"{self.rows} rows came of the {self.total} that it says it has",
                may_pass=True,
            )

    @property
    def is_all(self) -> bool:
        """Whether as many rows have come as there are in all."""
        return self.total is not None and self.rows >= self.total

    def _take_total(self, page: Page) -> None:
        path = self._source.total
        if path is None or page.document is None:
            return
        said = at_path(page.document, path)
        if not isinstance(said, str) or not said.isdigit():
            raise Refused(f"has no number of all rows at {path}")
        if self.total not in (None, int(said)):
            raise Refused("changed while it was read", may_pass=True)
        self.total = int(said)


def _content(source: HttpSource, page: Page) -> bytes:
    """Return what makes a page that page, and not what is told around its rows."""
    if page.document is None:
        return page.body
    found = at_path(page.document, source.rows) if source.rows else page.document
    return repr(found).encode()


def _is_counted(source: HttpSource) -> bool:
    """Say whether the next page is asked for by a number of ours."""
    return bool(source.page.number or source.page.offset)


def _first(source: HttpSource, start: httpx.URL) -> httpx.URL:
    return _at(source, start, 0, 0) if _is_counted(source) else _sized(source, start)


def _at(source: HttpSource, start: httpx.URL, pages: int, rows: int) -> httpx.URL:
    """Return the URL of the page after so many pages of so many rows."""
    page = source.page
    if page.number:
        place = {page.number: f"{page.first + pages}"}
    else:
        place = {page.offset or "": f"{rows}"}
    return _sized(source, start).copy_merge_params(place)


def _sized(source: HttpSource, url: httpx.URL) -> httpx.URL:
    page = source.page
    if page.size and page.limit:
        return url.copy_merge_params({page.limit: f"{page.size}"})
    return url


def _next(
    source: HttpSource, start: httpx.URL, page: Page, checked: _Checked
) -> httpx.URL | None:
    """Return the URL of the next page, None where there is none."""
    paging = source.page
    if _is_counted(source):
        after = _at(source, start, page.number, checked.rows)
        return None if checked.is_all else after
    cursor = at_path(page.document, paging.cursor) if paging.cursor else None
    if paging.link or (cursor and paging.parameter is None):
        return _joined(start, page.link if paging.link else f"{cursor}", checked)
    if not cursor:
        return None
    _once(f"{cursor}", checked)
    taken = {paging.parameter or "": f"{cursor}"}
    return _sized(source, start).copy_merge_params(taken)


def _joined(start: httpx.URL, link: str | None, checked: _Checked) -> httpx.URL | None:
    """Return the URL that a page names as the next: of the same service, and new."""
    if not link:
        return None
    url = start.join(link)
    if (url.scheme, url.host, url.port) != (start.scheme, start.host, start.port):
        raise Refused("names a next page that is at another service")
    _once(f"{url}", checked)
    return url


def _once(cursor: str, checked: _Checked) -> None:
    if cursor in checked.cursors:
        raise Refused("names as the next page one that came before", may_pass=True)
    checked.cursors.add(cursor)


def _see_end(
    source: HttpSource,
    start: httpx.URL,
    ask: Callable[[httpx.URL, int], Page],
    checked: _Checked,
    number: int,
) -> None:
    """See that behind an empty page there is none: it may be one that was left out."""
    rows = checked.rows + checked.longest
    try:
        after = ask(_at(source, start, number, rows), number + 1)
    except Refused:
        return
    if after.count:
        raise Refused(
            f"page {number} is empty, and page {number + 1} is not", may_pass=True
        )
