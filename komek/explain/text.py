"""An explanation as lines for people, in the words of its language."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from komek.base.errors import printable
from komek.explain.words import Words

_MARKS = {"holds": "+", "fails": "x"}
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
# Told where there is something to tell, and of no one else.
_IF_ANY = ("examined_for", "account_of", "ended_on", "contract_of_delivery")


def render(explanation: Mapping[str, Any], lang: str = "en") -> list[str]:
    """Return an explanation as lines for people.

    Args:
        explanation: what `komek.explain.explain` returned.
        lang: `en`, `ru` or `kk`.

    Raises:
        UsageError: another language.
    """
    return list(Telling(explanation, lang).lines())


class Telling:
    """The words of one explanation in one language, whole or part by part."""

    def __init__(self, explanation: Mapping[str, Any], lang: str) -> None:
        """Take an explanation and one of the languages.

        Raises:
            UsageError: it is none of them.
        """
        self._explanation = explanation
        self._lang = lang
        self._words = Words(explanation, lang)

    def lines(self) -> Iterator[str]:
        """Yield the head, a block per decision, and the source rows."""
        yield from self.head()
        for decision in self._explanation["decisions"]:
            yield ""
            yield from self._decision(decision)
        yield from self.set_aside()
        yield from self.rows()

    def head(self) -> Iterator[str]:
        """Yield who it is about, which run, and whether they are on the list."""
        explanation = self._explanation
        context = explanation["context"]
        yield self._words.say("head.title", iin=explanation["iin"])
        yield self._words.say("head.run", **explanation["run"])
        if context["emergency_starts_on"]:
            yield self._words.say("head.emergency", **context)
        register = explanation["register"]
        names = {
            "ru": register["region_name_ru"],
            "kk": register["region_name_kk"] or register["region_name_ru"],
        }
        yield self._words.say(
            f"register.{register['status']}",
            region=names.get(self._lang) or register["region_name_ru"],
            region_kato=register["region_kato"],
        ) + self._tags(register["rows"])
        yield self._on_list()
        rules = explanation["rules"]
        if not rules["in_force"]:
            yield self._words.say(
                "head.no_edition",
                first_on=self._words.long_day(rules["first_on"]),
                known_on=self._words.long_day(rules["known_on"]),
            )

    def _on_list(self) -> str:
        """Return whether the person is on the month's lists, and how they stand."""
        month = self._explanation["context"]["list_month"]
        if not self._explanation["run"]["list_drawn"]:
            return self._words.say("head.no_list")
        listed = [
            one["outcome"]
            for one in self._explanation["decisions"]
            if one["kind"] == "food_set_lists" and one["values"]["list_month"] == month
        ]
        recipient = self._explanation["recipient"]
        told = listed[0] if listed and listed[0] != "entitled" else ""
        key = told or ("recipient" if recipient else "not_recipient")
        return self._words.say(
            f"head.{key}", list_month=self._words.value(month, "list_month")
        )

    def _tags(self, tags: Iterable[int]) -> str:
        return "".join(f" [{tag}]" for tag in tags)

    def outcome(self, decision: Mapping[str, Any]) -> str:
        """Return what was decided."""
        outcome = decision["outcome"]
        of_kind = f"outcome.{decision['kind']}.{outcome}"
        return (
            self._words.known(of_kind)
            or self._words.known(f"outcome.{outcome}")
            or outcome
        )

    def _title_of(self, paragraph: str) -> str | None:
        """Return a paragraph's title in the edition that decided."""
        edition = self._explanation["paragraphs"].get(paragraph)
        return edition[f"title_{self._lang}"] if edition else None

    def decided_by(self, decision: Mapping[str, Any]) -> str:
        """Return a reason in words; one that has none, with its paragraph's title."""
        code = decision["told_as"] or decision["reason"]
        said = self._words.reason(code)
        title = self._title_of(decision["paragraph"])
        is_known = self._words.known(f"reason.{code.partition(':')[0]}") is not None
        return said if is_known or title is None else f"{said} ({title})"

    def title(self, decision: Mapping[str, Any]) -> str:
        """Return what a decision is about."""
        kind, values = decision["kind"], decision["values"]
        dated = self._explanation["paragraphs"].get(decision["paragraph"])
        ageless = None if dated else self._words.known(f"title.{kind}.ageless")
        title = ageless or self._words.known(f"title.{kind}")
        if title is None:
            of_paragraph = self._title_of(decision["paragraph"])
            title = f"{of_paragraph}: {kind}" if of_paragraph else kind
        subject = [
            self._words.value(values[name], name)
            for name in _SUBJECT
            if values.get(name) is not None
            and (name != "list_month" or kind in _OF_MONTH)
        ]
        return f"{title} ({', '.join(subject)})" if subject else title

    def _decision(self, decision: Mapping[str, Any]) -> Iterator[str]:
        yield f"{self.title(decision)}: {self.outcome(decision)}"
        decided = decision["outcome"] != "not_candidate"
        if decision["reason"]:
            label = self._words.text("label.reason" if decided else "label.no_reason")
            yield f"  {label}: {self.decided_by(decision)}"
        if result := self.result(decision):
            yield f"  {self._words.text('label.result')}: {result}"
        for condition in decision["conditions"]:
            yield self._condition(condition)
        yield from self._law(decision)
        if decision["rows"]:
            yield f"  {self._words.text('label.rows')}:{self._tags(decision['rows'])}"

    def result(self, decision: Mapping[str, Any]) -> str:
        """Return what a decision comes to; nothing where nothing was decided."""
        values = decision["values"] | decision["beside"]
        is_decided = decision["outcome"] != "not_candidate"
        names = _RESULT.get(decision["kind"], ()) if is_decided else ()
        return self.named({name: values[name] for name in names if name in values})

    def _condition(self, condition: Mapping[str, Any]) -> str:
        mark = _MARKS.get(condition["verdict"], "-")
        line = f"    {mark} {self.asked(condition)}: {self.verdict(condition)}"
        if condition["verdict"] == "not_reached":
            return line
        said = self.compared(condition)
        line += f" ({said})" if said else ""
        return line + self._tags(condition["rows"])

    def verdict(self, condition: Mapping[str, Any]) -> str:
        """Return whether a condition holds."""
        return self._words.text(f"verdict.{condition['verdict']}")

    def compared(self, condition: Mapping[str, Any]) -> str:
        """Return the values that a condition compared."""
        compared = [self.named(condition["observed"])]
        if condition["threshold"]:
            against = self._words.text("label.against")
            compared.append(f"{against} {self.named(condition['threshold'])}")
        return "; ".join(part for part in compared if part)

    def asked(self, condition: Mapping[str, Any]) -> str:
        """Return a condition in words, or that it is not as its reason has it."""
        words = self._words.known(f"condition.{condition['condition']}")
        return words or self._words.text("condition.other").format(
            reason=self._words.reason(condition["reason"] or condition["condition"])
        )

    def named(self, values: Mapping[str, object]) -> str:
        """Return values, each by its name."""
        return ", ".join(
            f"{self._words.field(name)}: {self._words.value(value, name)}"
            for name, value in values.items()
            if value is not None or name not in _IF_ANY
        )

    def _law(self, decision: Mapping[str, Any]) -> Iterator[str]:
        if said := self.law(decision):
            yield f"  {self._words.text('label.law')}: {said}"
        for name in decision["policies"]:
            yield f"  {self._words.text('label.reading')}: {self.policy(name)}"

    def law(self, decision: Mapping[str, Any]) -> str | None:
        """Return the paragraph that decided, in its edition; None if there is none."""
        paragraph = self._explanation["paragraphs"].get(decision["paragraph"])
        if not paragraph:
            return None
        return self._words.say(
            "label.law_of",
            number=paragraph["paragraph"].removeprefix("p"),
            title=paragraph[f"title_{self._lang}"],
            act=self._act(paragraph),
            valid_from=self._words.long_day(paragraph["valid_from"]),
        )

    def label(self, name: str) -> str:
        """Return what a part of an explanation is called."""
        return self._words.text(f"label.{name}")

    def _act(self, paragraph: Mapping[str, Any]) -> str:
        """Return the act that an edition is of: its number, date and registration."""
        if paragraph["act_number"] is None or paragraph["adopted_on"] is None:
            return paragraph[f"act_{self._lang}"] or str(paragraph["edition"])
        act = self._words.say(
            "label.act",
            number=paragraph["act_number"],
            adopted_on=self._words.long_day(paragraph["adopted_on"]),
        )
        if paragraph["registered_on"] is None:
            return act
        return self._words.say(
            "label.registered",
            act=act,
            number=paragraph["registered_no"],
            registered_on=self._words.long_day(paragraph["registered_on"]),
        )

    def policy(self, name: str) -> str:
        """Return a reading of the law, and the value that it has in the run."""
        policy = self._explanation["policies"][name]

        def reading(value: str) -> str:
            return self._words.known(f"policy.{name}={value}") or value

        # One that an amendment brought has the reason it is there for.
        label = self._words.known(f"policy.{name}") or policy["rationale"] or name
        line = f"{label}: {reading(policy['value'])} ({name} = {policy['value']})"
        if policy["overridden"]:
            line += "; " + self._words.say(
                "label.overridden", table_value=reading(policy["table_value"])
            )
        return line

    def set_aside(self) -> Iterator[str]:
        """Yield the rows about the person that went to quarantine, and why."""
        if not self._explanation["set_aside"]:
            return
        yield ""
        yield f"{self._words.text('head.set_aside')}:"
        for row in self._explanation["set_aside"]:
            reasons = ", ".join(map(self._words.set_aside_for, row["reasons"]))
            yield f"  [{row['row']}] {reasons}"

    def row(self, row: Mapping[str, Any]) -> str:
        """Return which source row one is: its registry, file, number and snapshot."""
        entity = self._words.known(f"entity.{row['entity']}") or ""
        return self._words.say(
            "label.row", **{**row, "entity": f"{entity} ({row['entity']})".strip()}
        )

    def rows(self) -> Iterator[str]:
        """Yield the source rows, as they were received."""
        if not self._explanation["rows"]:
            return
        yield ""
        yield f"{self._words.text('head.rows')}:"
        for row in self._explanation["rows"]:
            yield f"[{row['tag']}] {self.row(row)}"
            values = [
                # In one line: a value shall not look like the explanation's own.
                f"{name}={printable(value, keep='')}"
                for name, value in row["values"].items()
                if value is not None
            ]
            yield f"    {', '.join(values)}"
