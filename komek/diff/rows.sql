-- What a run (attached as `run`) says of each person, award, month of an award and term:
-- a row per table and key, with the columns that make a difference as a map, and the
-- tenge that are added up. The list month is the run's, not a person's, and not told.
insert into told
with food_set_recipients as (
    select
        'food_set_recipients' as table_name,
        'person' as what,
        iin as key,
        iin,
        region_kato as own_region_kato,
        coalesce(set_cost, 0) as amount,
        primary_ground as set_of,
        cast({
            'region_kato': region_kato,
            'district_kato': district_kato,
            'primary_ground': primary_ground,
            'grounds': grounds,
            'mode': mode,
            'set_cost': set_cost
        } as map(varchar, varchar)) as columns
    from run.marts.food_set_recipients
),

asp_extensions as (
    select
        'asp_extensions' as table_name,
        'award' as what,
        extensions.award_id as key,
        awards.applicant_iin as iin,
        null as own_region_kato,
        null as amount,
        null as set_of,
        cast({
            'family_id': extensions.family_id,
            'outcome': extensions.outcome,
            'reason': extensions.reason,
            'review_reasons': extensions.review_reasons,
            'old_period_start': extensions.old_period_start,
            'old_period_end': extensions.old_period_end,
            'new_period_start': extensions.new_period_start,
            'new_period_end': extensions.new_period_end,
            'monthly_amount': extensions.monthly_amount
        } as map(varchar, varchar)) as columns
    from run.marts.asp_extensions as extensions
    left join run.law.p12_asp_extension as awards
        on extensions.award_id = awards.award_id
),

payout_schedule as (
    select
        'payout_schedule' as table_name,
        'award' as what,
        concat(award_id, '|', month) as key,
        iin,
        null as own_region_kato,
        coalesce(amount, 0) as amount,
        null as set_of,
        cast({
            'benefit': benefit,
            'basis': basis,
            'amount': amount,
            'paid_amount': paid_amount,
            'due_amount': due_amount,
            'overpaid_amount': overpaid_amount,
            'pay_on': pay_on
        } as map(varchar, varchar)) as columns
    from run.marts.payout_schedule
),

disability_extensions as (
    select
        'disability_extensions' as table_name,
        'term' as what,
        term_id as key,
        iin,
        null as own_region_kato,
        null as amount,
        null as set_of,
        cast({
            'kind': kind,
            'category': category,
            'outcome': outcome,
            'reason': reason,
            'old_valid_until': old_valid_until,
            'new_valid_until': new_valid_until
        } as map(varchar, varchar)) as columns
    from run.marts.disability_extensions
),

all_rows as (
    select * from food_set_recipients
    union all
    select * from asp_extensions
    union all
    select * from payout_schedule
    union all
    select * from disability_extensions
),

by_key as (
    select
        all_rows.table_name,
        all_rows.what,
        all_rows.key,
        min(all_rows.iin) as iin,
        min(
            coalesce(all_rows.own_region_kato, people.region_kato, 'unassigned')
        ) as region_kato,
        sum(all_rows.amount) as amount,
        list(all_rows.columns order by all_rows.set_of) as sets
    from all_rows
    left join run.facts.people as people on all_rows.iin = people.iin
    group by all_rows.table_name, all_rows.what, all_rows.key
)

-- A person's sets (policy one_per_ground) are told together, ground by ground.
select
    $state as state,
    table_name,
    what,
    key,
    iin,
    region_kato,
    amount,
    case
        when len(sets) = 1 then sets[1]
        else map_from_entries(list_transform(
            map_keys(sets[1]),
            lambda name: {
                'key': name,
                'value': array_to_string(
                    list_transform(sets, lambda one: coalesce(one[name], '')), ' + '
                )
            }
        ))
    end as columns
from by_key
