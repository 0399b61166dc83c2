"""The floor on applications (p1 to p14): rows by hand, results from law.md."""

from dataclasses import replace

import pytest

from floor_law import Law
from hand_nation import AKMOLA, AKTOBE, decide, people, units


def _findings(
    cases: dict[str, dict[str, object]],
    as_of: str = "2020-04-20",
    law: Law | None = None,
    **policies: str,
) -> dict[str, list[str]]:
    """Return the findings of applications by case, with the paragraph of each."""
    decided = decide(
        as_of,
        {
            "persons": [
                *people("applicant", kato="111000000"),
                *people("nowhere", kato=None),
                *people("far_away", kato="999999999"),
            ],
            "applications": [
                {"application_id": name, **given} for name, given in cases.items()
            ],
            "asp_awards": [{"award_id": "award", "applicant_iin": "assisted"}],
            "kato": [
                *units(AKMOLA, AKTOBE, "111000000", "111010100", "112000000", "1120"),
                {"kato": "113000000", "valid_to": "2020-04-19"},
                {"kato": "114000000", "valid_to": "2020-04-20"},
            ],
        },
        policies=policies,
        law=law or Law(),
    )
    found: dict[str, list[str]] = {name: [] for name in cases}
    for case, finding, paragraph in decided.rows(
        "application_findings", "application_id, finding, paragraph"
    ):
        found[case].append(f"{finding} {paragraph}")
    return found


NOTIFIED = {
    "forwarded_on": "2020-04-07",
    "checked_on": "2020-04-08",
    "case_formed_on": "2020-04-08",
    "decided_on": "2020-04-10",
    "notified_on": "2020-04-10",
    "notification_channel": "sms",
}


def test_p1_p2_what_is_missing() -> None:
    assert _findings(
        {
            "complete": {},
            "email_alone": {"phone": None, "email": "x"},
            "no_contact": {"phone": None},
            "no_email": {"email": None},
            "unsigned": {"signed": "false"},
            "signed_unknown": {"signed": None},
            "nothing_attached": {"attachment_count": 0},
            "service_0": {"service_code": 0, "addressee": "mse_department"},
            "service_26": {"service_code": 26},
            "no_service": {"service_code": None},
            "no_iin": {"iin": None},
        }
    ) == {
        "complete": [],
        "email_alone": [],
        "no_contact": ["incomplete:phone p2"],
        "no_email": [],
        "unsigned": ["not_signed p2"],
        "signed_unknown": ["not_signed p2"],
        "nothing_attached": ["no_attachment p2"],
        "service_0": ["service_not_covered p1"],
        "service_26": ["service_not_covered p1"],
        "no_service": ["service_not_covered p1"],
        "no_iin": ["incomplete:iin p2"],
    }


STATE = {1, 2, 3, 4, 5, 6, 16, 17, 18}


@pytest.mark.parametrize(
    ("addressee", "right"),
    [
        ("state_corporation", STATE),
        ("mse_department", {20}),
        ("local_executive_body", set(range(1, 26)) - STATE - {20}),
    ],
)
def test_p3_whom_each_service_belongs_to(addressee: str, right: set[int]) -> None:
    found = _findings(
        {
            str(code): {"service_code": code, "addressee": addressee}
            for code in range(1, 26)
        }
    )
    wrong = {int(code) for code, findings in found.items() if findings}
    assert wrong == set(range(1, 26)) - right
    assert {finding for of in found.values() for finding in of} == {
        "wrong_addressee p3"
    }


def test_p3_any_of_several_addressees_is_right() -> None:
    both = replace(Law(), addressees=((1, "local_executive_body|state_corporation"),))
    found = _findings(
        {
            "one": {},
            "other": {"addressee": "local_executive_body"},
            "third": {"addressee": "mse_department"},
        },
        law=both,
    )
    assert found == {"one": [], "other": [], "third": ["wrong_addressee p3"]}


