"""What an explanation says, in words: of made-up decisions, without a run."""

from collections.abc import Mapping
from typing import Any

import pytest

from komek.explain import render
from komek.explain.blocks import Block
from komek.explain.conditions import told_as
from komek.explain.words import LANGUAGES, WORDS, texts

TITLES = {"title_en": "Who is given", "title_ru": "Кому", "title_kk": "Кімге"}
PARAGRAPH = {
    "paragraph": "p25",
    "edition": "order_118",
    "valid_from": "2020-04-01",
    "recorded_on": "2020-04-02",
    "act_number": "118",
    "adopted_on": "2020-04-01",
    "registered_on": "2020-04-02",
    "registered_no": "20273",
    "act_en": "Order No. 118",
    "act_ru": "Приказ № 118",
    "act_kk": "№ 118 бұйрық",
    **TITLES,
}
CONTEXT = {
    "as_of": "2020-04-20",
    "list_month": "2020-04-01",
    "emergency_starts_on": "2020-03-16",
    "covered_until": "2020-05-01",
    "asp_child_age_from": 6,
    "asp_child_age_to": 18,
    "disabled_child_age_to": 16,
    "child_category_age": 16,
    "group_category_age": 18,
}


def decision(kind: str = "p25_1", **given: Any) -> dict[str, Any]:
    made = {
        "kind": kind,
        "outcome": "not_met",
        "reason": None,
        "paragraph": "p25",
        "values": {},
        "beside": {},
        "conditions": [],
        "policies": [],
        "rows": [],
        **given,
    }
    return {"told_as": made["reason"], **made}


def told(*decisions: dict[str, Any], lang: str = "en", **given: Any) -> str:
    explanation = {
        "iin": "850101400000",
        "run": {
            "run_id": "r",
            "as_of": "2020-04-20",
            "known_at": "2020-04-20",
            "list_drawn": True,
        },
        "register": {
            "status": "not_in_register",
            "region_kato": None,
            "region_name_ru": None,
            "region_name_kk": None,
            "rows": [],
        },
        "rules": {
            "in_force": True,
            "first_on": "2020-04-01",
            "known_on": "2020-04-02",
        },
        "recipient": False,
        "context": CONTEXT,
        "policies": {},
        "paragraphs": {"p25": PARAGRAPH},
        "decisions": decisions,
        "rows": [],
        "set_aside": [],
        **given,
    }
    return "\n".join(render(explanation, lang))


def condition(name: str, reason: str | None, **observed: object) -> dict[str, Any]:
    return {
        "condition": name,
        "reason": reason,
        "verdict": "fails",
        "observed": observed,
        "threshold": {},
        "rows": [],
    }


# --- one reason, three texts


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ({"child_named": True, "in_register": True}, "child_died"),
        ({"child_named": True, "in_register": False}, "child_not_in_register"),
        ({"child_named": False, "in_register": False}, "child_not_named"),
    ],
)
def test_a_child_who_died_is_not_one_who_is_not_known_or_not_named(
    observed: Mapping[str, object], expected: str
) -> None:
    block = Block("p25_4", "t", "k", "p25", "not_met", "child_deceased", {})
    failed = condition("child_alive", "child_deceased", **observed)
    assert told_as(block, [failed]) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "detail", ["child_died", "child_not_in_register", "child_not_named"]
)
def test_what_it_is_of_the_child_is_told_wherever_the_reason_stands(
    lang: str, detail: str
) -> None:
    ended = decision(
        "food_set_lists",
        outcome="ended",
        reason="child_deceased",
        conditions=[
            condition(
                "still_recipient", "child_deceased", ground_reason="child_deceased"
            )
        ],
        values={"list_month": "2020-04-01"},
    )
    ground = decision("p25_4", reason="child_deceased", told_as=detail)
    said = told(ground, ended, lang=lang)
    words = texts(lang)
    assert said.count(words[f"reason.{detail}"]) == 3
    assert words["reason.child_deceased"] not in said


# --- what an amendment adds has no words yet


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "made",
    [
        decision("p25_6", outcome="not_met", reason="not_heard_of"),
        decision("p25_1", outcome="not_met", reason="not_heard_of:some_column"),
        decision(
            "application_findings",
            outcome="finding",
            reason="not_heard_of",
            values={"application_id": "A", "finding": "not_heard_of"},
            conditions=[condition("not_heard_of", "not_heard_of", some_value=1)],
        ),
        decision("new_mart", outcome="not_heard_of", reason="not_heard_of"),
    ],
)
def test_what_has_no_words_is_told_by_its_code_and_paragraph(
    made: dict[str, Any], lang: str
) -> None:
    said = told(made, lang=lang)
    assert "not_heard_of" in said
    assert PARAGRAPH[f"title_{lang}"] in said
    assert f"({PARAGRAPH[f'title_{lang}']})" in said


def test_a_ground_that_has_no_words_has_its_paragraphs_title() -> None:
    assert "Who is given: p25_6: met" in told(decision("p25_6", outcome="met"))


