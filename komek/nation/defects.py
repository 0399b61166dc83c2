"""Defects that the demo nation plants, and what each does to a row.

Which defect, where and how often is data (`data/marginals/defects.csv`); this module
knows how a defect is made in SQL. A row has at most one, drawn from its own number, so
it stays the same from snapshot to snapshot, and counts by reason never overlap.
"""

from dataclasses import dataclass

from komek.base.registries import Column, Entity

LATIN = "aceopxyABCEHKMOPTX"
CYRILLIC = "асеорхуАВСЕНКМОРТХ"
# A date that no run of 2020 has reached: a year mistyped.
FUTURE = "make_date(2029, 1, 15)"
QUARANTINED = {
    "invalid_iin": "invalid_iin:{column}",
    "missing": "missing:{column}",
    "lookalike": "unknown_code:{column}",
    "unknown_code": "unknown_code:{column}",
    "inverted": "inverted_interval:{column}",
    "duplicate_key": "duplicate_key",
}
COPIED = ("duplicate_row", "duplicate_key")


@dataclass(frozen=True)
class Defect:
    """One line of defects.csv: the share `rate` of an entity's rows gets it."""

    number: int
    entity: str
    name: str
    column: str
    rate: float

    @property
    def reason(self) -> str:
        """The reason code in quarantine; of a row that is kept, the defect's name."""
        if self.name == "duplicate_row":
            return "duplicate_row"
        return QUARANTINED.get(self.name, "{name}:{column}").format(
            name=self.name, column=self.column
        )

    @property
    def is_copied(self) -> bool:
        """Whether the row is written twice."""
        return self.name in COPIED

    @property
    def is_kept(self) -> bool:
        """Whether the row passes the checks of a single row nevertheless."""
        return self.name not in QUARANTINED and self.name != "duplicate_row"

    def rows(self, planted: int) -> int:
        """Return how many rows of quarantine `planted` rows with it make."""
        return 2 * planted if self.name == "duplicate_key" else planted


def condition(defect: Defect, entity: Entity) -> str:
    """Return the SQL predicate of rows on which the defect can be made."""
    column = defect.column
    if defect.name == "lookalike":
        return f"translate({column}, '{LATIN}', '{CYRILLIC}') <> {column}"
    if defect.name == "future":
        ends = [end for start, end in entity.intervals if start == column]
        return " and ".join([f"{end} is null" for end in ends] or ["true"])
    if defect.name in ("duplicate_row", "missing", "inverted", "unknown_kato"):
        return "true"
    # Of an empty field there is nothing to break: it would pass, or pass as a copy.
    return f"{column} is not null"


def broken(defect: Defect, entity: Entity) -> str:
    """Return the SQL value of the defect's column on a row that has the defect."""
    column = defect.column
    starts = {end: start for start, end in entity.intervals}
    values = {
        # The next digit in the last place can never be the check digit.
        "invalid_iin": f"left({column}, 11) || (right({column}, 1)::integer + 1) % 10",
        "missing": "null",
        "lookalike": f"translate({column}, '{LATIN}', '{CYRILLIC}')",
        "unknown_code": f"upper({column})",
        "inverted": f"{starts.get(column)} - 10",
        "future": f"{FUTURE} + (o % 300)::integer",
        "unknown_kato": "if(o % 2 = 0, '511000000', left(kato, 2) || '9999999')",
        "no_person": "ghost",
        "birth_mismatch": f"{column} - 100",
        "bad_iban": f"left({column}, 2) || '00' || substr({column}, 5)",
    }
    return values[defect.name]


def other(column: Column) -> str:
    """Return an SQL value that differs from the column's own: a changed copy."""
    if column.type == "date":
        return f"{column.name} + 1"
    if column.type == "amount":
        return f"{column.name} + 1"
    if column.type == "code":
        first, second = column.codes[:2]
        return f"if({column.name} = '{first}', '{second}', '{first}')"
    return f"{column.name} || '/2'"
