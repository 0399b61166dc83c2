"""The floor on p12, p16, p17 and p24: rows by hand, results from law.md."""

from hand_nation import Decided, decide, people

AT_WORK, PROGRAMME = "professional_capacity_loss", "rehabilitation_programme"


def _ends(award: str, **given: object) -> dict[str, object]:
    return {"award_id": award, "family_id": award, "period_end": "2020-04-10", **given}


# p12


def _assistance(**policies: str) -> Decided:
    return decide(
        "2020-04-20",
        {
            "persons": [
                *people("alive"),
                *people("dead", death_date="2020-04-20"),
                *people("dies_tomorrow", death_date="2020-04-21"),
            ],
            "asp_awards": [
                _ends("day_before_s", period_end="2020-03-15"),
                _ends("on_s", period_end="2020-03-16"),
                _ends("on_l", period_end="2020-05-01"),
                _ends("after_l", period_end="2020-05-02"),
                _ends("terminated", status="terminated"),
                _ends("suspended", status="suspended"),
                _ends("renewed"),
                _ends("next", family_id="renewed", period_start="2020-04-11",
                      period_end="2020-06-30"),
                _ends("of_the_dead"),
                _ends("one_lives"),
                _ends("one_unknown"),
                _ends("one_dies_tomorrow"),
                _ends("no_members"),
                _ends("renewed_of_the_dead"),
                _ends("next_of_the_dead", family_id="renewed_of_the_dead",
                      period_start="2020-04-11", period_end="2020-06-30"),
            ],
            "asp_members": [
                {"award_id": award, "iin": iin}
                for award, iins in {
                    "of_the_dead": ("dead",),
                    "one_lives": ("dead", "alive"),
                    "one_unknown": ("dead", "ghost"),
                    "one_dies_tomorrow": ("dead", "dies_tomorrow"),
                    "renewed_of_the_dead": ("dead",),
                }.items()
                for iin in iins
            ],
        },
        policies=policies,
    )  # fmt: skip


def test_p12_outcome_and_the_first_reason() -> None:
    reasons = dict(_assistance().rows("asp_extensions", "award_id, reason"))
    assert reasons == {
        "on_s": None,
        "on_l": None,
        "terminated": "terminated",
        "suspended": "suspended",
        "renewed": "already_renewed",
        "renewed_of_the_dead": "already_renewed",
        "of_the_dead": "no_living_member",
        "one_lives": None,
        "one_unknown": None,
        "one_dies_tomorrow": None,
        "no_members": None,
    }


def test_p12_an_award_of_the_dead_has_no_new_period_and_nothing_to_review() -> None:
    (row,) = _assistance().rows(
        "asp_extensions",
        "outcome, new_period_start, new_period_end, review_reasons",
        "award_id = 'of_the_dead'",
    )
    assert row == ("not_extended", None, None, "")


def test_p12_the_suspended_too_by_the_other_reading() -> None:
    reasons = dict(
        _assistance(**{"asp.base": "any_status"}).rows(
            "asp_extensions", "award_id, reason"
        )
    )
    assert reasons["suspended"] is None
    assert reasons["terminated"] == "terminated"


# p16


def _examined(as_of: str = "2020-04-20", **policies: str) -> Decided:
    def term(name: str, **given: object) -> dict[str, object]:
        return {
            "term_id": name,
            "iin": "person",
            "kind": "rehabilitation_programme",
            "category": None,
            "decided_on": "2020-04-10",
            "established_on": "2019-10-19",
            "valid_until": "2020-10-19",
            **given,
        }

    return decide(
        as_of,
        {
            "persons": people("person"),
            "disability_terms": [
                term("before_f", decided_on="2020-03-31"),
                term("on_f", decided_on="2020-04-01"),
                term("on_d", decided_on="2020-04-20"),
                term("after_d", decided_on="2020-04-21"),
                term("in_person", decision_mode="in_person"),
                term("year_and_a_day", valid_until="2020-10-20"),
                term("indefinite", valid_until=None),
                term("due_today", established_on="2019-10-20"),
                term("held_on_due", control_exam_on="2020-04-19"),
                term("held_too_late", control_exam_on="2020-04-20"),
                term("held_on_established", control_exam_on="2019-10-19"),
                term("held_the_day_after", control_exam_on="2019-10-20"),
                term("not_held"),
            ],
        },
        policies=policies,
    )


def test_p16_terms_decided_from_f_to_d() -> None:
    decided = _examined()
    terms = set(decided.rows("mse_findings", "term_id"))
    assert {"on_f", "on_d"} <= terms
    assert not {"before_f", "after_d"} & terms
    by_emergency = _examined(**{"procedure.from": "emergency"})
    assert "before_f" in by_emergency.rows("mse_findings", "term_id")


