"""What is compared of cases and applications: deadlines and findings, p1 to p22."""

from collections.abc import Callable, Mapping

from komek.explain.case import (
    Case,
    Condition,
    Reasoned,
    day_of,
    person_of,
    value_of,
)
from komek.explain.rows import SourceRow

_BEGINS = {"application": "submitted_on", "jobseeker": "registered_on"}


def _deadline(case: Case) -> list[Reasoned]:
    if case.decision["outcome"] == "not_candidate":
        return [("not_governed", _begun_in_time(case))]
    step = case.decision
    condition = Condition(
        "step_in_time",
        {"started_on": step["started_on"], "done_on": step["done_on"]},
        {
            "due_on": step["due_on"],
            # None where the run is of a version that does not say.
            **{
                name: step[name]
                for name in ("working_days",)
                if step.get(name) is not None
            },
            "as_of": case.as_of,
        },
        list(case.rows),
    )
    return [(step["reason"], condition)]


def _begun_in_time(case: Case) -> Condition:
    row = next(iter(case.rows), None)
    begins = _BEGINS[case.decision["case_kind"]]
    return Condition(
        "begun_in_time",
        {begins: day_of(row, begins)},
        {
            "from": case.context.get("governed_from"),
            "to": case.context["covered_until"],
        },
        [row],
    )


# What a finding was judged by, in an application or a jobseeker's case.
JUDGED_BY: Mapping[str, tuple[str, ...]] = {
    "service_not_covered": ("service_code",),
    "incomplete:phone": ("phone", "email"),
    "not_signed": ("signed",),
    "no_attachment": ("attachment_count",),
    "wrong_addressee": ("service_code", "addressee"),
    "wrong_office": ("forwarded_on", "forwarded_to_kato"),
    "case_before_check": ("case_formed_on", "checked_on"),
    "duplicate_notification": (
        "notified_on",
        "notification_channel",
        "reply_in_document_system",
    ),
    "no_channel": ("notified_on", "notification_channel"),
    "not_notified": ("decided_on", "notified_on"),
    "extended_automatically": ("service_code", "submitted_on"),
    "survey_not_remote": ("survey_mode", "decided_on"),
    "result_not_electronic": ("notification_channel", "notified_on"),
}
JUDGED_BY_OF_JOBSEEKERS: Mapping[str, tuple[str, ...]] = {
    "decision_without_centre": ("unemployed_decided_on", "centre_id"),
    "signed_without_draft": ("unemployed_decided_on", "draft_decision_on"),
    "signed_despite_offer": ("unemployed_decided_on", "work_offered_on"),
}


def _finding(case: Case) -> list[Reasoned]:
    reason = case.decision["finding"]
    finding, _, column = reason.partition(":")
    application = case.row("applications")
    columns = JUDGED_BY.get(reason, (column,) if column else ())
    threshold: dict[str, object] = {}
    rows: list[SourceRow | None] = [application]
    if finding == "wrong_addressee":
        code = value_of(application, "service_code") or ""
        threshold["addressee"] = case.addressees.get(code)
    if finding == "wrong_office":
        person = person_of(case)
        threshold["kato"] = value_of(person, "kato")
        rows += [person, *case.all_rows("kato")]
    if finding == "not_notified":
        threshold["as_of"] = case.as_of
    if finding == "extended_automatically":
        award = case.row("asp_awards")
        extension = case.awards.get(value_of(award, "award_id") or "", {})
        threshold["period_start"] = day_of(award, "period_start")
        threshold["period_end"] = extension.get("new_period_end") or day_of(
            award, "period_end"
        )
        rows += [award, *case.all_rows("asp_members")]
    observed = _observed(case, application, columns)
    return [(reason, Condition(finding, observed, threshold, rows))]


def _jobseeker_finding(case: Case) -> list[Reasoned]:
    reason = case.decision["finding"]
    seeker = case.row("jobseekers")
    observed = _observed(case, seeker, JUDGED_BY_OF_JOBSEEKERS.get(reason, ()))
    threshold = {}
    if reason == "signed_despite_offer":
        threshold = {"match_due_on": case.decision.get("match_due_on")}
    return [(reason, Condition(reason, observed, threshold, [seeker]))]


def _observed(
    case: Case, row: SourceRow | None, columns: tuple[str, ...]
) -> dict[str, object]:
    """Return values of a row; a day that is still to come has not happened."""
    return {
        name: case.event(row, name) if name.endswith("_on") else value_of(row, name)
        for name in columns
    }


CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    "case_deadlines": _deadline,
    "application_findings": _finding,
    "jobseeker_findings": _jobseeker_finding,
}
