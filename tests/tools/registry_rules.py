"""The rules of the registries in plain Python: which rows stay, which do not, and why.

Written from the rules alone and not from the SQL of staging, which is held against it.
A cell is what was delivered: text, or what a typed column of a Parquet holds.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from komek.base.registries import Column, Entity

Cell = str | bool | int | float | Decimal | date | None
Value = str | int | Decimal | date | None

# Start and end of every interval that an entity may have.
INTERVALS = (
    ("valid_from", "valid_to"),
    ("period_start", "period_end"),
    ("established_on", "valid_until"),
    ("admitted_on", "discharged_on"),
    ("start_on", "stop_on"),
    ("registered_on", "deregistered_on"),
    ("birth_date", "death_date"),
    ("submitted_on", "forwarded_on"),
    ("registered_on", "draft_decision_on"),
)
EARLIEST = date(1900, 1, 2)
EARLIEST_BIRTH = date(1880, 1, 1)
AMOUNT_BOUND = 10**16
# What a whole number of the warehouse holds.
INTEGER_BOUND = 2**63


@dataclass(frozen=True, order=True)
class Place:
    """Where a row was received: its file's path in the drop, its number from 1."""

    file: str
    row_number: int


@dataclass(frozen=True)
class ReceivedRow:
    """A row as received; `cells` by column name, None for a line that did not split."""

    place: Place
    cells: Mapping[str, Cell] | None


@dataclass(frozen=True)
class Verdict:
    """What becomes of an entity's rows."""

    received: int
    accepted: Mapping[Place, tuple[Value, ...]]
    rejected: frozenset[tuple[Place, str, str]]

    @property
    def duplicates(self) -> int:
        """How many rows are copies of another."""
        return sum(reason == "duplicate_row" for _, reason, _ in self.rejected)

    @property
    def quarantined(self) -> int:
        """How many rows are set aside for any other reason."""
        reasons = self.rejected
        return len({place for place, reason, _ in reasons if reason != "duplicate_row"})


def judge(entity: Entity, rows: Iterable[ReceivedRow], snapshot_date: date) -> Verdict:
    """Judge all received rows of an entity, each place and reason once."""
    received = sorted(rows, key=lambda row: row.place)
    texts = {
        row.place: _texts(entity, row.cells)
        for row in received
        if row.cells is not None
    }
    copies, conflicts = _repeated(entity, texts)
    accepted: dict[Place, tuple[Value, ...]] = {}
    rejected: set[tuple[Place, str, str]] = set()
    for row in received:
        if row.cells is None:
            reasons, key = ["malformed_row"], ""
        else:
            key = "|".join(texts[row.place][name] or "" for name in entity.key)
            reasons = _faults(entity, row.cells, snapshot_date)
            if row.place in copies:
                reasons = ["duplicate_row"]
            elif row.place in conflicts:
                reasons.append("duplicate_key")
            if not reasons:
                accepted[row.place] = _values(entity, row.cells)
        rejected.update((row.place, reason, key) for reason in reasons)
    return Verdict(len(received), accepted, frozenset(rejected))


def _repeated(
    entity: Entity, texts: Mapping[Place, Mapping[str, str | None]]
) -> tuple[set[Place], set[Place]]:
    """Return the copies of an earlier row, and the first rows whose keys conflict."""
    firsts: dict[tuple[str | None, ...], Place] = {}
    by_key: dict[tuple[str | None, ...], set[Place]] = defaultdict(set)
    copies = set()
    for place, text in sorted(texts.items()):
        key = tuple(text[name] for name in entity.key)
        if None in key:
            continue
        first = firsts.setdefault(tuple(text.values()), place)
        by_key[key].add(first)
        if first != place:
            copies.add(place)
    conflicts = {
        place for places in by_key.values() if len(places) > 1 for place in places
    }
    return copies, conflicts


def _texts(entity: Entity, cells: Mapping[str, Cell]) -> dict[str, str | None]:
    return {name: as_text(cells[name]) for name in entity.column_names}


def _faults(
    entity: Entity, cells: Mapping[str, Cell], snapshot_date: date
) -> list[str]:
    faults = [fault for column in entity.columns if (fault := _fault(column, cells))]
    values = dict(zip(entity.column_names, _values(entity, cells), strict=True))
    faults += [
        f"impossible_date:{name}"
        for name, day in values.items()
        if isinstance(day, date) and _is_impossible(name, day, snapshot_date)
    ]
    for start, end in INTERVALS:
        began, ended = values.get(start), values.get(end)
        if isinstance(began, date) and isinstance(ended, date) and ended < began:
            faults.append(f"inverted_interval:{end}")
    return faults


def _is_impossible(name: str, day: date, snapshot_date: date) -> bool:
    if name == "birth_date":
        return not EARLIEST_BIRTH <= day <= snapshot_date
    return day < EARLIEST


def _fault(column: Column, cells: Mapping[str, Cell]) -> str | None:
    text = as_text(cells[column.name])
    if text is None:
        return f"missing:{column.name}" if column.required else None
    if column.type in ("date", "amount", "integer"):
        lost = _value(column, cells[column.name]) is None
        return f"unparsable:{column.name}" if lost else None
    if column.type == "code" and text not in column.codes:
        return f"unknown_code:{column.name}"
    if column.type == "iin" and not is_iin(text):
        return f"invalid_iin:{column.name}"
    return None


def _values(entity: Entity, cells: Mapping[str, Cell]) -> tuple[Value, ...]:
    return tuple(_value(column, cells[column.name]) for column in entity.columns)


def _value(column: Column, cell: Cell) -> Value:
    """Return a cell as its column's type, None where it is missing or not one."""
    if cell is None or cell == "":
        return None
    if column.type == "date":
        return _date(cell)
    if column.type == "amount":
        return _amount(cell)
    if column.type == "integer":
        return _integer(cell)
    return as_text(cell)


def as_text(cell: Cell) -> str | None:
    """Return a cell as text; only the empty field is null.

    A day delivered with a clock that stands at midnight is the day.
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return f"{_date(cell) or cell}"
    return str(cell)


def _date(cell: Cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else None
    if isinstance(cell, date):
        return cell
    text = str(cell)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _amount(cell: Cell) -> Decimal | None:
    text = str(cell)
    if isinstance(cell, str):
        if not re.fullmatch(r"-?[0-9]{1,16}(\.[0-9]{1,2})?", text):
            return None
    elif not isinstance(cell, int | float | Decimal):
        return None
    amount = Decimal(text)
    if not amount.is_finite() or abs(amount) >= AMOUNT_BOUND:
        return None
    return amount if amount == round(amount, 2) else None


def _integer(cell: Cell) -> int | None:
    if isinstance(cell, str):
        number = Decimal(cell) if re.fullmatch("[0-9]+", cell) else Decimal("nan")
    elif isinstance(cell, int | float | Decimal):
        number = Decimal(str(cell))
    else:
        return None
    is_whole = number.is_finite() and number == number.to_integral_value()
    return int(number) if is_whole and 0 <= number < INTEGER_BOUND else None


def is_iin(text: str) -> bool:
    """Whether a text is twelve digits of which the last checks the others."""
    if not re.fullmatch("[0-9]{12}", text) or text == "0" * 12:
        return False
    return check_digit([int(digit) for digit in text[:11]]) == int(text[11])


def check_digit(digits: Sequence[int]) -> int | None:
    """Return the check digit of an IIN's first eleven digits, if there is one."""
    for weights in ((*range(1, 12),), (*range(3, 12), 1, 2)):
        check = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11
        if check < 10:
            return check
    return None
