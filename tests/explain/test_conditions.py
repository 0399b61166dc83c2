"""Conditions: those of the models, each with what it compares and in words."""

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from codes_of_models import checked_codes, findings, set_aside_reasons
from komek.base import grounds, places, registries
from komek.explain.case import Case
from komek.explain.conditions import (
    CANDIDATES,
    COMPARED,
    CONDITIONS,
    conditions,
)
from komek.explain.findings import JUDGED_BY, JUDGED_BY_OF_JOBSEEKERS
from komek.explain.readings import POLICIES
from komek.explain.words import LANGUAGES, WORDS, texts
from retold import reasons_of

AS_OF = date(2020, 4, 20)
LAW = places.DBT_PROJECT / "models" / "law"
JUDGING = {
    path.stem
    for path in LAW.glob("*.sql")
    if "first_failure(" in path.read_text(encoding="utf-8")
}
CONTEXT = {
    "as_of": AS_OF,
    "emergency_starts_on": date(2020, 3, 16),
    "food_set__institution_scope": "all_grounds",
    "food_set__carer": "allowance_recipient",
    "food_set__carer_child_in_institution": "exclude",
    "food_set__carer_child_age_limit": "18",
    "asp__base": "active_at_period_end",
}


def models() -> dict[str, str]:
    """The model of each kind of decision that goes by the first condition to fail."""
    found = dict(grounds.models())
    for path in LAW.glob("*.yml"):
        (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        meta = model.get("config", {}).get("meta", {})
        if "decides" in meta:
            found[meta["decides"]] = model["name"]
    return found


MODELS = models()


class _Anything(dict):
    def __missing__(self, key: str) -> object:
        return {"award_id": "1", "term_id": "1", "cause": "turns_16"}.get(key, 1)


def case_of(kind: str, decision: Mapping[str, Any], **readings: str) -> Case:
    term = {"term_id": "1", "kind": "disability", "decided_on": "2019-01-01"}
    row = SimpleNamespace(
        entity="disability_terms",
        tag=1,
        values={**term, **decision},
        day=lambda _column: None,
    )
    return Case(
        iin="1",
        kind=kind,
        decision=_Anything({"outcome": "met", "reason": None, **decision}),
        rows=[row],
        context=_Anything({**CONTEXT, **readings}),
        terms={},
        awards={},
        addressees={},
        reasons=reasons_of(MODELS[kind]) if kind in MODELS else (),
    )


def reasons(kind: str, decision: Mapping[str, Any], **readings: str) -> list[str]:
    return [one["reason"] for one in conditions(case_of(kind, decision, **readings))]


def test_every_model_with_conditions_says_what_it_decides() -> None:
    assert set(MODELS.values()) == JUDGING
    assert set(MODELS) == set(COMPARED)
    assert set(grounds.codes()) <= set(COMPARED)


@pytest.mark.parametrize("kind", COMPARED)
def test_every_condition_of_a_model_has_what_it_compares(kind: str) -> None:
    made_by = {CANDIDATES[kind]} if kind in CANDIDATES else set()
    assert set(COMPARED[kind]) == {*reasons_of(MODELS[kind]), *made_by}


@pytest.mark.parametrize("kind", [*grounds.codes(), "asp_extensions"])
def test_conditions_stand_in_the_order_of_the_law(kind: str) -> None:
    made_by = [CANDIDATES[kind]] if kind in CANDIDATES else []
    assert reasons(kind, {}) == made_by + reasons_of(MODELS[kind])


@pytest.mark.parametrize(
    ("cause", "outcome", "told"),
    [
        ("turns_16", "not_extended", True),
        ("turns_18", "not_extended", True),
        ("turns_16", "extended", False),
        (None, "not_extended", False),
        (None, "extended", False),
    ],
)
def test_a_birthday_is_told_only_of_who_has_it_instead_of_an_extension(
    cause: str | None, outcome: str, told: bool
) -> None:
    decision = {"examined_for": cause, "outcome": outcome}
    found = reasons("disability_extensions", decision)
    assert {"turns_16", "turns_18"} & set(found) == ({cause} if told else set())
    assert found[:4] == [
        "ends_outside_window",
        *reasons_of("p17_disability_extension")[:3],
    ]


@pytest.mark.parametrize(
    ("kind", "policy", "value", "left_out"),
    [
        *(
            (
                kind,
                "food_set__institution_scope",
                "disability_grounds",
                "resident_in_institution",
            )
            for kind in ("p25_1", "p25_4", "p25_5")
        ),
        ("p25_4", "food_set__carer", "both_parents", "award_not_active"),
        (
            "p25_4",
            "food_set__carer_child_in_institution",
            "include",
            "child_in_institution",
        ),
        ("asp_extensions", "asp__base", "any_status", "suspended"),
    ],
)
def test_a_condition_is_told_where_the_reading_asks_it(
    kind: str, policy: str, value: str, left_out: str
) -> None:
    asked = reasons(kind, {})
    assert left_out in asked
    asked.remove(left_out)
    assert reasons(kind, {}, **{policy: value}) == asked


def test_what_decided_is_told_even_where_it_would_not_be_asked() -> None:
    found = conditions(
        case_of(
            "asp_extensions",
            {"outcome": "not_extended", "reason": "suspended"},
            asp__base="any_status",
        )
    )
    assert [(one["condition"], one["verdict"]) for one in found] == [
        ("award_ends_in_emergency", "holds"),
        ("award_not_terminated", "holds"),
        ("suspended", "fails"),
        ("award_not_renewed", "not_reached"),
        ("someone_lives", "not_reached"),
    ]


def test_a_finding_that_is_not_known_is_told() -> None:
    found = conditions(
        case_of("delivery_findings", {"outcome": "finding", "reason": "not_heard_of"})
    )
    assert [one["verdict"] for one in found] == ["holds"] * 3 + ["fails"]
    assert found[-1]["reason"] == "not_heard_of"


# --- in words


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def law_table(name: str) -> list[dict[str, str]]:
    return rows_of(places.LAW_SEEDS / f"{name}.csv")


def test_a_key_has_one_text_in_a_language() -> None:
    keys = [row["key"] for row in rows_of(WORDS)]

    assert len(keys) == len(set(keys))
    assert all(keys)


def test_texts_fill_in_the_same_values_in_every_language() -> None:
    for row in rows_of(WORDS):
        fields = [
            {field for _, field, _, _ in Formatter().parse(row[f"text_{lang}"])}
            - {None}
            for lang in LANGUAGES
        ]
        assert fields[0] == fields[1] == fields[2], row["key"]
        assert all(row[f"text_{lang}"].strip() for lang in LANGUAGES), row["key"]


GIVEN = {reason for model in JUDGING for reason in reasons_of(model)}
GIVEN |= {reason for kind in COMPARED.values() for reason in kind}
# What three marts call an outcome, by the column that has it.
OUTCOMES = {
    ("food_set_lists", "standing"): "outcome.{}",
    ("delivery_plan", "allocation"): "outcome.{}",
    ("case_deadlines", "status"): "outcome.{}",
}
PREFIXES = {"outcome": "outcome.{}", "reason": "reason.{}", "finding": "reason.{}"}


def word_for(mart: str, column: str, code: str) -> list[str]:
    """The keys of which one must have words for a code of a mart."""
    template = OUTCOMES.get((mart, column), PREFIXES.get(column, "code.{}"))
    return [template.format(code), template.format(f"{mart}.{code}")]


def has_words(key: str) -> bool:
    return all(texts(lang).get(key) for lang in LANGUAGES)


@pytest.mark.parametrize("reason", sorted(GIVEN))
def test_every_reason_of_a_model_has_words(reason: str) -> None:
    assert has_words(f"reason.{reason}")


@pytest.mark.parametrize(("mart", "finding"), findings())
def test_every_finding_of_a_model_has_words(mart: str, finding: str) -> None:
    head, _, column = finding.partition(":")
    whole = f"code.{finding}" if mart == "mse_queue" else f"reason.{finding}"
    assert has_words(whole) or (
        has_words(f"reason.{head}") and has_words(f"field.{column}")
    )


@pytest.mark.parametrize(("mart", "finding"), findings())
def test_every_finding_says_what_it_was_judged_by(mart: str, finding: str) -> None:
    judged = {
        "application_findings": {*JUDGED_BY},
        "jobseeker_findings": {*JUDGED_BY_OF_JOBSEEKERS},
    }
    given = judged.get(mart, {finding})
    assert finding in given or finding.startswith("incomplete:")
    assert mart in CONDITIONS


@pytest.mark.parametrize(
    ("mart", "column", "code"),
    [one for one in checked_codes() if one[0] not in ("law_coverage",)],
)
def test_every_code_of_a_mart_has_words(mart: str, column: str, code: str) -> None:
    assert any(has_words(key) for key in word_for(mart, column, code))


@pytest.mark.parametrize("reason", set_aside_reasons())
def test_every_reason_of_quarantine_has_words(reason: str) -> None:
    assert has_words(f"quarantine.{reason}")


@pytest.mark.parametrize(
    "column",
    sorted({c.name for entity in registries.every_entity() for c in entity.columns}),
)
def test_every_column_of_a_registry_has_words(column: str) -> None:
    assert has_words(f"field.{column}")


@pytest.mark.parametrize("entity", [one.name for one in registries.every_entity()])
def test_every_registry_has_words(entity: str) -> None:
    assert has_words(f"entity.{entity}")


@pytest.mark.parametrize("ground", grounds.codes())
def test_every_ground_has_words(ground: str) -> None:
    assert has_words(f"title.{ground}")
    assert has_words(f"code.{ground}")


@pytest.mark.parametrize("kind", [*COMPARED, *CONDITIONS])
def test_everything_that_is_decided_has_a_title(kind: str) -> None:
    assert has_words(f"title.{kind}")


@pytest.mark.parametrize("kind", COMPARED)
def test_every_condition_of_a_model_has_words(kind: str) -> None:
    # One birthday, then the other.
    for cause in ("turns_16", "turns_18"):
        case = case_of(kind, {"reason": cause, "outcome": "not_extended"})
        named = {
            f"condition.{condition.name}"
            for compare in COMPARED[kind].values()
            if (condition := compare(case))
        }
        assert named <= set(texts("en"))
        assert len(named) >= len(COMPARED[kind]) - 1


ROWS: Mapping[str, list[dict[str, Any]]] = {
    "food_set_recipients": [{"blocked_by": None}],
    "food_set_lists": [
        {"is_judged": True, "standing": "held"},
        {"is_judged": False, "standing": "entitled"},
    ],
    "jobseeker_findings": [{"finding": one} for one in JUDGED_BY_OF_JOBSEEKERS],
    "delivery_plan": [{"mode": "cash"}, {"mode": "in_kind"}],
    "delivery_findings": [{}],
    "mse_queue": [{}],
    "mse_findings": [{"check": one} for one in ("mode", "term", "control_exam")],
    "payout_schedule": [{}],
    "case_deadlines": [
        {"reason": "late"},
        {"outcome": "not_candidate", "case_kind": "jobseeker"},
    ],
    "application_findings": [
        {"finding": finding} for finding in (*JUDGED_BY, "incomplete:iin")
    ],
}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_every_other_condition_has_words(kind: str) -> None:
    for row in ROWS[kind]:
        asked = CONDITIONS[kind](case_of(kind, row))
        assert asked
        assert {f"condition.{condition.name}" for _, condition in asked} <= set(
            texts("en")
        )


@pytest.mark.parametrize("policy", [row["policy"] for row in law_table("policies")])
def test_every_policy_has_words_and_is_read_by_something(policy: str) -> None:
    assert has_words(f"policy.{policy}")
    assert policy in {name for names in POLICIES.values() for name in names}


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        (row["policy"], row["value"])
        for row in law_table("policy_values")
        if not row["value"].isdigit()
    ],
)
def test_every_reading_has_words(policy: str, value: str) -> None:
    assert has_words(f"policy.{policy}={value}")
