"""How a source writes what it delivers, and its fields as the registries are written.

What is declared is turned into canonical text before anything judges it: a day as
YYYY-MM-DD, an amount with a point. Nothing is guessed: a day or a number that is not
written as declared stands behind a mark, so that no rule takes it for one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from komek.base.registries import Column

# Before what is not written as its dialect says.
NOT_AS_DECLARED = "?"
QUOTE = '"'
_BOOLEAN = {"true", "false"}
_DATES_KEPT = 1 << 17


@dataclass(frozen=True)
class Dialect:
    """How the text of a source is written; what is not given is as in `registries.yml`.

    Attributes:
        encoding: of the text; None: the registry's.
        delimiter: between fields; None: a comma, semicolon or tab, as the header shows.
        quote: around fields; None: nothing is quoted.
        decimal: between tenge and tiyn.
        dates: formats of days, tried in order; none: YYYY-MM-DD.
        nulls: words for nothing, beside the empty field.
        trues: words for true, and `falses` for false; none: `true` and `false`.
        falses: see `trues`.
        columns: their headings, and which columns of ours they are.
        sheet: of a workbook; None: its only one.
        header_row: the line or row, from 1, that the headings stand in.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = QUOTE
    decimal: str = "."
    dates: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    trues: tuple[str, ...] = ()
    falses: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    header_row: int = 1

    def renamed(self, heading: str) -> str:
        """Return the name of the column under a heading."""
        return self.columns.get(heading, heading)


AS_REGISTERED = Dialect()


def canonical(table: pa.Table, columns: Sequence[Column], dialect: Dialect) -> pa.Table:
    """Return a table whose text is written as the registries are.

    Args:
        table: columns of text, under our names; other types are left alone.
        columns: the entity's.
        dialect: how the text is written.
    """
    declared = {column.name: column for column in columns}
    for place, name in enumerate(table.column_names):
        column = declared.get(name.lower())
        texts = table.column(place)
        if column is None or not pa.types.is_string(texts.type):
            continue
        written = _without_nulls(texts, dialect)
        rewrite = _rewriting(column, dialect)
        if rewrite:
            written = _each_once(written, rewrite)
        if written is not texts:
            table = table.set_column(place, table.schema.field(place), written)
    return table


def canonical_text(text: str, column: Column, dialect: Dialect) -> str | None:
    """Return one text as `canonical` writes it, None where it is a word for nothing."""
    if text in dialect.nulls:
        return None
    rewrite = _rewriting(column, dialect)
    return rewrite(text) if rewrite else text


def _without_nulls(
    texts: "pa.ChunkedArray[Any]", dialect: Dialect
) -> "pa.ChunkedArray[Any]":
    words = [word for word in dialect.nulls if word]
    if not words:
        return texts
    is_word = pc.is_in(texts, value_set=pa.array(words, pa.string()))
    kept = pc.if_else(is_word, pa.scalar(None, pa.string()), texts)
    return cast("pa.ChunkedArray[Any]", kept)


def _rewriting(column: Column, dialect: Dialect) -> Callable[[str], str] | None:
    """Return what rewrites a column's texts, None where nothing does."""
    if column.type == "date" and dialect.dates:
        return lambda text: _day(text, dialect.dates)
    if column.type == "amount" and dialect.decimal != ".":
        return lambda text: _amount(text, dialect.decimal)
    words = dialect.trues or dialect.falses
    if column.type == "code" and {*column.codes} == _BOOLEAN and words:
        meant = dict.fromkeys(dialect.trues, "true") | dict.fromkeys(
            dialect.falses, "false"
        )
        return lambda text: meant.get(text, _marked(text))
    return None


def _each_once(
    texts: "pa.ChunkedArray[Any]", rewrite: Callable[[str], str]
) -> "pa.ChunkedArray[Any]":
    """Rewrite each different text once."""
    chunks = []
    for chunk in texts.chunks:
        encoded = chunk.dictionary_encode()
        texts_once = cast("list[str]", encoded.dictionary.to_pylist())
        rewritten = [rewrite(text) for text in texts_once]
        chunks.append(pa.array(rewritten, pa.string()).take(encoded.indices))
    return pa.chunked_array(chunks, pa.string())


def _marked(text: str) -> str:
    return text and NOT_AS_DECLARED + text


@lru_cache(_DATES_KEPT)
def _day(text: str, formats: tuple[str, ...]) -> str:
    # Python reads digits of every script; the registries do not.
    if all(not sign.isdigit() or sign.isascii() for sign in text):
        for written in formats:
            try:
                moment = datetime.strptime(text, written)  # noqa: DTZ007  (a day)
            except ValueError:
                continue
            if moment.time() == time():
                return moment.date().isoformat()
    return _marked(text)


def _amount(text: str, decimal: str) -> str:
    return _marked(text) if "." in text else text.replace(decimal, ".")
