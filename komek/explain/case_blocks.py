"""What a run has of a person's cases and applications: steps, terms, findings."""

from collections.abc import Iterator

from komek.explain.blocks import Block
from komek.explain.rows import Row
from komek.explain.run_tables import RunTables


def case_blocks(run: RunTables) -> list[Block]:
    """Return the steps and findings of each case, jobseekers' cases last."""
    applications = run.of_person("facts.applications", "application_id")
    cases = run.of_person("facts.jobseeker_cases", "case_id")
    return [
        *(
            block
            for row in applications
            for block in _of_case(run, "application", row["application_id"], row)
        ),
        *(
            block
            for row in cases
            for block in _of_case(run, "jobseeker", row["case_id"], row)
        ),
    ]


def _of_case(run: RunTables, kind: str, case_id: str, case: Row) -> Iterator[Block]:
    steps = run.records(
        "select * from marts.case_deadlines where case_kind = ? and case_id = ?"
        " order by started_on, paragraph",
        kind,
        case_id,
    )
    if not steps:
        yield _not_governed(run, kind, case_id, case)
    for row in steps:
        unmet = row["status"] in ("late", "overdue", "no_match")
        yield Block(
            "case_deadlines",
            "case_deadlines",
            f"{kind}|{case_id}|{row['step']}",
            row["paragraph"],
            row["status"],
            row["status"] if unmet else None,
            row,
            beside=_term_of(run, row),
        )
    table = "jobseeker_findings" if kind == "jobseeker" else "application_findings"
    match = next((row["due_on"] for row in steps if row["step"] == "match"), None)
    for row in run.named(
        f"marts.{table}",
        "case_id" if kind == "jobseeker" else "application_id",
        [case_id],
    ):
        yield Block(
            table,
            table,
            f"{case_id}|{row['finding']}",
            row["paragraph"],
            "finding",
            row["finding"],
            row,
            beside={"match_due_on": match} if kind == "jobseeker" else {},
        )


def _not_governed(run: RunTables, kind: str, case_id: str, case: Row) -> Block:
    """Return why no step of a case was judged: it began outside the Rules' time."""
    paragraph, row = (
        ("p20", case["case_row"])
        if kind == "jobseeker"
        else ("p5", case["application_row"])
    )
    none = run.none("case_deadlines", "case_deadlines", paragraph, "not_governed", row)
    key = f"{kind}|{case_id}|"
    values = {"case_kind": kind, "case_id": case_id}
    return Block(
        none.kind,
        none.table,
        key,
        paragraph,
        none.outcome,
        none.reason,
        values,
        none.cites,
    )


def _term_of(run: RunTables, step: Row) -> Row:
    """Return the days of a step by its start, and whether it began on a working one."""
    if step["started_on"] is None:
        return {}
    terms = run.named("facts.step_terms", "name", [f"{step['step']}_working_days"])
    started_on = max(step["started_on"], run.context["rules_first_on"])
    days = run.records(
        "select is_working from facts.working_days where calendar_on = ?",
        step["started_on"],
    )
    return {
        "working_days": next(
            (
                term["working_days"]
                for term in terms
                if term["valid_from"] <= started_on
                and (term["valid_before"] is None or started_on < term["valid_before"])
            ),
            None,
        ),
        "started_on_working_day": days[0]["is_working"] if days else None,
    }