def test_p16_findings() -> None:
    found = _examined().rows("mse_findings", "term_id, finding", "finding is not null")
    plain = ("on_f", "on_d", "in_person", "not_held", "year_and_a_day", "indefinite")
    assert found == sorted(
        [
            ("in_person", "wrong_mode"),
            ("year_and_a_day", "term_over_one_year"),
            ("indefinite", "term_over_one_year"),
            ("held_too_late", "control_exam_overdue"),
            # An exam before the term was established is not of this term.
            ("held_on_established", "control_exam_overdue"),
            *((term, "control_exam_overdue") for term in plain),
        ]
    )


def test_p16_an_exam_is_pending_through_its_due_date() -> None:
    outcomes = dict(
        _examined().rows(
            "mse_findings", "term_id, outcome", "\"check\" = 'control_exam'"
        )
    )
    assert outcomes["due_today"] == "pending"
    assert outcomes["held_on_due"] == "ok"
    assert outcomes["held_the_day_after"] == "ok"


# p17


def _extended(**policies: str) -> Decided:
    def term(name: str, iin: str, **given: object) -> dict[str, object]:
        return {"term_id": name, "iin": iin, "valid_until": "2020-04-10", **given}

    turns = {"category": "child", "established_on": "2015-01-01"}
    return decide(
        "2020-04-20",
        {
            "persons": [
                *people("adult"),
                *people("dead", death_date="2020-04-20"),
                *people("sixteen_before", birth_date="2004-02-15"),
                *people("sixteen_first", birth_date="2004-02-16"),
                *people("sixteen_last", birth_date="2004-05-01"),
                *people("sixteen_after", birth_date="2004-05-02"),
                *people("eighteen_before", birth_date="2002-02-15"),
                *people("eighteen_first", birth_date="2002-02-16"),
                *people("eighteen_new", birth_date="2002-04-01"),
                *people("eighteen_old", birth_date="2002-04-01"),
                *people("decided_again", birth_date="2004-04-01"),
                *people("twice", birth_date="2004-04-01"),
                *people("dead_child", birth_date="2004-04-01", death_date="2020-04-01"),
            ],
            "disability_terms": [
                term("out_before", "adult", valid_until="2020-02-15"),
                term("first", "adult", valid_until="2020-02-16", kind=PROGRAMME),
                term("last", "adult", valid_until="2020-05-01", kind=AT_WORK),
                term("out_after", "adult", valid_until="2020-05-02"),
                term("of_ghost", "ghost"),
                term("of_dead", "dead"),
                term("old", "adult", kind="general_capacity_loss"),
                term("new", "adult", kind="general_capacity_loss",
                     decided_on="2020-04-20", valid_until=None),
                term("t16_before", "sixteen_before", **turns),
                term("t16_first", "sixteen_first", **turns),
                term("t16_last", "sixteen_last", **turns),
                term("t16_after", "sixteen_after", **turns),
                term("t18_before", "eighteen_before", established_on="2015-01-01"),
                term("t18_first", "eighteen_first", established_on="2015-01-01"),
                term("t18_on", "eighteen_new", established_on="2020-04-01"),
                term("t18_day_before", "eighteen_old", established_on="2020-03-31"),
                term("t18_programme", "eighteen_old", kind=PROGRAMME),
                term("twice_b", "twice", valid_until="2020-02-20", **turns),
                term("twice_a", "twice", valid_until="2020-03-10", **turns),
                term("t16_dead", "dead_child", **turns),
                term("t16_old", "decided_again", **turns),
                term("t16_new", "decided_again", **turns,
                     decided_on="2020-04-01", valid_until=None),
            ],
        },
        policies=policies,
    )  # fmt: skip


def test_p17_everyone_is_extended_whatever_age_comes() -> None:
    reasons = dict(_extended().rows("disability_extensions", "term_id, reason"))
    assert {term: reason for term, reason in reasons.items() if reason} == {
        "of_ghost": "not_in_population_register",
        "of_dead": "deceased",
        "t16_dead": "deceased",
        "old": "superseded",
        "t16_old": "superseded",
    }
    assert not {"out_before", "out_after"} & set(reasons)
    assert {"first", "last", "t16_first", "t18_first"} <= set(reasons)


def test_p17_who_turns_16_or_18_in_the_window_is_examined_at_the_new_end() -> None:
    queue = _extended().rows("mse_queue", "iin, cause, term_id, due_on")
    assert queue == [
        ("eighteen_first", "turns_18", "t18_first", "2020-05-01"),
        ("eighteen_old", "turns_18", "t18_day_before", "2020-05-01"),
        ("sixteen_first", "turns_16", "t16_first", "2020-05-01"),
        ("sixteen_last", "turns_16", "t16_last", "2020-05-01"),
        ("twice", "turns_16", "twice_a", "2020-05-01"),
    ]


