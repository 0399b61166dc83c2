"""p29: what a region pays to whose account: a register, and a file for the bank.

What was delivered by the run's day is paid already; whoever has no account stands on a
worklist. The bank's file has what is still to pay, and nothing else.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from komek.base.errors import KomekError
from komek.papers import pain001
from komek.papers.paper import (
    Attachment,
    Cell,
    Column,
    Kind,
    Paper,
    Section,
    Signature,
    Table,
)
from komek.papers.payer import Payer, payer_of
from komek.papers.source import Region, Source

_PARAGRAPHS = ("p29",)
_STATES = ("to_pay", "paid", "no_account")


def payment_papers(source: Source) -> Iterator[Paper | Attachment]:
    """Yield the register and the bank's files of each published region paid in money.

    Raises:
        UsageError: the payer's configuration lacks something.
    """
    if not source.is_planned:
        return
    paid = {
        kato
        for (kato,) in source.rows(
            "select distinct region_kato from run.marts.delivery_plan"
            " where mode = 'cash' and list_no is not null"
        )
    }
    regions = [region for region in source.published if region.kato in paid]
    # Before any file is there: half of the regions' would be taken for all.
    payers = {region.kato: payer_of(region.kato) for region in regions}
    if regions:
        _gather(source, [region.kato for region in regions])
    for region in regions:
        payer = payers[region.kato]
        messages = []
        for message, content in _messages(source, region, payer):
            messages.append(message)
            yield Attachment(_file(source, region, message), region.kato, content)
        yield _register(source, region, payer, messages)


def _file(source: Source, region: Region, message: pain001.Message) -> str:
    return f"pain001-{region.kato}-{source.month:%Y-%m}-{message.number:02}.xml"


def _register(
    source: Source, region: Region, payer: Payer, messages: list[pain001.Message]
) -> Paper:
    words = source.words
    facts: list[tuple[str, Cell]] = [
        *source.head(_PARAGRAPHS, region),
        (words("fact.payer"), payer.name),
        (words("fact.payer_account"), f"{payer.bin}, {payer.iban}, {payer.bic}"),
        (words("fact.knp"), f"{payer.kod} / {payer.kbe} / {payer.knp}"),
        (words("fact.purpose"), _purpose(source, payer)),
        (words("fact.pay_on"), _pay_on(source)),
    ]
    parts = {
        state: (first, rows)
        for state, first, rows in source.slices(
            f"(from payments where region_kato = '{region.kato}')", "state"
        )
    }
    sections = [
        _section(source, state, *parts[state]) for state in _STATES if state in parts
    ]
    return source.paper(
        "payments",
        words("title.payments"),
        facts,
        region,
        tables=[_totals(source, region), _files(source, region, messages)],
        sections=sections,
        signatures=[
            Signature(words(f"sign.{role}"))
            for role in ("head", "accountant", "made_by")
        ],
    )


def _section(source: Source, state: str, first: int, rows: int) -> Section:
    words = source.words
    person = [
        Column("№", 6, "number", Kind.COUNT),
        Column(words("heading.name"), 30, "name", is_free=True),
        Column(words("heading.iin"), 15, "iin"),
    ]
    amount = Column(words("heading.amount"), 14, "amount", Kind.AMOUNT)
    account = [
        Column(words("heading.owner"), 28, "owner", is_free=True),
        Column(words("heading.owner_iin"), 15, "account_iin"),
        Column(words("heading.iban"), 25, "iban"),
    ]
    worklist = [
        Column(words("heading.birth_date"), 12, "birth_date", Kind.DATE),
        Column(words("heading.place"), 36, "place_text", is_free=True),
        Column(words("heading.phone"), 16, "phone", is_free=True),
        Column(words("heading.to_do"), 34, f"'{words('label.no_account')}'"),
    ]
    ((total,),) = source.rows(
        f"select coalesce(sum(amount), 0)::decimal(18, 2) from payments"
        f" where place >= {first} and place < {first + rows}"
    )
    return Section(
        words(f"section.{state}"),
        [*person, *(worklist if state == "no_account" else account), amount],
        "payments",
        first,
        rows,
        [(words("total.people"), rows), (words("total.amount"), total)],
    )


def _gather(source: Source, katos: list[str]) -> None:
    """Make `payments`: the sets paid in money, by state."""
    source.name_people(
        "payment_people",
        "select unnest([iin, account_iin]) as iin from run.marts.delivery_plan"
        " where mode = 'cash' and list_contains($katos, region_kato)",
        katos=katos,
    )
    source.connection.execute(
        """
        create or replace table payments as
        with phones as (
            select iin, arg_max(phone, (submitted_on, application_id)) as phone
            from run.facts.applications
            where phone is not null
            group by iin
        ),
        sets as (
            select
                plan.region_kato,
                case
                    when plan.delivery_status = 'delivered' then 'paid'
                    when plan.allocation = 'no_account' then 'no_account'
                    else 'to_pay'
                end as state,
                plan.iin,
                people.name,
                people.birth_date,
                concat_ws(', ', people.settlement, people.address) as place_text,
                phones.phone,
                plan.iban,
                plan.account_iin,
                owners.name as owner,
                plan.primary_ground,
                plan.amount
            from run.marts.delivery_plan as plan
            left join payment_people as people on plan.iin = people.iin
            left join payment_people as owners on plan.account_iin = owners.iin
            left join phones on plan.iin = phones.iin
            where
                plan.allocation in ('account', 'no_account')
                and plan.list_no is not null
                and list_contains($katos, plan.region_kato)
        ),
        numbered as (
            select
                *,
                row_number() over (
                    partition by region_kato, state
                    order by name nulls last, iin, primary_ground
                ) as number
            from sets
        )
        select
            *,
            row_number() over (order by region_kato, state, number) - 1 as place
        from numbered
        """,
        {"katos": katos},
    )


def _messages(
    source: Source, region: Region, payer: Payer
) -> Iterator[tuple[pain001.Message, bytes]]:
    """Yield the bank's messages, a part of the payments at a time.

    Raises:
        KomekError: they do not add up to what is to pay.
    """
    batch = pain001.Batch(
        payer,
        f"{source.code.replace('-', '')}{region.kato[:2]}{source.month:%y%m}",
        _purpose(source, payer),
        source.as_of,
        _pay_on(source),
    )
    to_pay = f"from payments where region_kato = '{region.kato}' and state = 'to_pay'"
    ((first, count, wanted),) = source.rows(
        "select min(place), count(*), coalesce(sum(amount), 0)::decimal(18, 2) "
        + to_pay
    )
    total = Decimal(0)
    for number, start in enumerate(range(0, count, pain001.MOST), 1):
        rows = source.rows(
            f"select iban, owner, account_iin, name, iin, amount {to_pay}"
            " and place >= $first and place < $end order by place",
            {"first": first + start, "end": first + start + pain001.MOST},
        )
        payments = [
            pain001.Payment(
                iban,
                pain001.Person(owner or "", owner_iin),
                pain001.Person(name or "", iin) if iin != owner_iin else None,
                amount,
            )
            for iban, owner, owner_iin, name, iin, amount in rows
        ]
        message, content = pain001.message(batch, number, payments)
        total += message.total
        yield message, content
    if total != wanted:
        raise KomekError(f"pain.001 of region {region.kato} does not add up")


def _purpose(source: Source, payer: Payer) -> str:
    """Return the wording of the purpose, with the month where it asks for it."""
    said = payer.purpose.replace("{month}", source.words.month(source.month))
    return said[:140]


def _pay_on(source: Source) -> date:
    """Return the first working day after the run's."""
    ((day,),) = source.rows(
        "select min(calendar_on) from run.facts.working_days"
        " where is_working and calendar_on > $as_of",
        {"as_of": source.as_of},
    )
    return day or source.as_of + timedelta(days=1)


