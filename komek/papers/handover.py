"""p28, p30: what is handed over to whom, per district and contract, to be signed.

A sheet has every set that is allocated to its contract: first those to hand over, with
room for day, signatures, attempt and reason, then those that were handed over before.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from komek.papers.paper import BLANK, Column, Kind, Paper, Section, Signature, Table
from komek.papers.source import Region, Source

_PARAGRAPHS = ("p28", "p30")


def handover_papers(source: Source) -> Iterator[Paper]:
    """Yield the hand-over sheets of each published region whose sets are in kind."""
    if not source.is_planned:
        return
    _gather(source)
    words = source.words
    for region in source.published:
        counts = _counts(source, region)
        if not counts["allocated"] + counts["unallocated"]:
            continue
        yield source.paper(
            "handover",
            words("title.handover"),
            source.head(_PARAGRAPHS, region),
            region,
            tables=[
                _by_contract(source, region),
                Table(
                    words("table.totals"),
                    (),
                    [(words(f"count.{name}"), n) for name, n in counts.items()],
                ),
            ],
            sections=_sections(source, region),
            signatures=[
                Signature(words(f"sign.{role}"))
                for role in ("handed_out", "courier", "accepted")
            ],
        )


def _sections(source: Source, region: Region) -> list[Section]:
    words = source.words
    before: Any = None
    sections = []
    for code, district, contract, bin_, signed, price, *sheet in source.slices(
        f"(from handover where region_kato = '{region.kato}')",
        "district_kato, district, contract_id, supplier_bin, signed_on, price,"
        " is_delivered",
    ):
        is_delivered, first, rows = sheet
        sections.append(
            Section(
                words(
                    "section.handed_over" if is_delivered else "section.to_hand_over",
                    district=district,
                ),
                _columns(source, delivered=is_delivered),
                "handover",
                first,
                rows,
                [(words("total.sets"), rows), (words("total.amount"), price * rows)],
                breaks=(code, contract) != before,
                notes=[
                    words(
                        "note.contract",
                        contract=contract or "—",
                        bin=bin_ or "—",
                        signed=f"{signed:%d.%m.%Y}" if signed else "—",
                    ),
                    words("note.contents", act=_act(source, region)),
                    words("note.price", price=f"{price}".replace(".", ",")),
                ],
            )
        )
        before = (code, contract)
    # Both lists of a district and contract are one sheet: it is signed once.
    following = [*sections[1:], None]
    return [
        replace(one, is_signed=after is None or after.breaks)
        for one, after in zip(sections, following, strict=True)
    ]


def _columns(source: Source, delivered: bool) -> list[Column]:
    words = source.words
    person = [
        Column("№", 5, "number", Kind.COUNT),
        Column(words("heading.name"), 24, "name", is_free=True),
        Column(words("heading.iin"), 14, "iin"),
        Column(words("heading.place"), 30, "place_text", is_free=True),
    ]
    what = [
        Column(words("heading.contents"), 30, "contents", is_free=True, on="sheet"),
        Column(words("heading.price"), 12, "price", Kind.AMOUNT, on="sheet"),
        Column(words("heading.contract"), 16, "contract_id", is_free=True, on="sheet"),
    ]
    phone = Column(words("heading.phone"), 14, "phone", is_free=True)
    if delivered:
        return [
            *person,
            phone,
            *what,
            Column(words("heading.delivered_on"), 12, "delivered_on", Kind.DATE),
        ]
    return [
        *person,
        phone,
        *what,
        Column(words("heading.handover_on"), 10, BLANK),
        Column(words("heading.recipient_signature"), 12, BLANK),
        Column(words("heading.courier_signature"), 12, BLANK),
        Column(words("heading.attempt"), 8, "attempt::varchar"),
        Column(words("heading.why_not"), 14, BLANK),
    ]


def _gather(source: Source) -> None:
    """Make `handover`: the sets in kind that a contract is there for."""
    words = source.words
    katos = [region.kato for region in source.published]
    source.name_people(
        "handover_people",
        "select iin from run.marts.delivery_plan where allocation = 'allocated'"
        " and list_no is not null and list_contains($katos, region_kato)",
        katos=katos,
    )
    source.connection.execute(
        f"""
        create or replace table handover as
        with phones as (
            select iin, arg_max(phone, (submitted_on, application_id)) as phone
            from run.facts.applications
            where phone is not null
            group by iin
        ),
        tried as (
            select
                iin,
                count(*) filter (where status = 'failed') as failed,
                max(delivered_on) filter (where status = 'delivered') as delivered_on
            from run.facts.deliveries
            where list_month = $month
            group by iin
        ),
        acts as (
            select norms.region_kato, registered.act_ref
            from run.facts.region_norms as norms
            inner join run.staging.stg_food_set_norms as registered
                on norms.norm_id = registered.norm_id
        ),
        sets as (
            select
                plan.region_kato,
                lists.district_kato,
                coalesce({source.place_sql("districts", "lists.district_kato")},
                    lists.district_kato, $no_district) as district,
                plan.contract_id,
                contracts.supplier_bin,
                contracts.signed_on,
                plan.amount as price,
                plan.delivery_status = 'delivered' as is_delivered,
                people.name,
                plan.iin,
                concat_ws(', ', people.settlement, people.address) as place_text,
                people.settlement,
                plan.primary_ground,
                phones.phone,
                acts.act_ref as contents,
                case when plan.delivery_status = 'delivered' then tried.delivered_on end
                    as delivered_on,
                coalesce(tried.failed, 0) + 1 as attempt
            from run.marts.delivery_plan as plan
            inner join run.marts.food_set_lists as lists using (list_month, iin)
            left join handover_people as people on plan.iin = people.iin
            left join run.facts.territories as districts
                on lists.district_kato = districts.kato
            left join run.facts.supply_contracts as contracts
                on plan.contract_id = contracts.contract_id
            left join phones on plan.iin = phones.iin
            left join tried on plan.iin = tried.iin
            left join acts on plan.region_kato = acts.region_kato
            where
                plan.allocation = 'allocated'
                and plan.list_no is not null
                and list_contains($katos, plan.region_kato)
        ),
        numbered as (
            select
                *,
                row_number() over (
                    partition by region_kato, district_kato, contract_id, is_delivered
                    order by settlement nulls first, name nulls last, iin,
                        primary_ground
                ) as number
            from sets
        )
        select
            *,
            row_number() over (
                order by region_kato, district_kato nulls first,
                    contract_id nulls last, is_delivered, number
            ) - 1 as place
        from numbered
        """,
        {
            "month": source.month,
            "katos": katos,
            "no_district": words("place.no_district"),
        },
    )


def _act(source: Source, region: Region) -> str:
    """Return the act that decided what the region's set is."""
    acts = source.rows(
        "select registered.act_ref from run.facts.region_norms as norms"
        " inner join run.staging.stg_food_set_norms as registered using (norm_id)"
        " where norms.region_kato = $region",
        {"region": region.kato},
    )
    return str(acts[0][0]) if acts else "—"


