"""The three languages: gettext's texts, the words of `explain`, Babel's forms.

The catalogues are `locale/<language>.po`, compiled once a process; English is what the
texts themselves are.
"""

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent

from komek.base import registries
from komek.explain.words import texts
from komek.publishing.words import texts as pack_texts

LANGUAGES = {"ru": "Русский", "kk": "Қазақша", "en": "English"}
DEFAULT = "ru"
LOCALE = Path(__file__).parent / "locale"
_TENGE = "#,##0.00 ¤"


@cache
def catalogue(lang: str) -> gettext.NullTranslations:
    """Return the texts of a language."""
    if lang == "en":
        return gettext.NullTranslations()
    with (LOCALE / f"{lang}.po").open("rb") as file:
        found = read_po(file, locale=lang)
    compiled = BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


# A page writes the same numbers and words again and again, and Babel takes its time.
_kept = lru_cache(maxsize=1 << 14)


@dataclass(frozen=True)
class Language:
    """One language: its texts, the words of its codes, the forms of its values."""

    code: str

    @property
    def text(self) -> Callable[[str], str]:
        """What gives a text."""
        return catalogue(self.code).gettext

    @_kept
    def word(self, kind: str, code: object) -> str:
        """Return the words of a code; one that has none stands for itself.

        Args:
            kind: where its words stand, such as `code`, `reason` or `outcome`.
            code: the code; None is none.
        """
        if code is None or code == "":
            return "–"
        head, _, tail = str(code).partition(":")
        known = texts(self.code)
        for key in (f"{kind}.{code}", f"{kind}.{head}"):
            if key in known and "{" not in known[key]:
                said = known[key]
                return (
                    f"{said}: {self.word('field', tail)}"
                    if tail and (key.endswith(head) and head != code)
                    else said
                )
        return self._of_packs(kind, str(code)) or str(code)

    def _of_packs(self, kind: str, code: str) -> str | None:
        found = pack_texts().get(f"{kind}.{code}")
        if found is None or self.code == "en":
            return None
        return found[0] if self.code == "ru" else found[1]

    def words(self, kind: str, codes: str | None) -> str:
        """Return the words of codes that are joined by `|`."""
        return ", ".join(self.word(kind, code) for code in (codes or "").split("|"))

    def name(self, row: Mapping[str, Any] | None, prefix: str = "name") -> str:
        """Return the name of a place, as the classifier has it in either language."""
        if not row:
            return "–"
        first = "kk" if self.code == "kk" else "ru"
        return str(
            row.get(f"{prefix}_{first}") or row.get(f"{prefix}_ru") or row.get("kato")
        )

    def day(self, value: date | None) -> str:
        """Return a day as the language writes it."""
        return "–" if value is None else format_date(value, "long", self.code)

    @_kept
    def short_day(self, value: date | None) -> str:
        """Return a day in digits."""
        form = "yyyy-MM-dd" if self.code == "en" else "dd.MM.yyyy"
        return "–" if value is None else format_date(value, form, self.code)

    @_kept
    def month(self, value: date | None, *, inside: bool = False) -> str:
        """Return a month and its year; `inside` a sentence, not at its beginning."""
        if value is None:
            return "–"
        said = format_date(value, "LLLL y", self.code)
        return said if inside else said[:1].upper() + said[1:]

    @_kept
    def number(self, value: float | Decimal | None) -> str:
        """Return a number with the language's separators."""
        return "–" if value is None else format_decimal(value, locale=self.code)

    @_kept
    def tenge(self, given: Decimal | int | None) -> str:
        """Return an amount of tenge."""
        if given is None:
            return "–"
        value = Decimal(given)
        whole = value == value.to_integral_value()
        form = "#,##0 ¤" if whole else _TENGE
        return format_currency(
            value, "KZT", form, locale=self.code, currency_digits=False
        ).replace("KZT", "₸")

    @_kept
    def share(self, part: float | Decimal | None, whole: float | Decimal | None) -> str:
        """Return a part of a whole in per cent."""
        if part is None or not whole:
            return "–"
        return format_percent(float(part) / float(whole), "0.0 %", locale=self.code)

    def registry(self, entity: str) -> str:
        """Return the name of a registry."""
        return self.word("entity", entity)


def owner_of(entity: str) -> tuple[str, str]:
    """Return who owns a registry, and the system that it is kept in."""
    found = registries.entity(entity)
    return found.owner, found.system


def accepted(header: str) -> str:
    """Return the language that a browser asks for first, of those there are."""
    for part in header[:200].split(","):
        code = part.split(";")[0].split("-")[0].strip().lower()
        if code in LANGUAGES:
            return code
    return DEFAULT
