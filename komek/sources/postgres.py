"""A PostgreSQL database: the registries of one connection, as of one moment.

Tables are read by ADBC, which has COPY's binary rows as Arrow's columns. All of one
connection are read in one transaction that is REPEATABLE READ and READ ONLY, so that
awards and their members agree; none of it lands before all of it has come.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager.dbapi import Connection as Session

from komek.base.database import quoted, text_literal
from komek.base.errors import UsageError, listed
from komek.base.places import TIME_ZONE
from komek.base.registries import Entity
from komek.landing.dialect import Dialect, canonical
from komek.landing.received import Refused
from komek.landing.templates import DATE, filled, written
from komek.sources.connections import Connection
from komek.sources.entries import PostgresSource
from komek.sources.rows import Written, write_rows

_NAME = r'(?:"[^"]+"|\w+)'
_TABLE = re.compile(rf"{_NAME}(?:\.{_NAME}){{0,2}}")
_NOT_OF_LIBPQ = ("__extra__",)
_BATCH_BYTES = 4 << 20
# The order of rows is that of the table, whoever else reads it: what is unchanged has
# the same bytes.
_SETTINGS = {
    "TimeZone": TIME_ZONE,
    "DateStyle": "ISO",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "extra_float_digits": "1",
}
_BEGIN = "set transaction isolation level repeatable read, read only"
# What libpq says when it cannot connect and never will; it has no code there.
_LASTING = re.compile(
    r"authentication failed|no password supplied|role .* does not exist"
    r"|database .* does not exist|pg_hba\.conf|invalid (URI|connection option|integer)"
    r"|certificate|permission denied for database",
    re.IGNORECASE,
)
# Not PGRES_FATAL_ERROR, which whatever breaks off is, too.
_OF_A_ROW = re.compile(r"\bERROR:")
_PASSING = re.compile("canceling|could not serialize|deadlock|out of memory")
# Classes of SQLSTATE that name what the query is about, and quote no row.
_OF_A_QUERY = ("42", "3F", "0A")
_MAY_PASS = ("08", "40", "53", "55", "57", "58", "XX")
_TRAILING_ZEROS = (r"(\.[0-9]*?)0+$", r"\1")
_POINT = (r"\.$", "")


@dataclass(frozen=True)
class Asked:
    """What is asked of a database for a registry.

    Attributes:
        entity: which.
        query: what selects its rows.
        schema: of what it selects.
        names: its columns, theirs to ours, of those that are declared.
        others: the names of the others, which are not read.
    """

    entity: Entity
    query: str
    schema: pa.Schema
    names: dict[str, str]
    others: list[str]

    @property
    def declared(self) -> str:
        """The query of the declared columns, under our names."""
        columns = ", ".join(
            f"{_selected(self.schema.field(theirs))} as {quoted(ours)}"
            for theirs, ours in self.names.items()
        )
        return f"select {columns} from ({self.query}) as received"


def query_for(source: PostgresSource, day: date) -> str:
    """Return what selects a registry's rows on a day.

    Raises:
        UsageError: the table's name is none.
    """
    if source.query is not None:
        return at_day(source.query, day)
    table = filled(source.table or "", day)
    if not _TABLE.fullmatch(table):
        raise UsageError(f"{table!r} is no name of a table")
    return f"select * from {table}"


def at_day(query: str, day: date) -> str:
    """Return a query with a day in it, as a literal: `{date}`, quoted or not."""
    bare = re.sub(rf"'({DATE.pattern})'", r"\1", query.strip().rstrip(";"))
    return DATE.sub(lambda found: text_literal(written(day, found[1])), bare)


@contextmanager
def session(connection: Connection, timeout: float) -> Iterator[Session]:
    """Open a connection to a database; what fails in it is refused by its kind.

    Raises:
        Refused: without a secret and without a row.
        UsageError: the connection is to no database.
    """
    with failing():
        opened = adbc.connect(_uri(connection, timeout))
    try:
        with failing():
            yield opened
    finally:
        opened.close()


@contextmanager
def failing() -> Iterator[None]:
    """Refuse what a database refuses.

    Raises:
        Refused: its words are told where they can quote no row.
    """
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise refusal(error) from None


def refusal(error: adbc_driver_manager.Error) -> Refused:
    """Return how an error of the database is told, and whether it may pass."""
    state, said = error.sqlstate, str(error)
    if state is None:
        if "connect" in said and _LASTING.search(said):
            return Refused("the database refuses the connection and its credentials")
        return Refused("the database cannot be reached", may_pass=True)
    if state.startswith("28"):
        return Refused("the database refuses the connection and its credentials")
    if state == "42501":
        return Refused("the database does not let it be read: permission denied")
    if state.startswith(_OF_A_QUERY):
        found = re.search(r"ERROR:\s+(.*)", said)
        reason = found[1].strip() if found else f"SQLSTATE {state}"
        return Refused(f"the database cannot answer: {reason}")
    may_pass = state.startswith(_MAY_PASS)
    kind = "broke off" if may_pass else "fails on what is in it"
    return Refused(f"the database {kind} (SQLSTATE {state})", may_pass=may_pass)


def described(
    opened: Session, entity: Entity, source: PostgresSource, day: date
) -> Asked:
    """Return what is asked for a registry, having asked what it would be.

    Raises:
        Refused: there is no such table, its columns are not the declared ones, or an
            identifier is a number.
    """
    query = query_for(source, day)
    with failing(), opened.cursor() as cursor:
        schema = cursor.adbc_execute_schema(f"select * from ({query}) as received")
    ours = {name: source.dialect.renamed(name) for name in schema.names}
    by_name = {column.name: column for column in entity.columns}
    names = {theirs: name for theirs, name in ours.items() if name in by_name}
    missing = [name for name in by_name if name not in names.values()]
    if missing:
        raise Refused(f"lacks the columns {listed(missing)}")
    if len({*names.values()}) != len(names):
        raise Refused("has a column twice")
    numbers = [
        name
        for theirs, name in names.items()
        if by_name[name].is_identifier and _is_number(schema.field(theirs))
    ]
    if numbers:
        raise Refused(
            f"has numbers as identifiers, which have lost their leading zeros:"
            f" {listed(numbers)}"
        )
    others = [theirs for theirs in ours if theirs not in names]
    theirs_of = {name: theirs for theirs, name in names.items()}
    in_order = {theirs_of[name]: name for name in by_name}
    return Asked(entity, query, schema, in_order, others)


def begin(opened: Session) -> None:
    """Begin the one transaction in which all is read."""
    with failing(), opened.cursor() as cursor:
        cursor.execute(_BEGIN)
        for name, value in _SETTINGS.items():
            cursor.execute(f"set local {name} = {text_literal(value)}")


def version_in(opened: Session, source: PostgresSource, day: date) -> str | None:
    """Return a hash of what tells whether anything has changed, None: nothing does."""
    if source.changed_by is None:
        return None
    with failing(), opened.cursor() as cursor:
        cursor.execute(at_day(source.changed_by, day))
        answer = cursor.fetch_arrow_table()
    columns = [column.cast(pa.string()).to_pylist() for column in answer.columns]
    return hashlib.sha256(repr(columns).encode()).hexdigest()


def receive(
    opened: Session,
    asked: Asked,
    dialect: Dialect,
    path: Path,
    advance: Callable[[int], None],
) -> Written:
    """Write a registry's rows as a Parquet file.

    Raises:
        Refused: the database broke off, or a text is not UTF-8.
        OSError: the file cannot be written.
    """
    with failing(), opened.cursor() as cursor:
        cursor.adbc_statement.set_options(
            **{"adbc.postgresql.batch_size_hint_bytes": f"{_BATCH_BYTES}"}
        )
        cursor.execute("select current_setting('server_encoding')")
        # Such a database converts nothing, and promises nothing.
        is_bytes = cursor.fetchone() == ("SQL_ASCII",)
        cursor.execute(asked.declared)
        reader = cursor.fetch_record_batch()
        schema = _landed(reader.schema)

        def batches() -> Iterator[pa.RecordBatch]:
            rows = 0
            for batch in _streamed(reader):
                rows += batch.num_rows
                advance(rows)
                if is_bytes:
                    _check_text(batch)
                yield from _as_ours(batch, schema, asked.entity, dialect)

        return write_rows(path, schema, batches(), asked.entity)


def _streamed(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Yield what a database sends; Arrow tells in words alone what fails in between."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        said = str(error)
        if _OF_A_ROW.search(said) and not _PASSING.search(said):
            raise Refused("the database fails on what is in it") from None
        raise Refused("the database broke off", may_pass=True) from None


def _uri(connection: Connection, timeout: float) -> str:
    """Return a connection's URL as libpq reads it."""
    if connection.scheme not in ("postgresql", "postgres"):
        raise UsageError(
            f"connection {connection.id}: it is no URL of a PostgreSQL database"
        )
    parameters = {
        "connect_timeout": f"{max(2, round(timeout))}",
        "keepalives_idle": f"{max(1, round(timeout))}",
        "tcp_user_timeout": f"{round(timeout * 1000)}",
        "options": f"-c lock_timeout={round(timeout * 1000)}",
        "application_name": "komek",
        **connection.extra,
    }
    for name in _NOT_OF_LIBPQ:
        parameters.pop(name, None)
    parts = urlsplit(connection.url)
    query = urlencode(parameters).replace("+", "%20")
    return urlunsplit(("postgresql", *parts[1:3], query, ""))


