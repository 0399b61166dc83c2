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
    "list_month",
)
# Whose subject is the person alone: the month of the list is the run's.
_OF_MONTH = ("food_set_lists",)
_RESULT: Mapping[str, tuple[str, ...]] = {
    "food_set_recipients": ("grounds", "mode", "set_cost", "publication"),
    "food_set_lists": (
        "list_no",
        "listed_on",
        "region_kato",
        "district_kato",
        "grounds",
        "ended_on",
        "delivery_status",
    ),
    "delivery_plan": (
        "mode",
        "contract_id",
        "iban",
        "account_of",
        "amount",
        "delivery_status",
    ),
    "asp_extensions": (
        "new_period_start",
        "new_period_end",
        "monthly_amount",
        "review_reasons",
    ),
    "disability_extensions": ("old_valid_until", "new_valid_until", "examined_for"),
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
# Told where there is something to tell, and of no one else.
_IF_ANY = ("examined_for", "account_of", "ended_on", "contract_of_delivery")


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
        context = explanation["context"]
        # Of three things that one reason stands for, the one that it is.
        self._told_as = {
            one["reason"]: one["told_as"]
            for one in explanation["decisions"]
            if one["reason"] != one["told_as"]
        }
        # Ages and days of law, for the texts that have them.
        self._law_values = {name: self._value(one) for name, one in context.items()}

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
        return self._texts[key].format_map({**self._law_values, **said})

    def _known(self, key: str) -> str | None:
        """Return a text if there is one: an amendment may bring what has none yet."""
        return self._say(key) if key in self._texts else None

    def _value(self, value: object, name: str = "") -> str:
        """Return a value in words: dates as the language writes them, codes named."""
        if value is None or value == "":
            return self._texts["value.none"]
        text = printable(str(value), keep="")
        if isinstance(value, bool) or text in ("true", "false"):
            return self._texts[f"value.{text.lower()}"]
        words = _WORDS.get(name, "code")
        if words == "reason":
            return self._reason(text)
        if _DAY.match(text):
            day = date.fromisoformat(text)
            if name in _MONTHS:
                return text[:7] if self._lang == "en" else f"{day:%m.%Y}"
            return text if self._lang == "en" else f"{day:%d.%m.%Y}"
        parts = text.split("|") if name in _LISTED else [text]
        return ", ".join(self._known(f"{words}.{part}") or part for part in parts)

    def _long_day(self, text: str | None) -> str:
        """Return a day as an act is dated."""
        if text is None:
            return self._texts["value.none"]
        day = date.fromisoformat(text)
        return self._say(
            "label.day", day=day.day, month=self._texts[f"month.{day.month}"], year=day.year
        )

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
        yield self._on_list()
        rules = explanation["rules"]
        if not rules["in_force"]:
            yield self._say(
                "head.no_edition",
                first_on=self._long_day(rules["first_on"]),
                known_on=self._long_day(rules["known_on"]),
            )

    def _on_list(self) -> str:
        """Return whether the person is on the lists of the month, and how they stand."""
        month = self._explanation["context"]["list_month"]
        if not self._explanation["run"]["list_drawn"]:
            return self._say("head.no_list")
        listed = [
            one["outcome"]
            for one in self._explanation["decisions"]
            if one["kind"] == "food_set_lists" and one["values"]["list_month"] == month
        ]
        recipient = self._explanation["recipient"]
        told = listed[0] if listed and listed[0] != "entitled" else ""
        key = told or ("recipient" if recipient else "not_recipient")
        text = self._texts.get(f"head.{key}") or self._texts["head.not_recipient"]
        return text.format(list_month=self._value(month, "list_month"))

    def _tags(self, tags: Iterable[int]) -> str:
        return "".join(f" [{tag}]" for tag in tags)

    def _outcome(self, decision: Mapping[str, Any]) -> str:
        outcome = decision["outcome"]
        of_kind = f"outcome.{decision['kind']}.{outcome}"
        return self._known(of_kind) or self._known(f"outcome.{outcome}") or outcome

    def _reason(self, reason: str) -> str:
        """Return a reason in words; what follows a colon is a field or a check."""
        reason = self._told_as.get(reason, reason)
        whole = self._known(f"reason.{reason}")
        if whole:
            return whole
        head, _, tail = reason.partition(":")
        text = self._known(f"reason.{head}") or head
        return f"{text}: {self._known(f'field.{tail}') or tail}" if tail else text

    def _title_of(self, paragraph: str) -> str | None:
        """Return a paragraph's title in the edition that decided."""
        edition = self._explanation["paragraphs"].get(paragraph)
        return edition[f"title_{self._lang}"] if edition else None

    def _decided_by(self, decision: Mapping[str, Any]) -> str:
        """Return a reason in words; one that has none, with its paragraph's title."""
        code = decision["told_as"] or decision["reason"]
        said = self._reason(code)
        title = self._title_of(decision["paragraph"])
        is_known = f"reason.{code.partition(':')[0]}" in self._texts
        return said if is_known or title is None else f"{said} ({title})"

    def _title(self, decision: Mapping[str, Any]) -> str:
        kind, values = decision["kind"], decision["values"]
        dated = self._explanation["paragraphs"].get(decision["paragraph"])
        ageless = None if dated else self._known(f"title.{kind}.ageless")
        title = ageless or self._known(f"title.{kind}")
        if title is None:
            of_paragraph = self._title_of(decision["paragraph"])
            title = f"{of_paragraph}: {kind}" if of_paragraph else kind
        subject = [
            self._value(values[name], name)
            for name in _SUBJECT
            if values.get(name) is not None
            and (name != "list_month" or kind in _OF_MONTH)
        ]
        return f"{title} ({', '.join(subject)})" if subject else title

    def _decision(self, decision: Mapping[str, Any]) -> Iterator[str]:
        yield f"{self._title(decision)}: {self._outcome(decision)}"
        decided = decision["outcome"] != "not_candidate"
        if decision["reason"]:
            label = self._texts["label.reason" if decided else "label.no_reason"]
            yield f"  {label}: {self._decided_by(decision)}"
        values = decision["values"] | decision["beside"]
        names = _RESULT.get(decision["kind"], ()) if decided else ()
        result = self._named({name: values[name] for name in names if name in values})
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
        words = self._known(f"condition.{condition['condition']}")
        return words or self._texts["condition.other"].format(
            reason=self._reason(condition["reason"] or condition["condition"])
        )

    def _named(self, values: Mapping[str, object]) -> str:
        return ", ".join(
            f"{self._known(f'field.{name}') or name}: {self._value(value, name)}"
            for name, value in values.items()
            if value is not None or name not in _IF_ANY
        )

    def _law(self, decision: Mapping[str, Any]) -> Iterator[str]:
        paragraph = self._explanation["paragraphs"].get(decision["paragraph"])
        if paragraph:
            said = self._say(
                "label.law_of",
                number=paragraph["paragraph"].removeprefix("p"),
                title=paragraph[f"title_{self._lang}"],
                act=self._act(paragraph),
                valid_from=self._long_day(paragraph["valid_from"]),
            )
            yield f"  {self._texts['label.law']}: {said}"
        for name in decision["policies"]:
            yield f"  {self._texts['label.reading']}: {self._policy(name)}"

    def _act(self, paragraph: Mapping[str, Any]) -> str:
        """Return the act that an edition is of: its number, date and registration."""
        if paragraph["act_number"] is None or paragraph["adopted_on"] is None:
            return paragraph[f"act_{self._lang}"] or str(paragraph["edition"])
        act = self._say(
            "label.act",
            number=paragraph["act_number"],
            adopted_on=self._long_day(paragraph["adopted_on"]),
        )
        if paragraph["registered_on"] is None:
            return act
        return self._say(
            "label.registered",
            act=act,
            number=paragraph["registered_no"],
            registered_on=self._long_day(paragraph["registered_on"]),
        )

    def _policy(self, name: str) -> str:
        policy = self._explanation["policies"][name]

        def reading(value: str) -> str:
            return self._known(f"policy.{name}={value}") or value

        # One that an amendment brought has the reason it is there for.
        label = self._known(f"policy.{name}") or policy["rationale"] or name
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
            reasons = ", ".join(map(self._set_aside_for, row["reasons"]))
            yield f"  [{row['row']}] {reasons}"

    def _set_aside_for(self, reason: str) -> str:
        """Return a reason of quarantine in words, with the column it is about."""
        head, _, column = reason.partition(":")
        text = self._known(f"quarantine.{head}") or head
        return f"{text}: {self._known(f'field.{column}') or column}" if column else text

    def _rows(self) -> Iterator[str]:
        if not self._explanation["rows"]:
            return
        yield ""
        yield f"{self._texts['head.rows']}:"
        for row in self._explanation["rows"]:
            entity = self._known(f"entity.{row['entity']}") or ""
            yield f"[{row['tag']}] " + self._say(
                "label.row", **{**row, "entity": f"{entity} ({row['entity']})".strip()}
            )
            values = [
                # In one line: a value shall not look like the explanation's own.
                f"{name}={printable(value, keep='')}"
                for name, value in row["values"].items()
                if value is not None
            ]
            yield f"    {', '.join(values)}"
