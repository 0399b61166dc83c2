"""p12, p16, p17, p24: what was extended, for the bodies that act on it.

Three papers a region: assistance to the region itself, terms and examinations to the
examination units, payouts to the State Corporation and the fund.
"""

from collections.abc import Iterator

from komek.papers.paper import Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Region, Source


def extension_papers(source: Source) -> Iterator[Paper]:
    """Yield the papers of extended awards, terms and payouts of each region."""
    _gather(source)
    for region in source.regions:
        yield from _awards(source, region)
        yield from _terms(source, region)
        yield from _payouts(source, region)


def _awards(source: Source, region: Region) -> Iterator[Paper]:
    words = source.words
    parts = _parts(source, "extended_awards", region, "outcome")
    if not parts:
        return
    reviews = words.all_sql("code", "string_split(nullif(review_reasons, ''), '|')")
    columns = [
        *_person(source, words("heading.applicant")),
        Column(words("heading.award"), 18, "award_id", is_free=True),
        Column(words("heading.old_end"), 12, "old_period_end", Kind.DATE),
    ]
    extended = [
        *columns,
        Column(words("heading.new_start"), 12, "new_period_start", Kind.DATE),
        Column(words("heading.new_end"), 12, "new_period_end", Kind.DATE),
        Column(words("heading.monthly_amount"), 13, "monthly_amount", Kind.AMOUNT),
        Column(words("heading.review"), 30, reviews),
    ]
    kept = [
        *columns,
        Column(words("heading.reason"), 40, words.sql("reason", "reason")),
    ]
    yield source.paper(
        "extensions-asp",
        words("title.extensions_asp"),
        source.head(("p12",), region),
        region,
        tables=[_outcomes(source, "extended_awards", region)],
        sections=[
            _section(
                source,
                f"asp_{outcome}",
                extended if outcome == "extended" else kept,
                "extended_awards",
                first,
                rows,
            )
            for outcome, first, rows in parts
        ],
        signatures=_signatures(source),
    )


def _terms(source: Source, region: Region) -> Iterator[Paper]:
    words = source.words
    extended = _parts(source, "extended_terms", region, "unit")
    queued = _parts(source, "queued", region, "unit")
    found = _parts(source, "examined", region, "unit")
    if not (extended or queued or found):
        return
    kind = words.sql("code", "kind")
    category = words.sql("code", "category")
    columns = [
        *_person(source, words("heading.name")),
        Column(words("heading.term"), 16, "term_id", is_free=True),
        Column(words("heading.kind"), 22, f"concat_ws(', ', {kind}, {category})"),
    ]
    sections = [
        _section(
            source,
            "terms",
            [
                *columns,
                Column(words("heading.old_end"), 12, "old_valid_until", Kind.DATE),
                Column(words("heading.new_end"), 12, "new_valid_until", Kind.DATE),
                Column(words("heading.reason"), 24, words.sql("reason", "reason")),
            ],
            "extended_terms",
            first,
            rows,
            unit,
        )
        for unit, first, rows in extended
    ]
    sections += [
        _section(
            source,
            "queue",
            [
                *columns,
                Column(words("heading.cause"), 20, _cause(source)),
                Column(words("heading.due_on"), 12, "due_on", Kind.DATE),
            ],
            "queued",
            first,
            rows,
            unit,
        )
        for unit, first, rows in queued
    ]
    sections += [
        _section(
            source,
            "examined",
            [
                *columns,
                Column(words("heading.finding"), 34, words.sql("reason", "finding")),
                Column(words("heading.outcome"), 16, words.sql("outcome", "outcome")),
                Column(words("heading.due_on"), 12, "due_on", Kind.DATE),
            ],
            "examined",
            first,
            rows,
            unit,
        )
        for unit, first, rows in found
    ]
    yield source.paper(
        "extensions-mse",
        words("title.extensions_mse"),
        source.head(("p16", "p17"), region),
        region,
        tables=[_outcomes(source, "extended_terms", region)],
        sections=sections,
        signatures=_signatures(source),
    )


def _payouts(source: Source, region: Region) -> Iterator[Paper]:
    words = source.words
    parts = _parts(source, "payouts", region, "benefit")
    if not parts:
        return
    rows = source.rows(
        f"select {words.sql('code', 'benefit')}, strftime(month, '%m.%Y'), count(*),"
        " sum(amount), sum(paid_amount), sum(due_amount), sum(overpaid_amount)"
        " from payouts where region_kato = $region"
        " group by benefit, month order by benefit, payouts.month",
        {"region": region.kato},
    )
    names = ("benefit", "month", "payouts", "amount", "paid", "due", "overpaid")
    yield source.paper(
        "extensions-payouts",
        words("title.extensions_payouts"),
        source.head(("p17", "p24"), region),
        region,
        tables=[
            Table(
                words("table.payouts"),
                [words(f"heading.{name}") for name in names],
                rows,
            )
        ],
        sections=[
            _section(
                source,
                f"payouts_{benefit}",
                [
                    *_person(source, words("heading.name")),
                    Column(words("heading.award"), 16, "award_id", is_free=True),
                    Column(words("heading.month"), 10, "strftime(month, '%m.%Y')"),
                    Column(words("heading.basis"), 16, words.sql("code", "basis")),
                    Column(words("heading.new_end"), 12, "new_valid_until", Kind.DATE),
                    Column(words("heading.pay_on"), 12, "pay_on", Kind.DATE),
                    Column(words("heading.amount"), 12, "amount", Kind.AMOUNT),
                    Column(words("heading.paid"), 12, "paid_amount", Kind.AMOUNT),
                    Column(words("heading.due"), 12, "due_amount", Kind.AMOUNT),
                ],
                "payouts",
                first,
                count,
            )
            for benefit, first, count in parts
        ],
        signatures=_signatures(source),
    )


