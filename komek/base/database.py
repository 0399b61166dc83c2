"""How DuckDB is opened, and told to read a Parquet file.

Every database is opened with the same bounds: one limit of memory, a folder of ours to
spill into or none, and one time zone, so that no result hangs on who reads it where.

A Parquet file is read as that file, and for what is in it: left to itself DuckDB takes
a path with `*`, `?` or `[` for a pattern, and so reads what lies in other folders too,
and takes `name=value` in a path for a column. Text that its writer did not mark as text
(Impala, old versions of Spark) is text all the same.
"""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from komek.base import interrupts
from komek.base.errors import UsageError
from komek.base.places import TIME_ZONE
from komek.base.settings import KEY, MEMORY_LIMIT, settings


def pattern(path: Path) -> str:
    """Return the pattern that no path but this one matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path.as_posix())


def literal(path: Path) -> str:
    """Return the path as an SQL text that stands for it where a pattern is read."""
    quoted = pattern(path).replace("'", "''")
    return f"'{quoted}'"


def scan(
    paths: Path | Sequence[Path], *options: str, bytes_as_text: bool = True
) -> str:
    """Return SQL that reads Parquet files; `options` are DuckDB's `name = value`."""
    several = [paths] if isinstance(paths, Path) else paths
    listed = ", ".join(literal(path) for path in several)
    always = (
        "hive_partitioning = false",
        f"binary_as_string = {str(bytes_as_text).lower()}",
    )
    given = ", ".join([f"[{listed}]", *always, *options])
    return f"read_parquet({given})"


# What the key of the landed Parquet files is called in SQL.
LANDING = "landing"
_SHORTEST = 16
_WAREHOUSE = "warehouse"
# How an encrypted Parquet file begins.
_ENCRYPTED_PARQUET = b"PARE"


def scan_encrypted(
    paths: Path | Sequence[Path],
    key_name: str,
    *options: str,
    bytes_as_text: bool = True,
) -> str:
    """Return SQL that reads Parquet files, all encrypted under one key or none.

    Args:
        paths: the files.
        key_name: what the connections that run the SQL call the key.
        options: DuckDB's `name = value`.
        bytes_as_text: read what is not marked as text as text all the same.

    Raises:
        UsageError: they are encrypted, and KOMEK_KEY is not set.
        OSError: a file cannot be read.
    """
    first = paths if isinstance(paths, Path) else paths[0]
    if not is_encrypted_parquet(first):
        return scan(paths, *options, bytes_as_text=bytes_as_text)
    if not encrypts():
        raise UsageError(f"{first} is encrypted: set {KEY}")
    key = f"encryption_config = {footer_key(key_name)}"
    return scan(paths, *options, key, bytes_as_text=bytes_as_text)


@contextmanager
def opening(file: Path) -> Iterator[None]:
    """Say that KOMEK_KEY does not open an encrypted Parquet file where it does not.

    Raises:
        UsageError: it does not.
    """
    try:
        yield
    except duckdb.Error as error:
        if "are you using the right key" not in str(error):
            raise
        raise UsageError(f"{KEY} does not open {file}") from None