def _totals(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        """
        select
            case
                when allocation = 'withdrawn' then 'withdrawn'
                when delivery_status = 'delivered' then 'paid'
                when allocation = 'no_account' then 'no_account'
                else 'to_pay'
            end as state,
            count(*),
            coalesce(sum(amount), 0)::decimal(18, 2)
        from run.marts.delivery_plan
        where region_kato = $region and list_no is not null and mode = 'cash'
        group by 1
        """,
        {"region": region.kato},
    )
    found = {state: (sets, amount) for state, sets, amount in rows}
    states = [state for state in (*_STATES, "withdrawn") if state in found]
    return Table(
        words("table.totals"),
        [words("heading.state"), words("heading.sets"), words("heading.amount")],
        [
            *((words(f"section.{state}"), *found[state]) for state in states),
            (
                words("label.total"),
                sum(sets for sets, _ in found.values()),
                sum((amount for _, amount in found.values()), Decimal(0)),
            ),
        ],
    )


def _files(source: Source, region: Region, messages: list[pain001.Message]) -> Table:
    words = source.words
    return Table(
        words("table.bank_files"),
        [
            words("heading.file"),
            words("heading.payments"),
            words("heading.control_sum"),
        ],
        [
            (
                _file(source, region, message),
                message.payments,
                message.total,
            )
            for message in messages
        ],
    )
