"""Letters that give a wrong encoding away: in names, and of no alphabet used there.

Bytes of kz1048 that are read as cp1251 raise no error: Қазақ becomes Ќазаќ. Whoever it
was that read them so, here or upstream, the letters are foreign to Kazakh and Russian.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from komek.base import database
from komek.base.database import quoted, scan
from komek.base.registries import Entity
from komek.landing.received import Refused

if TYPE_CHECKING:
    import pyarrow as pa

# More rows than one in so many make a file one of another encoding.
ROWS_PER_FOREIGN = 1_000
_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_KAZAKH = "әғқңөұүһі"
_KNOWN = {*_RUSSIAN, *_KAZAKH, *_RUSSIAN.upper(), *_KAZAKH.upper()}
# Of Unicode's Cyrillic, with its supplement.
_FOREIGN = (
    f"[{''.join(chr(code) for code in range(0x400, 0x530) if chr(code) not in _KNOWN)}]"
)
# The letters as pairs of bytes of UTF-8, in the order in which a machine reads them.
_FOREIGN_PAIRS = np.zeros(1 << 16, dtype=np.bool_)
_FOREIGN_PAIRS[
    np.frombuffer(
        "".join(c for c in map(chr, range(0x400, 0x530)) if c not in _KNOWN).encode(),
        dtype=np.uint16,
    )
] = True
_WRITTEN = ("kz1048", "utf-8", "cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
_READ = ("cp1251", "kz1048", "iso8859-5", "koi8-r", "cp866", "latin-1")
_SAMPLES = 200


def check_letters(
    parquet: Path, columns: Sequence[tuple[str, str]], entity: Entity
) -> list[str]:
    """Look for letters that no name or address has.

    Args:
        parquet: a landed file.
        columns: its columns and their DuckDB types.
        entity: whose it is.

    Returns:
        What is odd, and in how many rows; never a name.

    Raises:
        Refused: it is odd in more than one row in a thousand.
    """
    types = dict(columns)
    names = [name for name in are_names(entity) if types.get(name) == "VARCHAR"]
    if not names:
        return []
    files = scan(parquet)
    counts = ", ".join(f"count(*) filter (where {_is_foreign(name)})" for name in names)
    with database.connect() as connection:
        rows, *foreign = connection.execute(
            f"select count(*), {counts} from {files}"
        ).fetchone() or (0,)
        said = []
        for name, count in zip(names, foreign, strict=True):
            if not count:
                continue
            samples = connection.execute(
                f"select {quoted(name)} from {files} where {_is_foreign(name)}"
                f" limit {_SAMPLES}"
            ).fetchall()
            reason = (
                f"has letters of neither Kazakh nor Russian in {name},"
                f" in {count} of {rows} rows{_guess(text for (text,) in samples)}"
            )
            if count * ROWS_PER_FOREIGN > rows:
                raise Refused(reason)
            said.append(reason)
    return said


def are_names(entity: Entity) -> list[str]:
    """Return the columns that are looked at."""
    return [column.name for column in entity.columns if column.is_name]


def may_be_foreign(texts: "pa.Array[Any]") -> bool:
    """Say whether a letter of theirs may be foreign: told from their bytes, and fast.

    Args:
        texts: a column of text. Bytes beside it in its buffer count too.
    """
    buffer = texts.buffers()[-1] if len(texts) else None
    if buffer is None:
        return False
    # A letter may begin at an even byte or at an odd one.
    whole = np.frombuffer(memoryview(buffer), dtype=np.uint8)
    return any(
        bool(_FOREIGN_PAIRS[part[: len(part) // 2 * 2].view(np.uint16)].any())
        for part in (whole, whole[1:])
    )


def _is_foreign(name: str) -> str:
    return f"regexp_matches({quoted(name)}, '{_FOREIGN}')"


def _guess(texts: Iterable[str]) -> str:
    """Say as what the texts were read that are something else; '' where none fits."""
    samples = list(texts)
    for written, read in product(_WRITTEN, _READ):
        mended = [_read_again(text, written, read) for text in samples]
        fitting = sum(
            text is not None and not re.search(_FOREIGN, text) for text in mended
        )
        if fitting * 10 >= len(samples) * 9:
            return f": it looks like {written} read as {read}"
    return ""


def _read_again(text: str, written: str, read: str) -> str | None:
    """Return the text that was written, if what is there was read so."""
    try:
        return text.encode(read).decode(written)
    except UnicodeError:
        return None
