"""p27–p30: a month settled: sets, prices, contracts, deliveries astray."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from komek.papers.paper import Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Region, Source

_PARAGRAPHS = ("p27", "p28", "p29", "p30")
_COUNTS = (
    "listed",
    "ended",
    "sets",
    "delivered",
    "failed",
    "returned",
    "outstanding",
    "withdrawn",
)
_FINDINGS = ("not_on_list", "repeated", "after_death")


def reconciliation_papers(source: Source) -> Iterator[Paper]:
    """Yield the settlement of the month of each region that has lists or findings."""
    _gather(source)
    words = source.words
    for region in source.regions:
        parts = source.slices(
            f"(from found where region_kato = '{region.kato}')", "region_kato"
        )
        settled = source.rows(
            f"select {', '.join(_COUNTS)}, amount_delivered"
            " from run.marts.list_reconciliation"
            " where list_month = $month and region_kato = $region",
            {"month": source.month, "region": region.kato},
        )
        if not settled and not parts:
            continue
        yield source.paper(
            "reconciliation",
            words("title.reconciliation"),
            source.head(_PARAGRAPHS, region),
            region,
            tables=[
                _settlement(source, region, settled),
                _prices(source, region),
                _contracts(source, region),
                _contract_findings(source, region),
                _recovery(source, region),
            ],
            sections=[_section(source, first, rows) for _, first, rows in parts],
            signatures=[
                Signature(words(f"sign.{role}"))
                for role in ("head", "made_by", "supplier")
            ],
        )


def _settlement(
    source: Source, region: Region, settled: list[tuple[Any, ...]]
) -> Table:
    words = source.words
    ((entitled, planned),) = source.rows(
        """
        select
            (select count(*) from run.marts.food_set_lists
            where list_month = $month and region_kato = $region
                and list_no is not null and standing = 'entitled'),
            (select count(*) from run.marts.delivery_plan
            where list_month = $month and region_kato = $region
                and list_no is not null and allocation in ('allocated', 'account'))
        """,
        {"month": source.month, "region": region.kato},
    )
    values = settled[0] if settled else (*(0 for _ in _COUNTS), Decimal("0.00"))
    found = dict(zip(_COUNTS, values, strict=False))
    rows = [("entitled", entitled), *found.items()]
    if source.is_planned:
        rows.insert(4, ("planned", planned))
    return Table(
        words("table.settlement"),
        (),
        [
            *((words(f"count.{name}"), number) for name, number in rows),
            (words("count.amount_delivered"), values[-1]),
        ],
    )


def _prices(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        """
        select
            status.norm_cost,
            status.floor_cost,
            (select min(set_cost) from run.facts.supply_contracts
            where region_kato = $region),
            (select max(set_cost) from run.facts.supply_contracts
            where region_kato = $region),
            delivered.least,
            delivered.most
        from run.marts.region_status as status
        left join (
            select min(deliveries.amount) as least, max(deliveries.amount) as most
            from run.facts.deliveries as deliveries
            inner join run.marts.food_set_lists as lists using (list_month, iin)
            where deliveries.status = 'delivered'
                and lists.region_kato = $region and lists.list_month = $month
        ) as delivered on true
        where status.region_kato = $region
        """,
        {"region": region.kato, "month": source.month},
    )
    names = (
        "norm",
        "floor",
        "contract_least",
        "contract_most",
        "delivered_least",
        "delivered_most",
    )
    values = rows[0] if rows else (None,) * len(names)
    return Table(
        words("table.prices"),
        (),
        [
            (words(f"price.{name}"), "—" if value is None else value)
            for name, value in zip(names, values, strict=True)
        ],
    )


def _contracts(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        """
        with planned as (
            select contract_id, count(*) as sets from run.marts.delivery_plan
            where region_kato = $region and list_month = $month
                and list_no is not null and allocation in ('allocated', 'account')
            group by contract_id
        ),
        delivered as (
            select
                deliveries.contract_id,
                count(*) filter (where status = 'delivered') as sets,
                count(*) filter (where status = 'returned') as returned,
                coalesce(sum(case status when 'delivered' then amount
                    when 'returned' then -amount end), 0) as amount
            from run.facts.deliveries as deliveries
            inner join run.marts.food_set_lists as lists using (list_month, iin)
            where lists.list_month = $month and lists.region_kato = $region
                and lists.list_no is not null
            group by deliveries.contract_id
        ),
        ids as (
            select contract_id from planned
            union select contract_id from delivered
            union select contract_id from run.facts.supply_contracts
            where region_kato = $region
        )
        select
            coalesce(ids.contract_id, $without),
            coalesce(contracts.supplier_bin, '—'),
            coalesce(contracts.sets_total, 0),
            coalesce(contracts.set_cost, 0)::decimal(18, 2),
            coalesce(planned.sets, 0),
            coalesce(delivered.sets, 0),
            coalesce(delivered.returned, 0),
            coalesce(delivered.amount, 0)::decimal(18, 2)
        from ids
        left join run.facts.supply_contracts as contracts
            on ids.contract_id = contracts.contract_id
        left join planned on ids.contract_id is not distinct from planned.contract_id
        left join delivered
            on ids.contract_id is not distinct from delivered.contract_id
        order by ids.contract_id nulls last
        """,
        {
            "region": region.kato,
            "month": source.month,
            "without": source.words("label.without_contract"),
        },
    )
    names = (
        "contract", "supplier_bin", "sets_total", "contract_price", "planned",
        "delivered", "returned", "amount_delivered",
    )  # fmt: skip
    total = (words("label.total"), "", *(sum(row[n] for row in rows) for n in (2,)), "",
             *(sum(row[n] for row in rows) for n in (4, 5, 6, 7)))  # fmt: skip
    return Table(
        words("table.by_contract"),
        [words(f"heading.{name}") for name in names],
        [*rows, total] if rows else [],
    )


def _contract_findings(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        "select contract_id, finding, substring(paragraph, 2)"
        " from run.marts.contract_findings as findings where region_kato = $region"
        " order by findings.contract_id, finding",
        {"region": region.kato},
    )
    return Table(
        words("table.contract_findings"),
        [
            words("heading.contract"),
            words("heading.finding"),
            words("heading.paragraph"),
        ],
        [
            (contract, words.known("finding", code), number)
            for contract, code, number in rows
        ],
    )


def _gather(source: Source) -> None:
    """Make `found`: the faulty deliveries of the run's month, by region."""
    source.name_people("found_people", "select iin from run.marts.delivery_findings")
    source.connection.execute(
        """
        create or replace table found as
        with rows as (
            select
                coalesce(lists.region_kato, contracts.region_kato, people.region_kato,
                    'unassigned') as region_kato,
                findings.delivery_id,
                findings.iin,
                names.name,
                findings.finding,
                deliveries.status,
                deliveries.delivered_on,
                deliveries.contract_id,
                case deliveries.status when 'delivered' then deliveries.amount
                    when 'returned' then -deliveries.amount
                    else 0 end::decimal(18, 2) as amount
            from run.marts.delivery_findings as findings
            inner join run.facts.deliveries as deliveries
                on findings.delivery_id = deliveries.delivery_id
                and deliveries.list_month = $month
            left join run.marts.food_set_lists as lists
                on findings.iin = lists.iin and lists.list_month = $month
            left join run.facts.supply_contracts as contracts
                on deliveries.contract_id = contracts.contract_id
            left join run.facts.people as people on findings.iin = people.iin
            left join found_people as names on findings.iin = names.iin
        )
        select
            *,
            row_number() over (partition by region_kato
                order by finding, delivered_on, delivery_id) as number,
            row_number() over (order by region_kato, finding, delivered_on,
                delivery_id) - 1 as place
        from rows
        """,
        {"month": source.month},
    )


