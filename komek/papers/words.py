"""The words of papers, in Russian or in Kazakh.

`words.csv` beside it has those of papers alone; codes and reasons are told as packs and
explanations tell them.
"""

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from komek.base.database import text_literal
from komek.base.errors import printable
from komek.explain.words import texts as texts_of_explanations
from komek.publishing.words import texts as texts_of_packs
from komek.publishing.workbook import Cell

LANGUAGES = ("ru", "kk")
WORDS = Path(__file__).with_suffix(".csv")
# A space that parts thousands and ends no line.
_THIN = "\u00a0"


@cache
def texts(lang: str) -> dict[str, str]:
    """Return the texts of a language by key, `<kind>.<code>`."""
    place = LANGUAGES.index(lang)
    with WORDS.open(encoding="utf-8", newline="") as file:
        own = {row["key"]: row[f"text_{lang}"] for row in csv.DictReader(file)}
    of_packs = {key: both[place] for key, both in texts_of_packs().items()}
    return {**texts_of_explanations(lang), **of_packs, **own}


class Words:
    """The words of one language."""

    def __init__(self, lang: str) -> None:
        """Take the texts of a language."""
        self.lang = lang
        self._texts = texts(lang)

    def __call__(self, key: str, **values: object) -> str:
        """Return a text, filled in."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def month(self, first_day: date) -> str:
        """Return a month as a heading has it."""
        name = self._texts[f"month_name.{first_day.month}"]
        return self("label.month", name=name, year=first_day.year)

    def known(self, kind: str, code: str | None) -> str:
        """Return the words of a code; one without words stands for itself."""
        if code is None:
            return ""
        head, colon, tail = code.partition(":")
        whole = self._texts.get(f"{kind}.{code}")
        if whole is not None or not colon:
            return whole if whole is not None else code
        field = self._texts.get(f"field.{tail}", tail)
        return f"{self._texts.get(f'{kind}.{head}', head)}: {field}"

    def place(self, name_ru: str | None, name_kk: str | None) -> str:
        """Return the name of a place in the language, else in the other."""
        names = (name_kk, name_ru) if self.lang == "kk" else (name_ru, name_kk)
        return next(filter(None, names), "")

    def sql(self, kind: str, code: str, codes: Iterable[str] | None = None) -> str:
        """Return SQL for the words of a code; one without words stands for itself.

        Args:
            kind: what kind of code it is.
            code: SQL for it.
            codes: those it may be; None for all that have words.
        """
        prefix = f"{kind}."
        known = [
            key.removeprefix(prefix)
            for key in self._texts
            if key[: len(prefix)] == prefix
        ]
        cases = " ".join(
            f"when {text_literal(one)} then {text_literal(self._texts[prefix + one])}"
            for one in (codes if codes is not None else known)
        )
        return f"case {code} {cases} else {code} end"

    def all_sql(self, kind: str, codes: str) -> str:
        """Return SQL for the words of a list of codes, one after another."""
        each = f"lambda code: {self.sql(kind, 'code')}"
        return f"array_to_string(list_transform({codes}, {each}), '; ')"

    def name_sql(self, table: str) -> str:
        """Return SQL for a place's name in the language, else in the other."""
        first, other = (
            ("name_kk", "name_ru") if self.lang == "kk" else ("name_ru", "name_kk")
        )
        return f"coalesce(nullif({table}.{first}, ''), {table}.{other})"


def shown(value: Cell | None) -> str:
    """Return a value as it is written here: dates with points, tenge with a comma."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}".replace(",", _THIN).replace(".", ",")
    if isinstance(value, int):
        return f"{value:,}".replace(",", _THIN)
    return printable(value, keep="")
