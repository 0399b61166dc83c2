"""The words of an explanation: texts of `words.csv`, values as a language has them."""

import csv
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from komek.base.errors import UsageError, printable

LANGUAGES = ("en", "ru", "kk")
# Of outcomes, reasons, conditions, readings and fields a key (kind and code) and a text
# per language; a value in braces is filled in.
WORDS = Path(__file__).parent / "words.csv"
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
# Columns that hold the first day of a month.
_MONTHS = ("list_month", "month", "first_month", "last_month")
# Columns that hold several codes, joined by `|`.
_LISTED = ("grounds", "review_reasons")
# Where the words of a column's codes stand, if not under `code`.
_WORDS = {
    "extension": "outcome",
    "extension_reason": "reason",
    "ground_outcome": "outcome",
    "ground_reason": "reason",
    "ended_reason": "reason",
    "blocked_by": "reason",
    "finding": "reason",
}


@cache
def texts(lang: str) -> dict[str, str]:
    """Return the texts of a language by key.

    Raises:
        UsageError: it is none of the languages.
    """
    if lang not in LANGUAGES:
        raise UsageError(f"--lang is one of {', '.join(LANGUAGES)}, not {lang!r}")
    with WORDS.open(encoding="utf-8", newline="") as file:
        return {row["key"]: row[f"text_{lang}"] for row in csv.DictReader(file)}


class Words:
    """The texts of one language, filled in with the values of one explanation."""

    def __init__(self, explanation: Mapping[str, Any], lang: str) -> None:
        """Take the texts of a language and the values of an explanation."""
        self._lang = lang
        self._texts = texts(lang)
        context = explanation["context"]
        # Of three things that one reason stands for, the one that it is.
        self._told_as = {
            one["reason"]: one["told_as"]
            for one in explanation["decisions"]
            if one["reason"] != one["told_as"]
        }
        # Ages and days of law, for the texts that have them.
        self._law_values: dict[str, str] = {}
        self._law_values = {name: self.value(one) for name, one in context.items()}

    def text(self, key: str) -> str:
        """Return a text as it stands."""
        return self._texts[key]

    def say(self, key: str, **values: object) -> str:
        """Return a text filled in with values, and with those of law."""
        said = {name: self.value(value) for name, value in values.items()}
        return self._texts[key].format_map({**self._law_values, **said})

    def known(self, key: str) -> str | None:
        """Return a text if there is one: an amendment may bring what has none yet."""
        return self.say(key) if key in self._texts else None

    def value(self, value: object, name: str = "") -> str:
        """Return a value in words: dates as the language writes them, codes named."""
        if value is None or value == "":
            return self._texts["value.none"]
        text = printable(str(value), keep="")
        if isinstance(value, bool) or text in ("true", "false"):
            return self._texts[f"value.{text.lower()}"]
        words = _WORDS.get(name, "code")
        if words == "reason":
            return self.reason(text)
        if _DAY.match(text):
            day = date.fromisoformat(text)
            if name in _MONTHS:
                return text[:7] if self._lang == "en" else f"{day:%m.%Y}"
            return text if self._lang == "en" else f"{day:%d.%m.%Y}"
        parts = text.split("|") if name in _LISTED else [text]
        return ", ".join(self.known(f"{words}.{part}") or part for part in parts)

    def long_day(self, text: str | None) -> str:
        """Return a day as an act is dated."""
        if text is None:
            return self._texts["value.none"]
        day = date.fromisoformat(text)
        return self.say(
            "label.day",
            day=day.day,
            month=self._texts[f"month.{day.month}"],
            year=day.year,
        )

    def reason(self, reason: str) -> str:
        """Return a reason in words; what follows a colon is a field or a check."""
        reason = self._told_as.get(reason, reason)
        whole = self.known(f"reason.{reason}")
        if whole:
            return whole
        head, _, tail = reason.partition(":")
        text = self.known(f"reason.{head}") or head
        return f"{text}: {self.field(tail)}" if tail else text

    def set_aside_for(self, reason: str) -> str:
        """Return a reason of quarantine in words, with the column it is about."""
        head, _, column = reason.partition(":")
        text = self.known(f"quarantine.{head}") or head
        return f"{text}: {self.field(column)}" if column else text

    def field(self, name: str) -> str:
        """Return the name of a value in words."""
        return self.known(f"field.{name}") or name