def _recovery(source: Source, region: Region) -> Table:
    """Return what to recover: what went astray, less what the same people gave back."""
    words = source.words
    rows = source.rows(
        """
        with astray as (
            select
                iin,
                finding,
                count(*) as deliveries,
                sum(amount) as amount,
                min(min(delivered_on)) over (partition by iin) as since
            from found
            where region_kato = $region
            group by iin, finding
        ),
        summed as (
            select
                *,
                sum(amount) over (partition by iin order by finding) as until_here
            from astray
        ),
        given_back as (
            select people.iin, sum(deliveries.amount) as amount
            from (select distinct iin, since from astray
                -- Of people who are on no list the returns are findings too.
                where finding <> 'not_on_list') as people
            inner join run.facts.deliveries as deliveries
                on people.iin = deliveries.iin
                and deliveries.list_month = $month
                and deliveries.status = 'returned'
                and deliveries.delivered_on >= people.since
            group by people.iin
        )
        select
            summed.finding,
            sum(summed.deliveries),
            sum(
                greatest(0, until_here - coalesce(given_back.amount, 0))
                - greatest(0, until_here - summed.amount
                    - coalesce(given_back.amount, 0))
            )::decimal(18, 2)
        from summed
        left join given_back using (iin)
        group by summed.finding
        """,
        {"region": region.kato, "month": source.month},
    )
    found = {finding: (int(count), amount) for finding, count, amount in rows}
    none = (0, Decimal("0.00"))
    lines = [
        (words.known("reason", finding), *found.get(finding, none))
        for finding in _FINDINGS
    ]
    total = (
        words("label.total"),
        sum(line[1] for line in lines),
        sum((line[2] for line in lines), Decimal(0)),
    )
    return Table(
        words("table.recovery"),
        [
            words("heading.finding"),
            words("heading.deliveries"),
            words("heading.recover"),
        ],
        [*lines, total],
    )


def _section(source: Source, first: int, rows: int) -> Section:
    words = source.words
    return Section(
        words("section.found"),
        [
            Column("№", 6, "number", Kind.COUNT),
            Column(words("heading.name"), 30, "name", is_free=True),
            Column(words("heading.iin"), 15, "iin"),
            Column(words("heading.delivery"), 18, "delivery_id", is_free=True),
            Column(words("heading.delivered_on"), 12, "delivered_on", Kind.DATE),
            Column(words("heading.contract"), 18, "contract_id", is_free=True),
            Column(
                words("heading.delivery_status"),
                14,
                words.sql("delivery_status", "status"),
            ),
            Column(words("heading.finding"), 28, words.sql("reason", "finding")),
            Column(words("heading.amount"), 14, "amount", Kind.AMOUNT),
        ],
        "found",
        first,
        rows,
        [(words("total.deliveries"), rows)],
    )
