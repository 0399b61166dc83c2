"""What is compared of cases and applications: deadlines and findings, p1 to p14."""

from collections.abc import Callable, Mapping

from komek.explain.case import Case, Condition, Reasoned, day_of, value_of


def _deadline(case: Case) -> list[Reasoned]:
    step = case.decision
    condition = Condition(
        "step_in_time",
        {"started_on": step["started_on"], "done_on": step["done_on"]},
        {"due_on": step["due_on"], "as_of": case.as_of},
        list(case.rows),
    )
    return [(step["reason"], condition)]


# What an application's finding was judged by.
JUDGED_BY: Mapping[str, tuple[str, ...]] = {
    "service_not_covered": ("service_code",),
    "not_signed": ("signed",),
    "no_attachment": ("attachment_count",),
    "wrong_addressee": ("service_code", "addressee"),
    "case_before_check": ("case_formed_on", "checked_on"),
    "duplicate_notification": (
        "notified_on",
        "notification_channel",
        "reply_in_document_system",
    ),
    "extended_automatically": ("service_code", "submitted_on"),
    "survey_not_remote": ("survey_mode", "decided_on"),
    "result_not_electronic": ("notification_channel", "notified_on"),
}


def _finding(case: Case) -> list[Reasoned]:
    reason = case.decision["finding"]
    finding, _, column = reason.partition(":")
    application = case.row("applications")
    award = case.row("asp_awards")
    columns = (column,) if column else JUDGED_BY.get(finding, ())
    observed: dict[str, object] = {
        name: value_of(application, name) for name in columns
    }
    threshold: dict[str, object] = {}
    if finding == "wrong_addressee":
        code = value_of(application, "service_code") or ""
        threshold["addressee"] = case.addressees.get(code)
    if finding == "extended_automatically":
        extension = case.awards.get(value_of(award, "award_id") or "", {})
        threshold["period_start"] = day_of(award, "period_start")
        threshold["period_end"] = extension.get("new_period_end") or day_of(
            award, "period_end"
        )
    return [(reason, Condition(finding, observed, threshold, [application, award]))]


CONDITIONS: Mapping[str, Callable[[Case], list[Reasoned]]] = {
    "case_deadlines": _deadline,
    "application_findings": _finding,
}