def test_p17_examined_instead_of_extended_by_the_other_reading() -> None:
    decided = _extended(**{"disability.age_transition": "examine"})
    reasons = dict(decided.rows("disability_extensions", "term_id, reason"))
    assert {
        term for term, reason in reasons.items() if reason in ("turns_16", "turns_18")
    } == {"t16_first", "t16_last", "t18_first", "t18_day_before", "twice_a", "twice_b"}
    assert decided.rows("mse_queue", "iin, term_id, due_on") == [
        ("eighteen_first", "t18_first", "2020-04-10"),
        ("eighteen_old", "t18_day_before", "2020-04-10"),
        ("sixteen_first", "t16_first", "2020-04-10"),
        ("sixteen_last", "t16_last", "2020-04-10"),
        # The earliest due; neither is due before the emergency began.
        ("twice", "twice_a", "2020-03-16"),
    ]


def test_p17_the_earliest_due_comes_before_the_lowest_term() -> None:
    turns = {"iin": "child", "category": "child"}
    decided = decide(
        "2020-04-20",
        {
            "persons": people("child", birth_date="2004-04-01"),
            "disability_terms": [
                {"term_id": "a", "valid_until": "2020-04-30", **turns},
                {"term_id": "b", "valid_until": "2020-02-20", **turns},
            ],
        },
        policies={"disability.until": "plus_months", "disability.plus_months": "1"},
    )
    assert decided.rows("disability_extensions", "term_id, new_valid_until") == [
        ("a", "2020-05-30"),
        ("b", "2020-03-20"),
    ]
    assert decided.rows("mse_queue", "term_id, due_on") == [("b", "2020-03-20")]


# p24


def _paid(death_date: str, **policies: str) -> list[tuple[object, ...]]:
    decided = decide(
        "2020-04-10",
        {
            "persons": people("x", birth_date="2004-04-01", death_date=death_date),
            "disability_terms": [
                {"term_id": "t", "iin": "x", "category": "child",
                 "valid_until": "2020-04-10"},
            ],
            "benefit_awards": [
                {"award_id": "b", "iin": "x", "stop_on": "2020-03-31"},
                {"award_id": "before_window", "iin": "x", "stop_on": "2020-02-15"},
                {"award_id": "after_l", "iin": "x", "start_on": "2020-04-16"},
                {"award_id": "other", "iin": "x", "benefit": "capacity_loss_payment"},
            ],
            "benefit_payments": [
                {"payment_id": str(number), "award_id": "b", "month": month,
                 "amount": amount, "paid_on": paid_on, "status": status}
                for number, (month, amount, paid_on, status) in enumerate([
                    ("2020-03-01", 30, "2020-04-10", "paid"),
                    ("2020-03-01", 30, "2020-04-11", "paid"),
                    ("2020-03-01", 30, "2020-04-10", "returned"),
                    ("2020-03-15", 30, "2020-04-10", "paid"),
                    ("2020-04-01", 130, "2020-04-10", "paid"),
                ])
            ],
        },
        policies=policies,
    )  # fmt: skip
    return decided.rows(
        "payout_schedule",
        "month, award_id, basis, paid_amount, due_amount, overpaid_amount, pay_on",
    )


def test_p24_what_was_paid_and_what_is_due() -> None:
    # K is before the decree of 14 April: the emergency ends in April.
    assert _paid(death_date="2020-04-11") == [
        ("2020-03-01", "b", "award", 30, 70, 0, "2020-03-20"),
        ("2020-04-01", "b", "extension", 130, 0, 30, "2020-04-20"),
    ]


def test_p24_only_whose_term_is_extended() -> None:
    assert _paid(death_date="2020-04-10") == []
    examined = {"disability.age_transition": "examine"}
    assert _paid(death_date="2020-04-11", **examined) == []


def test_p24_nobody_is_paid_for_a_month_after_the_one_they_died_in() -> None:
    decided = decide(
        "2020-04-20",
        {
            "persons": people("x", death_date="2020-05-01"),
            "disability_terms": [
                {"term_id": "t", "iin": "x", "valid_until": "2020-04-10"}
            ],
            "benefit_awards": [{"award_id": "b", "iin": "x", "start_on": "2020-04-30"}],
        },
    )
    # From the month of its start; the death dated after D counts, on the first too.
    assert decided.rows("payout_schedule", "month") == ["2020-04-01"]