def test_p5_forwarded_to_another_place_than_the_applicant_s() -> None:
    def sent(kato: str | None, **given: object) -> dict[str, object]:
        return {"forwarded_on": "2020-04-20", "forwarded_to_kato": kato, **given}

    found = _findings(
        {
            "same_district": sent("111010100"),
            "another_district": sent("112000000"),
            "the_region": sent(AKMOLA),
            "another_region": sent(AKTOBE),
            "unknown_code": sent("111099999"),
            "four_digits": sent("1120"),
            "no_longer_a_code": sent("113000000"),
            "last_day_of_a_code": sent("114000000"),
            "not_said": sent(None),
            "not_yet": sent(AKTOBE, forwarded_on="2020-04-21"),
            "never": sent(AKTOBE, forwarded_on=None),
            "of_nowhere": sent(AKTOBE, iin="nowhere"),
            "of_far_away": sent(AKTOBE, iin="far_away"),
            "of_a_ghost": sent(AKTOBE, iin="ghost"),
        }
    )
    assert {name for name, findings in found.items() if findings} == {
        "another_district",
        "the_region",
        "another_region",
        "last_day_of_a_code",
    }
    assert found["the_region"] == ["wrong_office p5"]


def test_p8_a_case_is_formed_after_the_check() -> None:
    found = _findings(
        {
            "same_day": {"checked_on": "2020-04-09", "case_formed_on": "2020-04-09"},
            "before": {"checked_on": "2020-04-09", "case_formed_on": "2020-04-08"},
            "unchecked": {"case_formed_on": "2020-04-08"},
            "formed_tomorrow": {"case_formed_on": "2020-04-21"},
        }
    )
    assert {name for name, of in found.items() if of == ["case_before_check p8"]} == {
        "before",
        "unchecked",
    }


def test_p10_how_the_result_is_notified() -> None:
    found = _findings(
        {
            "by_sms": NOTIFIED,
            "also_replied": {**NOTIFIED, "reply_in_document_system": "true"},
            "not_replied": {**NOTIFIED, "reply_in_document_system": "false"},
            "cabinet_replied": {
                **NOTIFIED,
                "notification_channel": "cabinet",
                "reply_in_document_system": "true",
            },
            "service_reply": {
                **NOTIFIED,
                "notification_channel": "service_reply",
                "reply_in_document_system": "true",
            },
            "no_channel": {**NOTIFIED, "notification_channel": None},
            "replied_tomorrow": {
                **NOTIFIED,
                "decided_on": "2020-04-20",
                "notified_on": "2020-04-21",
                "reply_in_document_system": "true",
            },
            "channel_not_yet": {"notified_on": "2020-04-21"},
            "decided_today": {"decided_on": "2020-04-20"},
            "decided_yesterday": {"decided_on": "2020-04-19"},
            "notified_tomorrow": {
                "decided_on": "2020-04-19",
                "notified_on": "2020-04-21",
            },
            "asp_no_channel": {
                **NOTIFIED,
                "service_code": 15,
                "addressee": "local_executive_body",
                "survey_mode": "remote",
                "notification_channel": None,
            },
        }
    )
    assert {name: of for name, of in found.items() if of} == {
        "also_replied": ["duplicate_notification p10"],
        "cabinet_replied": ["duplicate_notification p10"],
        "no_channel": ["no_channel p10"],
        "decided_yesterday": ["not_notified p10"],
        "notified_tomorrow": ["not_notified p10"],
        "asp_no_channel": ["no_channel p10", "result_not_electronic p14"],
    }


def test_p12_p13_assistance_asked_for() -> None:
    asp = {"service_code": 15, "addressee": "local_executive_body"}
    decided = {**asp, "decided_on": "2020-04-20"}
    found = _findings(
        {
            "on_an_award": {**decided, "iin": "assisted"},
            "in_person": {
                **asp,
                "survey_mode": "in_person",
                "decided_on": "2020-04-20",
            },
            "remote": {**asp, "survey_mode": "remote", "decided_on": "2020-04-20"},
            "undecided": {**asp, "survey_mode": "in_person"},
        }
    )
    assert found == {
        "on_an_award": ["extended_automatically p12"],
        "in_person": ["survey_not_remote p13"],
        "remote": [],
        "undecided": [],
    }


SUBMITTED = {
    day: {"submitted_on": day, "signed": "false"}
    for day in ("2020-03-15", "2020-03-16", "2020-03-31", "2020-04-01", "2020-05-10",
                "2020-05-11")
}  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "first"), [("edition", "2020-04-01"), ("emergency", "2020-03-16")]
)
def test_what_was_submitted_outside_the_emergency_is_not_judged(
    policy: str, first: str
) -> None:
    # Asked after the emergency: what was begun in it is followed to its end.
    found = _findings(SUBMITTED, "2020-05-20", **{"procedure.from": policy})
    judged = [day for day, findings in found.items() if findings]
    assert judged == [day for day in SUBMITTED if first <= day <= "2020-05-10"]
