"""What an installation says of where a registry comes from, in types.

`registries.yml` has the defaults in `meta.source`; the file that KOMEK_SOURCES names
has what is otherwise here. Nothing given is the drop folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from komek.landing.complete import Complete
from komek.landing.dialect import AS_REGISTERED, Dialect

RETRIES = 3
TIMEOUT_SECONDS = 60.0
Format = Literal["json", "jsonl", "csv"]


@dataclass(frozen=True, kw_only=True)
class DropSource:
    """Files in a folder, or in what fsspec knows by its URL.

    Attributes:
        where: the folder or URL; None: the drop folder that is configured.
        pattern: how its files are named; None: `<entity>/<YYYY-MM-DD>`.
        complete: what shows that a delivery is whole.
        connection: whose credentials open it.
        dialect: how its text and workbooks are written.
        retries: how often what may pass is tried again.
        timeout: after how many seconds without an answer it has failed.
    """

    where: str | None = None
    pattern: str | None = None
    complete: Complete = field(default_factory=Complete)
    connection: str | None = None
    dialect: Dialect = AS_REGISTERED
    retries: int = RETRIES
    timeout: float = TIMEOUT_SECONDS


@dataclass(frozen=True, kw_only=True)
class PostgresSource:
    """A table or a query of a PostgreSQL database.

    Attributes:
        connection: which database.
        table: its name; or
        query: with `{date}` where the day belongs.
        changed_by: a query whose answer is another whenever anything has changed.
        dialect: how its text is written.
        retries: how often what may pass is tried again.
        timeout: for how many seconds it waits for a connection, a lock, the network.
    """

    connection: str
    table: str | None = None
    query: str | None = None
    changed_by: str | None = None
    dialect: Dialect = AS_REGISTERED
    retries: int = RETRIES
    timeout: float = TIMEOUT_SECONDS


@dataclass(frozen=True)
class Paging:
    """How the pages of a service are asked for; nothing given: there is one.

    Attributes:
        number: the parameter with the page's number, from `first`.
        offset: the parameter with how many rows were before.
        cursor: the path in a page to what the next is asked by.
        parameter: the parameter that takes it; None: it is the next page's URL.
        link: whether the header `Link` names the next page.
        size: how many rows a page has, asked for by the parameter `limit` if given.
        limit: see `size`.
        first: the number of the first page.
    """

    number: str | None = None
    offset: str | None = None
    cursor: str | None = None
    parameter: str | None = None
    link: bool = False
    size: int | None = None
    limit: str | None = None
    first: int = 1


@dataclass(frozen=True, kw_only=True)
class HttpSource:
    """A web service.

    Attributes:
        where: its URL, with `{date}` where the day belongs.
        connection: whose token or certificate opens it.
        format: of what it answers.
        rows: the path to the rows in an answer.
        total: the path to how many there are in all.
        page: how its pages are asked for.
        dialect: how its text is written.
        retries: how often what may pass is tried again.
        timeout: after how many seconds without an answer it has failed.
    """

    where: str
    connection: str | None = None
    format: Format = "json"
    rows: str | None = None
    total: str | None = None
    page: Paging = field(default_factory=Paging)
    dialect: Dialect = AS_REGISTERED
    retries: int = RETRIES
    timeout: float = TIMEOUT_SECONDS


Source = DropSource | PostgresSource | HttpSource
KINDS: Mapping[str, type[Source]] = {
    "drop": DropSource,
    "postgres": PostgresSource,
    "http": HttpSource,
}


def kind_of(source: Source) -> str:
    """Return the word for a source's kind."""
    return next(kind for kind, of in KINDS.items() if isinstance(source, of))


def is_dated(source: Source) -> bool:
    """Say whether what it has carries its date, and is not pulled for a day."""
    return isinstance(source, DropSource)