def _counts(source: Source, region: Region) -> dict[str, int]:
    """Return how the sets of the month add up: those of the settlement."""
    names = ("allocated", "handed_over", "to_hand_over", "unallocated", "withdrawn")
    (counts,) = source.rows(
        """
        select
            count(*) filter (where allocation = 'allocated'),
            count(*) filter (
                where allocation = 'allocated' and delivery_status = 'delivered'),
            count(*) filter (
                where allocation = 'allocated' and delivery_status <> 'delivered'),
            count(*) filter (where allocation = 'unallocated'),
            count(*) filter (where allocation = 'withdrawn' and mode = 'in_kind')
        from run.marts.delivery_plan
        where region_kato = $region and list_no is not null
        """,
        {"region": region.kato},
    )
    return dict(zip(names, counts, strict=True))


def _by_contract(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        "select coalesce(contract_id, '—'), coalesce(supplier_bin, '—'), count(*),"
        " count(*) filter (where is_delivered),"
        " count(*) filter (where not is_delivered),"
        " sum(price)::decimal(18, 2)"
        f" from handover where region_kato = '{region.kato}'"
        " group by contract_id, supplier_bin order by contract_id nulls last"
    )
    names = (
        "contract",
        "supplier_bin",
        "sets",
        "handed_over",
        "to_hand_over",
        "amount",
    )
    return Table(
        words("table.contracts"), [words(f"heading.{name}") for name in names], rows
    )
