"""p5–p10, p19–p22: what is late or overdue or amiss, by office, the oldest first."""

from collections.abc import Iterator

from komek.papers.paper import Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Region, Source

_PARAGRAPHS = ("p5", "p6", "p8", "p10", "p19", "p20", "p21", "p22")
_FINDINGS = ("p5", "p6", "p7", "p8", "p9", "p10")


def deadline_papers(source: Source) -> Iterator[Paper]:
    """Yield the late and overdue steps and the findings of each region's offices."""
    _gather(source)
    words = source.words
    for region in source.regions:
        parts = source.slices(
            f"(from late where region_kato = '{region.kato}')", "office"
        )
        if not parts:
            continue
        yield source.paper(
            "deadlines",
            words("title.deadlines"),
            source.head(_PARAGRAPHS, region),
            region,
            tables=[_by_status(source, region)],
            sections=[
                _section(source, office, first, rows) for office, first, rows in parts
            ],
            signatures=[
                Signature(words("sign.head")),
                Signature(words("sign.made_by")),
            ],
        )


def _by_status(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        f"select {_what(source)} as said, substring(paragraph, 2), count(*),"
        " count(*) filter (where status = 'overdue')"
        " from late where region_kato = $region"
        " group by step, finding, paragraph"
        " order by substring(paragraph, 2)::integer, said",
        {"region": region.kato},
    )
    names = ("step", "paragraph", "rows", "overdue")
    return Table(
        words("table.deadlines"), [words(f"heading.{name}") for name in names], rows
    )


def _section(source: Source, office: str, first: int, rows: int) -> Section:
    words = source.words
    return Section(
        office,
        [
            Column("№", 6, "number", Kind.COUNT),
            Column(words("heading.case"), 22, "case_id", is_free=True),
            Column(words("heading.case_kind"), 16, words.sql("code", "case_kind")),
            Column(words("heading.step"), 34, _what(source)),
            Column(words("heading.paragraph"), 8, "substring(paragraph, 2)"),
            Column(words("heading.started_on"), 12, "started_on", Kind.DATE),
            Column(words("heading.due_on"), 12, "due_on", Kind.DATE),
            Column(words("heading.done_on"), 12, "done_on", Kind.DATE),
            Column(words("heading.status"), 14, words.sql("outcome", "status")),
            Column(words("heading.days_late"), 10, "days_late", Kind.COUNT),
        ],
        "late",
        first,
        rows,
        [(words("total.rows"), rows)],
    )


def _what(source: Source) -> str:
    """Return SQL for the step that is late, or for what is amiss."""
    step = source.words.sql("code", "step")
    return f"coalesce({source.words.sql('reason', 'finding')}, {step})"


def _gather(source: Source) -> None:
    """Make `late`: steps and findings, of the office whose they are."""
    words = source.words
    source.connection.execute(
        f"""
        create or replace table late as
        with cases as (
            select
                'application' as case_kind,
                application_id as case_id,
                coalesce(forwarded.region_kato, registered.region_kato,
                    people.region_kato, 'unassigned') as region_kato,
                concat_ws(', ', {words.sql("code", "addressee")},
                    {source.place_sql("forwarded", "forwarded.kato")}) as office,
                submitted_on as began_on
            from run.facts.applications as applications
            left join run.facts.territories as forwarded
                on applications.forwarded_to_kato = forwarded.kato
            left join run.facts.territories as registered
                on applications.region_kato = registered.kato
            left join run.facts.people as people on applications.iin = people.iin
            union all
            select
                'jobseeker',
                cases.case_id,
                coalesce(places.region_kato, people.region_kato, 'unassigned'),
                concat_ws(', ', $centre, cases.centre_id,
                    {source.place_sql("places", "places.kato")}),
                cases.registered_on
            from run.facts.jobseeker_cases as cases
            left join run.staging.stg_jobseekers as registered
                on cases.case_id = registered.case_id
            left join run.facts.territories as places on registered.kato = places.kato
            left join run.facts.people as people on cases.iin = people.iin
        ),
        faults as (
            select case_kind, case_id, step, null as finding, paragraph, started_on,
                due_on, done_on, status,
                date_diff('day', due_on, coalesce(done_on, $as_of)) as days_late
            from run.marts.case_deadlines
            where status in ('late', 'overdue')
            union all
            select 'application', application_id, null, finding, paragraph, null, null,
                null, null, null
            from run.marts.application_findings
            where list_contains($findings, paragraph)
            union all
            select 'jobseeker', case_id, null, finding, paragraph, null, null, null,
                null, null
            from run.marts.jobseeker_findings
        ),
        rows as (
            select
                faults.*,
                coalesce(cases.region_kato, 'unassigned') as region_kato,
                coalesce(upper(left(nullif(cases.office, ''), 1))
                    || substring(cases.office, 2), $no_office) as office,
                coalesce(faults.due_on, cases.began_on) as since
            from faults
            left join cases using (case_kind, case_id)
        )
        select
            *,
            row_number() over (
                partition by region_kato, office
                order by since nulls last, case_kind, case_id, paragraph, step, finding
            ) as number,
            row_number() over (
                order by region_kato, office, since nulls last, case_kind, case_id,
                    paragraph, step, finding
            ) - 1 as place
        from rows
        """,
        {
            "as_of": source.as_of,
            "findings": list(_FINDINGS),
            "centre": words("label.centre"),
            "no_office": words("label.no_office"),
        },
    )
