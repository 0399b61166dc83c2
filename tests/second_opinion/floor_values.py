"""What a landed cell is worth and what is wrong with it, as SQL.

Written a second time, for the floor: it shares nothing with the pipeline's staging but
the registry table's column declarations.
"""

import re
from collections.abc import Sequence

from komek.base.registries import Column, Entity

PARSED_TYPES = ("date", "amount", "integer")
AMOUNT = r"-?[0-9]{1,16}(\.[0-9]{1,2})?"
NUMERIC = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$"
)
IIN_TOP = 1 << 48  # a 1 before the twelve digits, read as hexadecimal


def literal(value: object) -> str:
    """Return a SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def quoted(column: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def as_text(column: Column, landed: str) -> str:
    """Return the text of a received column; only the empty field is null."""
    name = quoted(column.name)
    if landed.startswith("TIMESTAMP"):
        # A midnight is how many write a day.
        return (
            f"case when {name} = {name}::date then {name}::date::varchar"
            f" else {name}::varchar end"
        )
    return f"nullif({name if landed == 'VARCHAR' else f'{name}::varchar'}, '')"


def _parsed_text(kind: str, text: str) -> str:
    """Return the value of a date, an amount or an integer written as text."""
    match kind:
        case "date":
            # Only the canonical form survives the way there and back.
            day = f"try_cast({text} as date)"
            return (
                f"case when strlen({text}) = 10 and {day}::varchar = {text}"
                f" then {day} end"
            )
        case "amount":
            return (
                f"case when regexp_full_match({text}, {literal(AMOUNT)})"
                f" then try_cast({text} as decimal(18, 2)) end"
            )
        case _:
            return (
                f"case when regexp_full_match({text}, '[0-9]+')"
                f" then try_cast({text} as bigint) end"
            )


def parsed(column: Column, landed: str) -> str:
    """Return the value of a received date, amount or integer; null if it has none."""
    name = quoted(column.name)
    numeric = NUMERIC.match(landed) is not None
    if column.type == "date" and landed == "DATE":
        return (
            f"case when {name} between date '0001-01-01' and date '9999-12-31'"
            f" then {name} end"
        )
    if column.type == "date" and landed.startswith("TIMESTAMP"):
        moment = f"{name}::timestamp"
        return f"case when {moment} = {moment}::date then {moment}::date end"
    if column.type == "amount" and numeric:
        return (
            f"case when round({name}, 2) = {name}"
            f" then try_cast({name} as decimal(18, 2)) end"
        )
    if column.type == "integer" and numeric:
        return (
            f"case when {name} >= 0 and trunc({name}) = {name}"
            f" then try_cast({name} as bigint) end"
        )
    return _parsed_text(column.type, f"t_{column.name}")


def _weighted(weights: Sequence[int]) -> str:
    """Return the weighted sum of the digits modulo 11, from the digits packed by four.

    The digit at place j is f_j - 16 f_(j+1) with f_j the number shifted by 4j bits, so
    the sum of w_j d_j is the sum of (w_j - 16 w_(j-1)) f_j, and -16 = 6 modulo 11.

    Args:
        weights: twelve weights, that of the last digit first.
    """
    previous = (0, *weights)
    factors = [(w + 6 * previous[j]) % 11 for j, w in enumerate(weights)]
    terms = [f"{k} * ({{v}} >> {4 * j})" for j, k in enumerate(factors) if k]
    return f"(({' + '.join(terms)}) % 11)"


def _iin_ok(text: str, packed: str) -> str:
    """Return the condition that a text is an IIN whose check digit holds.

    Args:
        text: the text.
        packed: the same read as hexadecimal digits after a leading 1, less that 1:
            negative where a character was skipped.
    """
    first = tuple(12 - place for place in range(1, 12))
    second = (2, 1, 11, 10, 9, 8, 7, 6, 5, 4, 3)
    digits_only = (
        f"(xor({packed} + {0x666666666666}, {packed}) & {0x1111111111110}) = 0"
    )
    holds = _weighted((-1, *first)).format(v=packed)
    is_ten = _weighted((0, *first)).format(v=packed)
    holds_again = _weighted((-1, *second)).format(v=packed)
    return (
        f"(strlen({text}) = 12 and {text} <> '000000000000'"
        f" and coalesce({packed} >= 0, false) and {digits_only}"
        f" and ({holds} = 0 or ({is_ten} = 10 and {holds_again} = 0)))"
    )


def _impossible(column: Column, snapshot_date: str) -> str:
    """Return the condition that a date that parses cannot be."""
    if column.name == "birth_date":
        born = f"between date '1880-01-01' and date {literal(snapshot_date)}"
        return f"v_{column.name} not {born}"
    # 1900-01-01 is what systems write for "unknown".
    return f"v_{column.name} < date '1900-01-02'"


def faults_of(entity: Entity, snapshot_date: str) -> list[tuple[str, str]]:
    """Return (reason, condition) of everything that may be wrong in a row alone."""
    faults = []
    for column in entity.columns:
        name = column.name
        given = f"t_{name} is not null"
        if column.required:
            faults.append((f"missing:{name}", f"t_{name} is null"))
        if column.type in PARSED_TYPES:
            faults.append((f"unparsable:{name}", f"{given} and v_{name} is null"))
        if column.type == "date":
            faults.append(
                (f"impossible_date:{name}", _impossible(column, snapshot_date))
            )
        if column.type == "code":
            codes = ", ".join(literal(code) for code in column.codes)
            faults.append((f"unknown_code:{name}", f"t_{name} not in ({codes})"))
        if column.type == "iin":
            holds = _iin_ok(f"t_{name}", f"p_{name}")
            faults.append((f"invalid_iin:{name}", f"{given} and not {holds}"))
    faults += [
        # Most ends are open: told first, they cost no parsing.
        (f"inverted_interval:{end}", f"t_{end} is not null and v_{end} < v_{start}")
        for start, end in entity.intervals
    ]
    return faults
