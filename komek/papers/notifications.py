"""p10, p12, p14, p17: who is to be told, over which channel, in which words.

Every text fits one SMS of its own, in both languages: what, until when, by which
paragraph; whom to ask; how to appeal (p11).
"""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from komek.base.database import text_literal
from komek.papers.paper import Column, Kind, Paper, Section, Table
from komek.papers.source import Region, Source
from komek.papers.words import LANGUAGES

MESSAGES = Path(__file__).with_name("messages.csv")
# What an SMS holds in letters beyond the Latin ones.
SMS_LETTERS = 70
_PARTS = 3


@cache
def messages() -> dict[str, dict[str, str]]:
    """Return the texts by key and language; `{day}` is filled in."""
    with MESSAGES.open(encoding="utf-8", newline="") as file:
        return {
            row["key"]: {lang: row[f"text_{lang}"] for lang in LANGUAGES}
            for row in csv.DictReader(file)
        }


def notification_papers(source: Source) -> Iterator[Paper]:
    """Yield the people to tell of each region, a row per person and matter."""
    _gather(source)
    words = source.words
    for region in source.regions:
        parts = source.slices(
            f"(from to_tell where region_kato = '{region.kato}')", "paragraph"
        )
        if not parts:
            continue
        yield source.paper(
            "notifications",
            words("title.notifications"),
            source.head(("p10", "p11", "p12", "p14", "p17"), region),
            region,
            tables=[_by_channel(source, region)],
            sections=[
                Section(
                    words(f"section.tell_{paragraph}"),
                    _columns(source),
                    "to_tell",
                    first,
                    rows,
                    [(words("total.rows"), rows)],
                )
                for paragraph, first, rows in parts
            ],
        )


def _columns(source: Source) -> list[Column]:
    words = source.words
    texts = [
        Column(
            words(f"heading.sms_{lang}", number=number),
            36,
            f"{lang}_{number}",
            on="sheet",
        )
        for lang in LANGUAGES
        for number in range(1, _PARTS + 1)
    ]
    all_parts = range(1, _PARTS + 1)
    on_pages = [
        Column(
            words(f"heading.text_{lang}"),
            44,
            f"concat_ws(chr(10), {', '.join(f'{lang}_{n}' for n in all_parts)})",
            on="page",
        )
        for lang in LANGUAGES
    ]
    return [
        Column("№", 6, "number", Kind.COUNT),
        Column(words("heading.name"), 26, "name", is_free=True),
        Column(words("heading.iin"), 15, "iin"),
        Column(words("heading.phone"), 15, "phone", is_free=True),
        Column(words("heading.channel"), 14, words.sql("code", "channel")),
        Column(words("heading.until"), 12, "until", Kind.DATE),
        Column(words("heading.paragraph"), 8, "substring(paragraph, 2)"),
        *texts,
        *on_pages,
    ]


def _by_channel(source: Source, region: Region) -> Table:
    words = source.words
    rows = source.rows(
        f"select substring(paragraph, 2), {words.sql('code', 'channel')} as said,"
        " count(*) from to_tell where region_kato = $region"
        " group by paragraph, channel order by substring(paragraph, 2)::integer, said",
        {"region": region.kato},
    )
    return Table(
        words("table.channels"),
        [words(f"heading.{name}") for name in ("paragraph", "channel", "rows")],
        rows,
    )


def _gather(source: Source) -> None:
    """Make `to_tell`: people and matters, with what they are told."""
    source.name_people(
        "told_people",
        """
        select iin from run.marts.disability_extensions where outcome = 'extended'
        union all
        select awards.applicant_iin from run.marts.asp_extensions as extensions
        inner join run.facts.asp_awards as awards using (award_id)
        where extensions.outcome = 'extended'
        union all
        select iin from run.facts.applications
        where decided_on is not null and notified_on is null and iin is not null
        """,
    )
    source.connection.execute(
        f"""
        create or replace table to_tell as
        with matters as (
            select
                case when services.is_asp then 'p14' else 'p10' end as paragraph,
                applications.iin,
                coalesce(registered.decision, 'decided') as matter,
                applications.submitted_on as day,
                null::date as until,
                coalesce(split_part(services.addressee, '|', 1),
                    applications.addressee, 'local_executive_body') as office,
                applications.application_id
            from run.law.governed_applications as applications
            inner join run.staging.stg_applications as registered using (application_id)
            left join run.law.services as services
                on applications.service_code = services.service_code
            where
                applications.decided_on is not null
                and applications.notified_on is null
            union all
            select 'p12', awards.applicant_iin, 'extended',
                extensions.new_period_end, extensions.new_period_end,
                'local_executive_body', null
            from run.marts.asp_extensions as extensions
            inner join run.facts.asp_awards as awards using (award_id)
            where extensions.outcome = 'extended'
            union all
            select distinct 'p17', iin, kind, new_valid_until, new_valid_until,
                'mse_department', null
            from run.marts.disability_extensions
            where outcome = 'extended'
        ),
        latest as (
            select iin, arg_max(phone, (submitted_on, application_id)) as phone
            from run.facts.applications
            where phone is not null
            group by iin
        ),
        reached as (
            select
                matters.*,
                coalesce(own.phone, latest.phone) as phone,
                coalesce(names.name, concat_ws(' ', own.last_name, own.first_name))
                    as name,
                coalesce(people.region_kato, places.region_kato, 'unassigned')
                    as region_kato
            from matters
            left join run.facts.applications as own
                on matters.application_id = own.application_id
            left join latest on matters.iin = latest.iin
            left join told_people as names on matters.iin = names.iin
            left join run.facts.people as people on matters.iin = people.iin
            left join run.facts.territories as places on own.region_kato = places.kato
            where people.death_date is null
        ),
        told as (
            select
                *,
                case
                    when length(regexp_replace(phone, '[^0-9]', '', 'g')) >= 10
                        then 'sms'
                    when paragraph = 'p10' then 'service_reply'
                    else 'cabinet'
                end as channel,
                {_texts()}
            from reached
        )
        select
            *,
            row_number() over (
                partition by region_kato, paragraph
                order by until nulls first, name nulls last, iin, day, matter,
                    application_id
            ) as number,
            row_number() over (
                order by region_kato, substring(paragraph, 2)::integer,
                    until nulls first, name nulls last, iin, day, matter,
                    application_id
            ) - 1 as place
        from told
        """
    )


def _texts() -> str:
    """Return SQL for the columns of the texts, `ru_1` to `kk_3`."""
    day = "strftime(day, '%d.%m.%Y')"
    columns = []
    for lang in LANGUAGES:
        said = (
            ("what", "concat('what.', paragraph, '.', matter)"),
            ("ask", "concat('ask.', office)"),
            ("appeal", "'appeal'"),
        )
        for number, (kind, key) in enumerate(said, 1):
            cases = " ".join(
                f"when {text_literal(one)} then {text_literal(texts[lang])}"
                for one, texts in messages().items()
                if one.split(".")[0] == kind
            )
            text = f"replace(case {key} {cases} end, '{{day}}', {day})"
            columns.append(f"concat('{number}/{_PARTS} ', {text}) as {lang}_{number}")
    return ", ".join(columns)