def is_encrypted_parquet(file: Path) -> bool:
    """Say whether a Parquet file is encrypted.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        return opened.read(len(_ENCRYPTED_PARQUET)) == _ENCRYPTED_PARQUET


def footer_key(key_name: str) -> str:
    """Return the encryption of Parquet under a key, by its name, as SQL has it."""
    return f"{{footer_key: {text_literal(key_name)}}}"


def add_parquet_key(
    connection: duckdb.DuckDBPyConnection, key_name: str, key: str
) -> None:
    """Let a connection and its cursors read and write Parquet under a key (Base64)."""
    connection.execute("set variable parquet_key = $key", {"key": key})
    connection.execute(
        f"pragma add_parquet_key({text_literal(key_name)}, getvariable('parquet_key'))"
    )
    connection.execute("reset variable parquet_key")


def encrypts() -> bool:
    """Say whether what is written is encrypted.

    Raises:
        UsageError: KOMEK_KEY is too short.
    """
    return _passphrase() is not None


def key_of(region_kato: str | None = None) -> str:
    """Return the key, in Base64, of a region's packs; without one, of all the rest.

    Raises:
        UsageError: KOMEK_KEY is not set or too short.
    """
    passphrase = _passphrase()
    if passphrase is None:
        raise UsageError(f"{KEY} is not set")
    purpose = _WAREHOUSE if region_kato is None else f"packs {region_kato}"
    derived = hmac.digest(_stretched(passphrase), purpose.encode(), "sha256")
    return base64.b64encode(derived).decode()


def memory_limit() -> str:
    """Return DuckDB's memory limit: KOMEK_MEMORY_LIMIT, else 60% of the machine's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    most = min(int(0.6 * machine), 6 * 2**30) // 2**20
    return settings().memory_limit or f"{most}MiB"


def configure(connection: duckdb.DuckDBPyConnection, spill: Path | None) -> None:
    """Set what every database has, for its connection and all its cursors.

    A signal that interrupts komek breaks off what the connection runs.

    DuckDB moves the folder it spills into only until something has been spilled: this
    is said once, as soon as a database is there.

    Args:
        connection: of a database that was just opened.
        spill: the folder for what does not fit in memory, made when it is needed; None
            where nothing may be written.

    Raises:
        UsageError: KOMEK_MEMORY_LIMIT is no amount of memory.
    """
    interrupts.watch(connection)
    limit = memory_limit()
    try:
        connection.execute(f"set memory_limit = {text_literal(limit)}")
    except duckdb.Error:
        raise UsageError(
            f"{MEMORY_LIMIT} is an amount of memory such as 4GB, not {limit!r}"
        ) from None
    # No name in a query is ever one of Python's, and nobody prints but komek.
    connection.execute("set python_enable_replacements = false")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"set temp_directory = {text_literal(spill or '')}")
    connection.execute(f"set global TimeZone = {text_literal(TIME_ZONE)}")


