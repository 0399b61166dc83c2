"""The columns of a delivered file, read from its beginning where that is enough."""

import gzip
import io
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow.parquet as pq

from komek.base.registries import Entity
from komek.landing import received_book
from komek.landing.csv_header import read_header
from komek.landing.dialect import Dialect
from komek.landing.drop import DropPath, reading
from komek.landing.received import MAX_UNPACKED_BYTES, decoding
from komek.landing.received_text import ReceivedText


def columns_in(path: DropPath, entity: Entity, dialect: Dialect) -> list[str]:
    """Return the columns of a delivered file, under our names; of a zip none.

    Raises:
        Refused: it cannot be read.
    """
    name = path.name.lower()
    if name.endswith(".zip"):
        return []
    with reading(path.name), path.open("rb") as file:
        if name.endswith(".parquet"):
            with decoding("is no whole Parquet"), pq.ParquetFile(file) as parquet:
                return [*parquet.schema_arrow.names]
        if name.endswith((".xlsx", ".ods")):
            return _of_book(file, entity, dialect)
        zipped = name.endswith(".gz")
        raw = gzip.GzipFile(fileobj=file) if zipped else file
        encoding = dialect.encoding or entity.encoding
        text = ReceivedText(
            cast("io.BufferedIOBase", raw), encoding, lambda: None, MAX_UNPACKED_BYTES
        )
        return read_header(text, entity.column_names, dialect).names


def _of_book(file: BinaryIO, entity: Entity, dialect: Dialect) -> list[str]:
    written = io.BytesIO()
    with tempfile.NamedTemporaryFile(prefix="komek-") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        received_book.write_book(Path(copy.name), written, entity, dialect)
    return [*pq.read_schema(written).names]
