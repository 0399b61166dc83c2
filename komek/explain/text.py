"""An explanation as lines for people, in the words of `words.csv` beside it."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from komek.base.errors import UsageError, printable

LANGUAGES = ("en", "ru", "kk")
# Of outcomes, reasons, conditions, readings and fields a key (kind and code) and a text
# per language; a value in braces is filled in.
WORDS = Path(__file__).parent / "words.csv"
_MARKS = {"holds": "+", "fails": "x"}
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
# Which row of a mart it is, and what it says beside its outcome.
_SUBJECT = (
    "award_id",
    "benefit",
    "month",
    "term_id",
    "kind",
    "category",
    "cause",
    "check",
    "case_kind",
    "case_id",
    "application_id",
    "step",
    "finding",
    "delivery_id",
)
_RESULT: Mapping[str, tuple[str, ...]] = {
    "food_set_recipients": ("grounds", "mode", "set_cost", "publication"),
    "delivery_plan": ("mode", "contract_id", "iban", "amount", "delivery_status"),
    "asp_extensions": (
        "new_period_start",
        "new_period_end",
        "monthly_amount",
        "review_reasons",
    ),
    "disability_extensions": ("old_valid_until", "new_valid_until"),
    "mse_queue": ("due_on",),
    "payout_schedule": (
        "basis",
        "amount",
        "paid_amount",
        "due_amount",
        "overpaid_amount",
        "pay_on",
    ),
}
# Columns that hold several codes, joined by `|`.
_LISTED = ("grounds", "review_reasons")
# Where the words of a column's codes stand, if not under `code`.
_WORDS = {"extension": "outcome", "extension_reason": "reason"}


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


def render(explanation: Mapping[str, Any], lang: str = "en") -> list[str]:
    """Return an explanation as lines for people.

    Args:
        explanation: what `komek.explain.explain` returned.
        lang: `en`, `ru` or `kk`.

    Raises:
        UsageError: another language.
    """
    return list(_Text(explanation, lang).lines())


class _Text:
    """The words of one explanation in one language."""

    def __init__(self, explanation: Mapping[str, Any], lang: str) -> None:
        self._explanation = explanation
        self._lang = lang
        self._texts = texts(lang)

    def lines(self) -> Iterator[str]:
        """Yield the head, a block per decision, and the source rows."""
        yield from self._head()
        for decision in self._explanation["decisions"]:
            yield ""
            yield from self._decision(decision)
        yield from self._set_aside()
        yield from self._rows()

    def _say(self, key: str, **values: object) -> str:
        said = {name: self._value(value) for name, value in values.items()}
        return self._texts[key].format(**said)

    def _value(self, value: object, name: str = "") -> str:
        """Return a value in words: dates as the language writes them, codes named."""
        if value is None or value == "":
            return self._texts["value.none"]
        text = printable(str(value), keep="")
        if isinstance(value, bool) or text in ("true", "false"):
            return self._texts[f"value.{text.lower()}"]
        if name == "finding":
            return self._reason(text)
        if _DAY.match(text):
            day = date.fromisoformat(text)
            return text if self._lang == "en" else f"{day:%d.%m.%Y}"
        words = _WORDS.get(name, "code")
        parts = text.split("|") if name in _LISTED else [text]
        return ", ".join(self._texts.get(f"{words}.{part}", part) for part in parts)

    def _head(self) -> Iterator[str]:
        explanation = self._explanation
        context = explanation["context"]
        yield self._say("head.title", iin=explanation["iin"])
        yield self._say("head.run", **explanation["run"])
        if context["emergency_starts_on"]:
            yield self._say("head.emergency", **context)
        register = explanation["register"]
        names = {
            "ru": register["region_name_ru"],
            "kk": register["region_name_kk"] or register["region_name_ru"],
        }
        yield self._say(
            f"register.{register['status']}",
            region=names.get(self._lang) or register["region_name_ru"],
            region_kato=register["region_kato"],
        ) + self._tags(register["rows"])
        on_list = "recipient" if explanation["recipient"] else "not_recipient"
        drawn = explanation["run"]["list_drawn"]
        month = f"{date.fromisoformat(context['list_month']):%m.%Y}"
        if self._lang == "en":
            month = context["list_month"][:7]
        yield self._say(
            f"head.{on_list}" if drawn else "head.no_list", list_month=month
        )

    def _tags(self, tags: Iterable[int]) -> str:
        return "".join(f" [{tag}]" for tag in tags)

    def _outcome(self, decision: Mapping[str, Any]) -> str:
        outcome = decision["outcome"]
        of_kind = f"outcome.{decision['kind']}.{outcome}"
        return self._texts.get(of_kind) or self._texts[f"outcome.{outcome}"]

    def _reason(self, reason: str) -> str:
        """Return a reason in words; what follows a colon is a field or a check."""
        head, _, tail = reason.partition(":")
        text = self._texts.get(f"reason.{head}", head)
        return f"{text}: {self._texts.get(f'field.{tail}', tail)}" if tail else text

    def _decision(self, decision: Mapping[str, Any]) -> Iterator[str]:
        values = decision["values"]
        subject = [
            self._value(values[name], name)
            for name in _SUBJECT
            if values.get(name) is not None
        ]
        title = self._texts[f"title.{decision['kind']}"]
        if subject:
            title += f" ({', '.join(subject)})"
        yield f"{title}: {self._outcome(decision)}"
        if decision["reason"]:
            decided = decision["outcome"] != "not_candidate"
            label = self._texts["label.reason" if decided else "label.no_reason"]
            yield f"  {label}: {self._reason(decision['reason'])}"
        result = self._named(
            {name: values[name] for name in _RESULT.get(decision["kind"], ())}
            if decision["outcome"] != "not_candidate"
            else {}
        )
        if result:
            yield f"  {self._texts['label.result']}: {result}"
        for condition in decision["conditions"]:
            yield self._condition(condition)
        yield from self._law(decision)
        if decision["rows"]:
            yield f"  {self._texts['label.rows']}:{self._tags(decision['rows'])}"

    def _condition(self, condition: Mapping[str, Any]) -> str:
        verdict = condition["verdict"]
        mark = _MARKS.get(verdict, "-")
        line = f"    {mark} {self._asked(condition)}"
        line += f": {self._texts['verdict.' + verdict]}"
        if verdict == "not_reached":
            return line
        compared = [self._named(condition["observed"])]
        if condition["threshold"]:
            against = self._texts["label.against"]
            compared.append(f"{against} {self._named(condition['threshold'])}")
        said = "; ".join(part for part in compared if part)
        line += f" ({said})" if said else ""
        return line + self._tags(condition["rows"])

    def _asked(self, condition: Mapping[str, Any]) -> str:
        """Return a condition in words, or that it is not as its reason has it."""
        words = self._texts.get(f"condition.{condition['condition']}")
        return words or self._texts["condition.other"].format(
            reason=self._reason(condition["reason"])
        )

    def _named(self, values: Mapping[str, object]) -> str:
        return ", ".join(
            f"{self._texts[f'field.{name}']}: {self._value(value, name)}"
            for name, value in values.items()
        )

    def _law(self, decision: Mapping[str, Any]) -> Iterator[str]:
        paragraph = self._explanation["paragraphs"].get(decision["paragraph"])
        if paragraph:
            said = self._say(
                "label.law_of",
                **paragraph,
                number=paragraph["paragraph"].removeprefix("p"),
                title=paragraph[f"title_{self._lang}"],
            )
            yield f"  {self._texts['label.law']}: {said}"
        for name in decision["policies"]:
            yield f"  {self._texts['label.reading']}: {self._policy(name)}"

    def _policy(self, name: str) -> str:
        policy = self._explanation["policies"][name]

        def reading(value: str) -> str:
            return self._texts.get(f"policy.{name}={value}", value)

        label = self._texts[f"policy.{name}"]
        line = f"{label}: {reading(policy['value'])} ({name} = {policy['value']})"
        if policy["overridden"]:
            line += "; " + self._say(
                "label.overridden", table_value=reading(policy["table_value"])
            )
        return line

    def _set_aside(self) -> Iterator[str]:
        if not self._explanation["set_aside"]:
            return
        yield ""
        yield f"{self._texts['head.set_aside']}:"
        for row in self._explanation["set_aside"]:
            yield f"  [{row['row']}] {', '.join(row['reasons'])}"

    def _rows(self) -> Iterator[str]:
        if not self._explanation["rows"]:
            return
        yield ""
        yield f"{self._texts['head.rows']}:"
        for row in self._explanation["rows"]:
            entity = self._texts[f"entity.{row['entity']}"]
            yield f"[{row['tag']}] " + self._say(
                "label.row", **{**row, "entity": f"{entity} ({row['entity']})"}
            )
            values = [
                # In one line: a value shall not look like the explanation's own.
                f"{name}={printable(value, keep='')}"
                for name, value in row["values"].items()
                if value is not None
            ]
            yield f"    {', '.join(values)}"