def connect(
    file: Path | None = None, *, read_only: bool = False, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or a database in memory.

    The file is attached under its name without the suffix: the database that a query
    is about where it names none. Only `cursor` gives cursors for which that holds too.

    Args:
        file: the file; None for a database in memory.
        read_only: only read the file.
        spill: the folder for what does not fit in memory; None puts it beside the
            file, where DuckDB would, and nowhere if there is none.

    Raises:
        UsageError: KOMEK_KEY does not open the file, or is too short;
            KOMEK_MEMORY_LIMIT is no amount of memory.
        duckdb.Error: the file cannot be opened.
    """
    connection = duckdb.connect()
    try:
        secure(connection)
        if file is not None:
            configure(connection, spill or spill_beside(file))
            attach(connection, file, file.stem, read_only=read_only)
            connection.execute(f'use "{file.stem}"')
        else:
            configure(connection, spill)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_locked(
    file: Path, name: str, key: str | None, *, memory: str
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file to read and nothing else, for good: no query opens another.

    Args:
        file: the file.
        name: what it is attached as.
        key: what it is encrypted under, in Base64, if not under the warehouse's key.
        memory: what it may take, in DuckDB's words.

    Raises:
        UsageError: the key does not open the file.
        duckdb.Error: the file cannot be opened.
    """
    connection = duckdb.connect()
    try:
        configure(connection, None)
        connection.execute(f"set memory_limit = {text_literal(memory)}")
        # Many are open at once, and each has one reader at a time.
        connection.execute("set threads = 1")
        attach(connection, file, name, key=key)
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def spill_beside(file: Path) -> Path:
    """Return where DuckDB spills of its own accord when it opens a file by itself."""
    return file.with_name(f"{file.name}.tmp")


def cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a cursor that is about the same database as its connection."""
    (name,) = connection.execute("select current_database()").fetchone() or ("memory",)
    another = connection.cursor()
    interrupts.watch(another)
    another.execute(f'use "{name}"')
    return another


def secure(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection read the landing and encrypt what it writes, if there is a key.

    Raises:
        UsageError: KOMEK_KEY is too short.
    """
    if encrypts():
        # OpenSSL's AES: by itself DuckDB only decrypts.
        connection.execute(f"load {text_literal(_extension())}")
        connection.execute("set temp_file_encryption = true")
        add_parquet_key(connection, LANDING, key_of())


def attach(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    name: str,
    *,
    read_only: bool = True,
    key: str | None = None,
    secret: bool = True,
) -> None:
    """Attach a DuckDB file under a name.

    Args:
        connection: of an open database.
        file: the file; one that is to be written is made if it is not there.
        name: what queries call it.
        read_only: only read it.
        key: what it is encrypted under, in Base64, if not under the warehouse's key.
        secret: encrypt what is written where anything is.

    Raises:
        UsageError: KOMEK_KEY does not open the file, or is too short.
        duckdb.Error: the file cannot be opened.
    """
    sql = f'attach {text_literal(file)} as "{name}"'
    options, given = ["read_only"] if read_only else [], {}
    if secret and encrypts():
        options, given = [*options, "encryption_key $key"], {"key": key or key_of()}
    try:
        connection.execute(f"{sql} ({', '.join(options)})" if options else sql, given)
    except duckdb.Error as error:
        said = str(error)
        if "without a key" in said:
            raise UsageError(f"{file} is encrypted: set {KEY}") from None
        if "Wrong encryption key" in said:
            raise UsageError(f"{KEY} does not open {file}") from None
        if "is not encrypted" not in said:
            raise
        if not read_only:
            raise UsageError(
                f"{file} is not encrypted: it was begun without {KEY}"
            ) from None
        connection.execute(f"{sql} (read_only)")


def attach_empty(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Attach an empty database in memory under a name."""
    connection.execute(f"attach ':memory:' as {quoted(name)}")


def is_encrypted(file: Path) -> bool:
    """Say whether a DuckDB file is encrypted.

    Raises:
        UsageError: KOMEK_KEY does not open the file, or is too short.
        duckdb.Error: the file cannot be opened.
    """
    with connect(file, read_only=True) as connection:
        (encrypted,) = connection.execute(
            "select encrypted from duckdb_databases()"
            " where database_name = current_database()"
        ).fetchone() or (False,)
    return bool(encrypted)


def fold_log(file: Path, key: str | None = None) -> None:
    """Put into a DuckDB file what DuckDB could only note in the log beside it.

    On a full disk it closes a file in silence all the same: moved alone, the file would
    lose what the log has.

    Args:
        file: the file.
        key: what it is encrypted under, in Base64, if not under the warehouse's key.

    Raises:
        UsageError: KOMEK_KEY does not open the file, or is too short.
        duckdb.Error: it still cannot be written.
    """
    if file.with_name(f"{file.name}.wal").exists():
        with connect() as connection:
            attach(connection, file, "folded", read_only=False, key=key)
            connection.execute("checkpoint folded")


def text_literal(text: str | Path) -> str:
    """Return a text or path as an SQL literal."""
    quoted = str(text).replace("'", "''")
    return f"'{quoted}'"


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _passphrase() -> str | None:
    given = settings().key
    if given is not None and len(given) < _SHORTEST:
        raise UsageError(f"{KEY} is too short: it takes {_SHORTEST} characters or more")
    return given


@cache
def _stretched(passphrase: str) -> bytes:
    """Return 32 bytes that cost 50 ms per guess to get from a passphrase."""
    given = os.fsencode(passphrase)
    return hashlib.scrypt(given, salt=b"komek", n=2**14, r=8, p=1, dklen=32)


def _extension() -> Path:
    """Return the extension as its package brings it: nothing is downloaded."""
    import duckdb_extension_httpfs  # noqa: PLC0415  (only where there is a key)

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions"
    return folder / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