def _parts(
    source: Source, table: str, region: Region, key: str
) -> list[tuple[str, int, int]]:
    return [
        (str(value), first, rows)
        for value, first, rows in source.slices(
            f"(from {table} where region_kato = '{region.kato}')", key
        )
    ]


def _section(
    source: Source,
    name: str,
    columns: list[Column],
    table: str,
    first: int,
    rows: int,
    unit: str = "",
) -> Section:
    title = source.words(f"section.{name}")
    return Section(
        f"{title}: {unit}" if unit else title,
        columns,
        table,
        first,
        rows,
        [(source.words("total.rows"), rows)],
    )


def _person(source: Source, who: str) -> list[Column]:
    return [
        Column("№", 6, "number", Kind.COUNT),
        Column(who, 28, "name", is_free=True),
        Column(source.words("heading.iin"), 15, "iin"),
    ]


def _cause(source: Source) -> str:
    """Return SQL for why somebody is to be examined, with the age of the law."""
    words = source.words
    ((child, group),) = source.rows(
        "select child_category_age, group_category_age from run.facts.run_context"
    )
    turns = {
        "turns_16": words("code.turns_16", child_category_age=child),
        "turns_18": words("code.turns_18", group_category_age=group),
    }
    cases = " ".join(f"when '{code}' then '{said}'" for code, said in turns.items())
    return f"case cause {cases} end"


def _outcomes(source: Source, table: str, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        f"select concat_ws(': ', {words.sql('outcome', 'outcome')},"
        f" {words.sql('reason', 'reason')}) as said, count(*)"
        f" from {table} where region_kato = $region group by outcome, reason"
        " order by outcome, reason nulls first",
        {"region": region.kato},
    )
    return Table(
        words("table.outcomes"), [words("heading.outcome"), words("heading.rows")], rows
    )


def _signatures(source: Source) -> list[Signature]:
    words = source.words
    return [Signature(words("sign.head")), Signature(words("sign.made_by"))]


def _gather(source: Source) -> None:
    """Make the working tables, each with its region, its order and its numbers."""
    source.name_people(
        "extended_people",
        """
        select applicant_iin as iin from run.facts.asp_awards
        where award_id in (select award_id from run.marts.asp_extensions)
        union all select iin from run.marts.disability_extensions
        union all select iin from run.marts.mse_queue
        union all select iin from run.marts.mse_findings
        union all select iin from run.marts.payout_schedule
        """,
    )
    units = (
        "inner join run.staging.stg_disability_terms as terms using (term_id)"
        " left join extended_people as names on rows.iin = names.iin"
        " left join run.facts.people as people on rows.iin = people.iin"
    )
    unit = f"coalesce(terms.mse_unit, '{source.words('label.no_unit')}') as unit"
    _ordered(
        source,
        "extended_awards",
        "region_kato, outcome",
        "old_period_end, name nulls last, award_id",
        """
        select rows.*, awards.applicant_iin as iin, names.name,
            coalesce(places.region_kato, people.region_kato, 'unassigned')
                as region_kato
        from run.marts.asp_extensions as rows
        inner join run.staging.stg_asp_awards as awards using (award_id)
        left join run.facts.territories as places on awards.kato = places.kato
        left join extended_people as names on awards.applicant_iin = names.iin
        left join run.facts.people as people on awards.applicant_iin = people.iin
        """,
    )
    region = "coalesce(people.region_kato, 'unassigned') as region_kato"
    for table, mart, more in (
        ("extended_terms", "disability_extensions", ""),
        ("queued", "mse_queue", ", terms.kind, terms.category"),
        ("examined", "mse_findings", ", terms.kind, terms.category"),
    ):
        not_ok = "where rows.outcome <> 'ok'" if table == "examined" else ""
        order = {"extended_terms": "new_valid_until nulls last,"}.get(table, "due_on,")
        _ordered(
            source,
            table,
            "region_kato, unit",
            f"{order} name nulls last, term_id, all_columns",
            f"select rows.*, names.name, {unit}, {region}{more},"
            " to_json(rows)::varchar as all_columns"
            f" from run.marts.{mart} as rows {units} {not_ok}",
        )
    _ordered(
        source,
        "payouts",
        "region_kato, benefit",
        "month, name nulls last, award_id",
        f"""
        select rows.*, names.name, {region}, terms.new_valid_until
        from run.marts.payout_schedule as rows
        left join (
            select iin, kind, max(new_valid_until) as new_valid_until
            from run.marts.disability_extensions where outcome = 'extended'
            group by iin, kind
        ) as terms
            on rows.iin = terms.iin and terms.kind = case rows.benefit
                when 'disability_allowance' then 'disability'
                else 'general_capacity_loss' end
        left join extended_people as names on rows.iin = names.iin
        left join run.facts.people as people on rows.iin = people.iin
        """,
    )


def _ordered(source: Source, table: str, groups: str, order: str, query: str) -> None:
    """Make a working table: rows numbered in their groups, placed one after another."""
    source.connection.execute(
        f"""
        create or replace table {table} as
        select
            *,
            row_number() over (partition by {groups} order by {order}) as number,
            row_number() over (order by {groups}, {order}) - 1 as place
        from ({query})
        """
    )
