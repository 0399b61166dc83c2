"""Registries as no owner would like to have sent them: random, dirty and hostile.

A seed gives a drop folder with every entity of the registry table, as CSV and Parquet,
text and typed, whole or in parts, and the rows that were written, for an oracle.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from komek.base import registries
from komek.base.registries import Column, Entity
from registry_rules import Cell, Place, ReceivedRow, check_digit

DAY = "2020-04-10"
SPOILT_CELLS = 0.015
COPIES = CONFLICTS = 0.04
MALFORMED = EMPTY_LINES = 0.01

# What a person, a program or an attacker may have put into any column.
HOSTILE_TEXTS = (
    *("", " ", "NA", "NULL", "null", "nan", "-", "\\N", "\ufeff", "\u00a0", "\u200b"),
    *("'", '"', "''", '""', '"""', "'; drop table landing.kato; --", "x' or '1'='1"),
    *("'; attach 'x.duckdb' as x; --", '"; select 1; --', "$$", "/*", "*/", "--"),
    *('{{ var("run_id") }}', "{% endmacro %}", "{#", "${HOME}", "$(id)", "`id`", "%s"),
    *("../../etc/passwd", "..", "a/b", "C:\\x", "\\", "a|b", "|", "a,b", "a;b", "a\tb"),
    *("two\nlines", "two\r\nlines", "carriage\rreturn", "\n", "\r\n", 'a"b', "\x1b[2J"),
    *("\x07", "\x7f", "\x85", "\u2028", "\u202e", "\ufffd", "😀", "e\u0301", "ә", "М"),
    *("=1+1", "@x", "true", "TRUE", "1", "0", "malformed_row", "duplicate_key", "key"),
)
ORDINARY_TEXTS = ("A", "область", 'ТОО "Көмек"', "a, b", "l'été", "две\nстроки")
LONG_TEXTS = ("x" * 100_000, "'" * 5_000, "ә" * 20_000, '"\n' * 3_000)
HOSTILE_DATES = (
    *("2020-13-01", "2020-02-30", "2019-02-29", "2020-4-1", "20200401", "01.04.2020"),
    *(
        "2020-04-01 ",
        " 2020-04-01",
        "2020-04-01\n",
        "2020-04-01T00:00:00",
        "2020-O4-01",
    ),
    *("2020-04-01 00:00:00", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01"),
    *("-2020-04-01", "+2020-04-01", "٢٠٢٠-٠٤-٠١", "2020‐04‐01", "today"),
    *("infinity", "-infinity", "2020-04-00", "2020-00-10", "2020-04-31", "2020-O4-01"),
    *("2020/04/01", "epoch", "1900-01-01", "1900-01-02", "1879-12-31", "1880-01-01"),
    *("2020-04-10", "2020-04-11", "2400-02-29"),
)
HOSTILE_AMOUNTS = (
    *("1.", ".5", "1,5", "1 000", "1.234", "1e3", "+1", "--1", "-", "-0.5", "-0"),
    *("9999999999999999.99", "10000000000000000", "-9999999999999999.99", "0.00"),
    *("1_000", "٣", "１", "NaN", "inf", "1.5 ", "0x10", "1.5\n", "О", "5302.0", "007"),
)
HOSTILE_INTEGERS = (
    *("+1", "-1", "-0", "1.0", "1.", "1e3", "007", "9223372036854775807", " 1", "1 "),
    *("9223372036854775808", "99999999999999999999999", "٣", "１", "1_0", "0x1", "5\n"),
)
HOSTILE_IINS = (
    *("000000000000", "00000000000", "0000000000000", "12345678901a", "1234567890 1"),
    *("٠٠٠٠٠٠٠٠٠٠٠٠", "０００００００００００１", "0x1000000000", "1_23456789012"),
    *("ABCDEF012345", "-12345678901", "999999999999", "111111111110\n"),
)
HOSTILE: Mapping[str, tuple[str, ...]] = {
    "date": HOSTILE_DATES,
    "amount": HOSTILE_AMOUNTS,
    "integer": HOSTILE_INTEGERS,
    "iin": HOSTILE_IINS,
}
# How a Parquet column may be typed, by what is declared.
TYPED: Mapping[str, Mapping[str, pa.DataType]] = {
    "date": {"date": pa.date32(), "timestamp": pa.timestamp("us"), "int": pa.int64()},
    "amount": {
        "decimal": pa.decimal128(18, 2),
        "fine": pa.decimal128(20, 3),
        "double": pa.float64(),
        "int": pa.int64(),
        "bool": pa.bool_(),
    },
    "integer": {
        "int": pa.int32(),
        "double": pa.float64(),
        "decimal": pa.decimal128(18, 2),
        "date": pa.date32(),
    },
    "code": {"bool": pa.bool_()},
    "text": {"date": pa.date32(), "int": pa.int64(), "bool": pa.bool_()},
}
SPOILT_TYPED: Mapping[str, tuple[Cell, ...]] = {
    "timestamp": (datetime(2020, 4, 1, 0, 0, 1),),  # noqa: DTZ001
    "double": (-1.0, 0.5, 1.234, 1e18, float("nan"), float("inf")),
    "fine": (Decimal("1.234"), Decimal(10**16), Decimal("-1.5")),
    "int": (-1, 20200401),
}
MALFORMED_FIELDS = (
    *("lost", '"lost and ""found""\nagain"', "'; drop table x; --", "{{ x }}", "ә "),
)

Shape = Mapping[str, str]
Row = dict[str, Cell]


@dataclass(frozen=True)
class Part:
    """A file of a delivery: its name, how it is written, how its columns are typed."""

    name: str
    format: str
    shape: Shape


def write_registries(drop: Path, seed: int, rows: int) -> dict[str, list[ReceivedRow]]:
    """Write a drop folder; return the rows of each entity as they were written."""
    return {
        entity.name: _Registry(drop, entity, Random(f"{seed} {entity.name}")).write(
            rows, first_shape=seed + number
        )
        for number, entity in enumerate(registries.entities())
    }


class _Registry:
    """One entity's snapshot while it is made up."""

    def __init__(self, drop: Path, entity: Entity, random: Random) -> None:
        self._folder = drop / entity.name
        self._entity = entity
        self._random = random
        self._people = [self._iin() for _ in range(200)]
        self._next = 0

    def write(self, rows: int, first_shape: int) -> list[ReceivedRow]:
        self._folder.mkdir(parents=True)
        parts = self._parts(first_shape)
        written: list[tuple[Part, Row]] = []
        received = []
        for part in parts:
            filled = self._filled(part, rows // len(parts), written)
            path = self._folder / part.name
            path.parent.mkdir(exist_ok=True)
            if part.format == "parquet":
                self._write_parquet(path, part, filled)
                lines: Sequence[Row | None] = filled
            else:
                lines = self._write_csv(path, part, filled)
            received += [
                ReceivedRow(Place(f"{self._entity.name}/{part.name}", number), line)
                for number, line in enumerate(lines, start=1)
            ]
        return received

    def _parts(self, first_shape: int) -> list[Part]:
        """Return one file or several: all CSV, all Parquet, or some of each."""
        formats = (
            ("csv",),
            ("parquet",),
            ("csv", "csv.gz"),
            ("parquet", "csv"),
            ("parquet", "parquet", "csv.gz"),
        )[first_shape % 5]
        if len(formats) == 1:
            return [Part(f"{DAY}.{formats[0]}", formats[0], self._shape(formats[0]))]
        # By name: 10 comes before 2, capitals before small letters, Cyrillic last.
        names = ("part-10", "part-2", "Part '3'; --", "ә [4]")
        return [
            Part(f"{DAY}/{name}.{kind}", kind, self._shape(kind))
            for name, kind in zip(
                self._random.sample(names, len(formats)), formats, strict=True
            )
        ]

    def _shape(self, file_format: str) -> Shape:
        typed = file_format == "parquet" and self._random.random() < 0.8
        return {
            column.name: self._column_kind(column) if typed else "text"
            for column in self._entity.columns
        }

    def _column_kind(self, column: Column) -> str:
        kinds = TYPED.get(column.type, {})
        is_bool = column.type == "code" and column.codes == ("true", "false")
        if column.name in self._entity.key or not kinds:
            return "text"
        if column.type == "code" and not is_bool:
            return "text"
        # The last never parses: a required column of it would leave no row.
        kinds = list(kinds)[: -1 if column.required and column.type != "text" else None]
        weights = (6, 3, 2, 1, 1)[: len(kinds)]
        if self._random.random() < (0.7 if column.type == "text" else 0.3):
            return "text"
        return self._random.choices(list(kinds), weights)[0]

    # Rows

    def _filled(
        self, part: Part, count: int, written: list[tuple[Part, Row]]
    ) -> list[Row]:
        rows: list[Row] = []
        for _ in range(count):
            row = self._row(part.shape)
            luck = self._random.random()
            if written and luck < COPIES + CONFLICTS:
                other_part, other = self._random.choice(written[-300:])
                if luck < COPIES and other_part.shape == part.shape:
                    row = dict(other)
                else:
                    row |= {name: other[name] for name in self._entity.key}
            written.append((part, row))
            rows.append(row)
        return rows

    def _row(self, shape: Shape) -> Row:
        self._next += 1
        row = {
            column.name: self._cell(column, shape[column.name])
            for column in self._entity.columns
        }
        for start, end in self._entity.intervals:
            self._ordered(row, start, end)
        for column in self._entity.columns:
            if self._random.random() < SPOILT_CELLS:
                row[column.name] = self._spoilt(column, shape[column.name])
        return row

    def _ordered(self, row: Row, start: str, end: str) -> None:
        """Let most intervals end on or after the day they start."""
        days = row[start], row[end]
        if type(days[0]) is type(days[1]) and isinstance(days[0], str | date):
            if self._random.random() < 0.95:
                row[start], row[end] = sorted(days)
            elif self._random.random() < 0.5:
                row[end] = row[start]

    def _cell(self, column: Column, kind: str) -> Cell:
        random = self._random
        if not column.required and random.random() < 0.3:
            return None
        if column.type == "iin":
            is_key = column.name in self._entity.key
            return self._iin() if is_key else random.choice(self._people)
        if column.type == "code":
            code = random.choice(column.codes)
            return code == "true" if kind == "bool" else code
        if column.type in ("date", "amount", "integer") or kind != "text":
            return self._typed(column, kind)
        if column.name in self._entity.key:
            return f"{column.name[0].upper()}{self._next}"
        return random.choice(
            ("A", "область", 'ТОО "Көмек"', "a, b", "l'été", "две\nстр")
        )

    def _typed(self, column: Column, kind: str) -> Cell:
        random = self._random
        day = date(2020, 4, 1) + timedelta(random.randrange(-400, 400))
        tenge = Decimal(random.randrange(1, 9_000_000)).scaleb(-2)
        count = random.randrange(0, 100)
        whole = column.type == "integer"
        return {
            "text": {"date": f"{day}", "amount": f"{tenge}"}.get(
                column.type, f"{count}"
            ),
            "date": day,
            "timestamp": datetime(day.year, day.month, day.day),  # noqa: DTZ001
            "decimal": Decimal(count) if whole else tenge,
            "fine": tenge,
            "double": float(count) if whole else float(tenge),
            "int": count,
            "bool": random.random() < 0.5,
        }[kind]

    def _spoilt(self, column: Column, kind: str) -> Cell:
        random = self._random
        if kind in SPOILT_TYPED:
            return random.choice(SPOILT_TYPED[kind])
        if kind != "text":
            return None
        if random.random() < 0.02:
            return random.choice(LONG_TEXTS)
        texts = HOSTILE.get(column.type, HOSTILE_TEXTS)
        return random.choice(texts if random.random() < 0.7 else HOSTILE_TEXTS)

    def _iin(self) -> str:
        while True:
            digits = [self._random.randrange(10) for _ in range(11)]
            check = check_digit(digits)
            if check is not None:
                return "".join(map(str, [*digits, check]))

    # Files

    def _write_parquet(self, path: Path, part: Part, rows: Sequence[Row]) -> None:
        columns = {
            column.name: pa.array(
                [row[column.name] for row in rows],
                TYPED.get(column.type, {}).get(part.shape[column.name], pa.string()),
            )
            for column in self._entity.columns
        }
        names = self._random.sample(list(columns), len(columns))
        table = pa.table({name: columns[name] for name in names})
        pq.write_table(table, path, row_group_size=self._random.choice((100, 10_000)))

    def _write_csv(
        self, path: Path, part: Part, rows: Sequence[Row]
    ) -> list[Row | None]:
        """Write rows among malformed and empty lines; return all that are received."""
        random = self._random
        names = list(self._entity.column_names)
        random.shuffle(names)
        delimiter = random.choice(",;\t")
        line_end = random.choice(("\n", "\r\n"))
        lines = [delimiter.join(names)]
        received: list[Row | None] = []
        for row in rows:
            if random.random() < EMPTY_LINES:
                lines.append("")
            if random.random() < MALFORMED:
                lines.append(self._malformed(len(names), delimiter))
                received.append(None)
            lines.append(
                delimiter.join(self._field(row[name], delimiter) for name in names)
            )
            received.append(row)
        text = line_end.join([*lines, ""])
        content = text.encode(random.choice(("utf-8", "utf-8-sig")))
        is_zipped = part.format == "csv.gz"
        path.write_bytes(gzip.compress(content, mtime=0) if is_zipped else content)
        return received

    def _malformed(self, columns: int, delimiter: str) -> str:
        fields = self._random.choice((columns - 1, columns + 1, columns + 50))
        return delimiter.join([self._random.choice(MALFORMED_FIELDS)] * fields)

    def _field(self, cell: Cell, delimiter: str) -> str:
        text = "" if cell is None else str(cell)
        must = any(mark in text for mark in (delimiter, "\r", "\n")) or text[:1] == '"'
        if must or self._random.random() < 0.1:
            return '"' + text.replace('"', '""') + '"'
        return text
