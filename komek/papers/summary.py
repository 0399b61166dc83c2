"""The ministry's consolidated report on the whole country; it names no person."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from komek.papers.paper import Cell, Paper, Signature, Table
from komek.papers.source import Source


def summary_papers(source: Source) -> Iterator[Paper]:
    """Yield the consolidated report."""
    words = source.words
    yield source.paper(
        "summary",
        words("title.summary"),
        [*source.head(()), (words("fact.control"), words("fact.article_3"))],
        tables=[
            _settlement(source),
            _status(source),
            _grounds(source),
            _asp(source),
            _terms(source),
            _payouts(source),
            _deadlines(source),
            _findings(source),
            _registers(source),
        ],
        signatures=[
            Signature(words("sign.vice_minister")),
            Signature(words("sign.department")),
        ],
    )


def _table(
    source: Source,
    title: str,
    names: Sequence[str],
    rows: Sequence[Sequence[Cell | None]],
    total: bool = True,
) -> Table:
    """Return a table; its total adds up whatever is a number in every row."""
    words = source.words
    filled: list[list[Cell]] = [
        ["—" if value is None else value for value in row] for row in rows
    ]
    if total and filled:
        filled.append(
            [_total(words("label.total"), place, filled) for place in range(len(names))]
        )
    return Table(
        words(f"table.{title}"), [words(f"heading.{name}") for name in names], filled
    )


def _total(said: str, place: int, rows: Sequence[Sequence[Cell]]) -> Cell:
    if place == 0:
        return said
    column = [row[place] for row in rows]
    amounts = [value for value in column if isinstance(value, Decimal)]
    if len(amounts) == len(column):
        return sum(amounts, Decimal(0))
    counts = [value for value in column if isinstance(value, int)]
    return sum(counts) if len(counts) == len(column) else ""


def _settlement(source: Source) -> Table:
    names = {region.kato: region.name for region in source.regions}
    columns = (
        "listed",
        "ended",
        "sets",
        "delivered",
        "failed",
        "returned",
        "outstanding",
        "withdrawn",
        "amount_delivered",
    )
    rows = source.rows(
        f"select region_kato, {', '.join(columns)} from run.marts.list_reconciliation"
        " where list_month = $month order by region_kato",
        {"month": source.month},
    )
    return _table(
        source,
        "settlement",
        ("region", *columns),
        [(names.get(kato, kato), *counts) for kato, *counts in rows],
    )


def _status(source: Source) -> Table:
    words = source.words
    names = {region.kato: region.name for region in source.regions}
    rows = source.rows(
        f"""
        select
            status.region_kato,
            {words.sql("mode", "norms.mode")},
            status.recipients,
            status.amount_total,
            status.norm_cost,
            status.floor_cost,
            {words.sql("code", "status.publication")},
            status.blocked_by
        from run.marts.region_status as status
        left join run.facts.region_norms as norms
            on status.region_kato = norms.region_kato
        order by status.region_kato
        """
    )
    return _table(
        source,
        "regions",
        ("region", "mode", "recipients", "amount", "norm", "floor", "list", "cause"),
        [
            (names.get(kato, kato), *figures, words.known("reason", blocked_by))
            for kato, *figures, blocked_by in rows
        ],
        total=False,
    )


def _grounds(source: Source) -> Table:
    ground = source.words.sql("ground", "lists.primary_ground")
    mode = source.words.sql("mode", "plan.mode")
    rows = source.rows(
        f"""
        select
            {ground},
            coalesce({mode}, '—'),
            count(distinct lists.iin),
            count(*),
            coalesce(sum(plan.amount), 0)::decimal(18, 2),
            count(*) filter (where plan.delivery_status = 'delivered')
        from run.marts.delivery_plan as plan
        inner join run.marts.food_set_lists as lists using (list_month, iin)
        where plan.list_month = $month and plan.list_no is not null
        group by lists.primary_ground, plan.mode
        order by lists.primary_ground, plan.mode nulls last
        """,
        {"month": source.month},
    )
    return _table(
        source,
        "grounds",
        ("ground", "mode", "people", "sets", "amount", "delivered"),
        rows,
    )


def _asp(source: Source) -> Table:
    words = source.words
    rows = source.rows(
        f"select {words.sql('outcome', 'outcome')}, {words.sql('reason', 'reason')},"
        " count(*), sum(monthly_amount)::decimal(18, 2),"
        " count(*) filter (where review_reasons <> '')"
        " from run.marts.asp_extensions group by outcome, reason"
        " order by outcome, reason nulls first"
    )
    return _table(
        source,
        "asp",
        ("outcome", "reason", "awards", "monthly_amount", "to_review"),
        rows,
    )


def _terms(source: Source) -> Table:
    words = source.words
    rows = source.rows(
        f"select {words.sql('code', 'kind')}, {words.sql('outcome', 'outcome')},"
        f" {words.sql('reason', 'reason')}, count(*)"
        " from run.marts.disability_extensions group by kind, outcome, reason"
        " order by kind, outcome, reason nulls first"
    )
    return _table(source, "terms", ("kind", "outcome", "reason", "rows"), rows)


def _payouts(source: Source) -> Table:
    benefit = source.words.sql("code", "benefit")
    rows = source.rows(
        f"select {benefit}, strftime(month, '%m.%Y'), count(*),"
        " sum(amount)::decimal(18, 2), sum(paid_amount)::decimal(18, 2),"
        " sum(due_amount)::decimal(18, 2), sum(overpaid_amount)::decimal(18, 2)"
        " from run.marts.payout_schedule as payouts group by benefit, payouts.month"
        " order by benefit, payouts.month"
    )
    names = ("benefit", "month", "payouts", "amount", "paid", "due", "overpaid")
    return _table(source, "payouts", names, rows)


def _deadlines(source: Source) -> Table:
    rows = source.rows(
        f"select {source.words.sql('code', 'step')}, substring(paragraph, 2), count(*),"
        " count(*) filter (where status = 'met'),"
        " count(*) filter (where status = 'late'),"
        " count(*) filter (where status = 'open'),"
        " count(*) filter (where status = 'overdue')"
        " from run.marts.case_deadlines group by step, paragraph"
        " order by substring(paragraph, 2)::integer, step"
    )
    names = ("step", "paragraph", "rows", "met", "late", "open", "overdue")
    return _table(source, "deadlines", names, rows)


def _findings(source: Source) -> Table:
    rows = source.rows(
        """
        select finding, substring(paragraph, 2), count(*) as found from (
            select finding, paragraph from run.marts.application_findings
            union all select finding, paragraph from run.marts.jobseeker_findings
            union all select finding, paragraph from run.marts.mse_findings
            where outcome = 'finding'
            union all select finding, paragraph from run.marts.delivery_findings
            union all select finding, paragraph from run.marts.contract_findings
        )
        group by finding, paragraph
        order by substring(paragraph, 2)::integer, finding
        """
    )
    return _table(
        source,
        "findings",
        ("finding", "paragraph", "rows"),
        [(_finding(source, code), number, found) for code, number, found in rows],
    )


def _finding(source: Source, code: str) -> str:
    words = source.words
    said = words.known("finding", code)
    return said if said != code else words.known("reason", code)


def _registers(source: Source) -> Table:
    rows = source.rows(
        f"select {source.words.sql('entity', 'entity')}, snapshot_date, rows_received,"
        " rows_accepted, rows_quarantined, rows_duplicate"
        " from run.marts.snapshot_use order by entity"
    )
    names = (
        "register",
        "snapshot",
        "received",
        "accepted",
        "quarantined",
        "duplicates",
    )
    return _table(source, "registers", names, rows)