def test_a_policy_that_has_no_words_has_its_reason() -> None:
    policy = {
        "value": "new",
        "table_value": "new",
        "rationale": "As the amendment says.",
        "overridden": False,
    }
    said = told(decision(policies=["some.new"]), policies={"some.new": policy})
    assert "As the amendment says.: new (some.new = new)" in said


# --- the law, its act and its ages


@pytest.mark.parametrize(
    ("lang", "act"),
    [
        (
            "en",
            (
                "as worded by Order No. 118 of 1 April 2020"
                " (registered on 2 April 2020 as No. 20273); in force from 1 April 2020"
            ),
        ),
        (
            "ru",
            (
                "утверждённой приказом от 1 апреля 2020 года № 118 (зарегистрирован"
                " 2 апреля 2020 года под № 20273); действует с 1 апреля 2020 года"
            ),
        ),
        ("kk", "№ 118 бұйрық, 2020 жылғы 1 сәуір (тіркелген күні: 2020 жылғы 2 сәуір"),
    ],
)
def test_the_act_is_named_by_its_number_and_date(lang: str, act: str) -> None:
    said = told(decision(), lang=lang)
    assert act in said
    assert "order_118" not in said


def test_an_act_that_is_not_registered_says_nothing_of_it() -> None:
    paragraph = PARAGRAPH | {"registered_on": None, "registered_no": None}
    said = told(decision(), paragraphs={"p25": paragraph})
    assert "as worded by Order No. 118 of 1 April 2020; in force" in said


def test_an_act_without_a_number_has_its_title() -> None:
    paragraph = PARAGRAPH | {"act_number": None}
    assert "as worded by Order No. 118;" in told(
        decision(), paragraphs={"p25": paragraph}
    )


@pytest.mark.parametrize(
    ("lang", "title"),
    [
        ("en", "child aged 6 to 21 in a family"),
        ("ru", "ребёнок от 6 до 21 лет"),
        ("kk", "6 жастан 21 жасқа дейінгі бала"),
    ],
)
def test_ages_are_those_of_the_law_in_force(lang: str, title: str) -> None:
    context = CONTEXT | {"asp_child_age_to": 21}
    assert title in told(decision("p25_1"), lang=lang, context=context)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_day_of_an_edition_that_is_not_loaded(lang: str) -> None:
    none = decision(outcome="not_candidate", reason="no_edition")
    rules = {"in_force": False, "first_on": "2020-04-01", "known_on": "2020-04-02"}
    no_ages = dict.fromkeys(CONTEXT) | {"list_month": "2020-03-01"}
    said = told(none, lang=lang, rules=rules, paragraphs={}, context=no_ages)
    words = texts(lang)
    assert words["reason.no_edition"] in said
    assert words["title.p25_1.ageless"] in said
    head = {"en": "is not loaded", "ru": "не загружена", "kk": "жүктелмеген"}[lang]
    assert sum(head in line for line in said.splitlines()) == 2


# --- lists, accounts, what was set aside


@pytest.mark.parametrize(
    ("standing", "recipient", "key"),
    [
        ("ended", False, "ended"),
        ("held", True, "held"),
        ("entitled", True, "recipient"),
        (None, False, "not_recipient"),
        (None, True, "recipient"),
    ],
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_head_says_how_a_person_stands_on_the_list(
    lang: str, standing: str | None, recipient: bool, key: str
) -> None:
    values = {"list_month": "2020-04-01"}
    rows = [decision("food_set_lists", outcome=standing, values=values)]
    # A row of another month says nothing of this one.
    other = decision(
        "food_set_lists", outcome="held", values={"list_month": "2020-03-01"}
    )
    said = told(*(rows if standing else []), other, lang=lang, recipient=recipient)
    month = "2020-04" if lang == "en" else "04.2020"
    assert texts(lang)[f"head.{key}"].format(list_month=month) in said.splitlines()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", ["missing:last_name", "duplicate_row", "unheard:of"])
def test_a_reason_of_quarantine_is_told_in_words(lang: str, reason: str) -> None:
    said = told(lang=lang, set_aside=[{"row": 1, "reasons": [reason]}])
    head, _, column = reason.partition(":")
    words = texts(lang)
    text = words.get(f"quarantine.{head}", head)
    field = words.get(f"field.{column}", column)
    assert said.splitlines()[-1] == f"  [1] {text}" + (f": {field}" if column else "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_account_of_a_representative_is_told_as_that(lang: str) -> None:
    account = decision(
        "delivery_plan",
        outcome="account",
        values={"mode": "cash", "iban": "KZ1", "account_of": "representative"},
    )
    assert texts(lang)["code.representative"] in told(account, lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_p10_has_sms_and_the_cabinet(lang: str) -> None:
    words = texts(lang)["condition.duplicate_notification"]
    assert "SMS" in words
    assert {"en": "and in the cabinet", "ru": "и в личный кабинет", "kk": "және"}[
        lang
    ] in words


@pytest.mark.parametrize(
    "clumsy",
    ["бетпе-бет", "(акт)", "внесена в таблицу", "кестеге жазылған", "6-дан 18"],
)
def test_words_that_people_stumbled_over_are_gone(clumsy: str) -> None:
    assert clumsy not in WORDS.read_text(encoding="utf-8")