def _is_number(field: "pa.Field[Any]") -> bool:
    kind = field.type
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or _type_name(field) in ("numeric", "money")
    )


def _type_name(field: "pa.Field[Any]") -> str:
    return (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()


def _selected(field: "pa.Field[Any]") -> str:
    """Return a column as it is asked for: text but for days, numbers, true and false.

    As text, what char(n) is padded with is gone, as it is to the database itself.
    """
    kind = field.type
    as_it_is = (
        pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_boolean(kind)
        or (_is_number(field) and _type_name(field) != "money")
        or _type_name(field) in ("text", "varchar")
    )
    return quoted(field.name) + ("" if as_it_is else "::text")


def _landed(schema: pa.Schema) -> pa.Schema:
    """Return the schema that lands: a numeric is its text, nothing says where from."""
    return pa.schema(
        [
            (field.name, field.type.storage_type)
            if isinstance(field.type, pa.BaseExtensionType)
            else (field.name, field.type)
            for field in schema
        ]
    )


def _as_ours(
    batch: pa.RecordBatch, schema: pa.Schema, entity: Entity, dialect: Dialect
) -> Iterator[pa.RecordBatch]:
    columns = []
    for column in batch.columns:
        if isinstance(column, pa.ExtensionArray):
            columns.append(_plain(column.storage))
        else:
            columns.append(column)
    texts = {field.name for field in batch.schema if pa.types.is_string(field.type)}
    written = [column for column in entity.columns if column.name in texts]
    table = pa.Table.from_arrays(columns, schema=schema)
    return iter(canonical(table, written, dialect).to_batches())


def _check_text(batch: pa.RecordBatch) -> None:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        raise Refused("has text that is not UTF-8") from None


def _plain(numbers: "pa.Array[Any]") -> Any:  # noqa: ANN401  (pyarrow's stubs know none)
    """Return numerics without the zeros that their scale adds: 12.5000 is 12.5."""
    shorter = pc.replace_substring_regex(numbers, *_TRAILING_ZEROS)
    return pc.replace_substring_regex(shorter, *_POINT)
