{{ config(materialized='view') }}

-- p26: how the rows that were listed before go on. On the day a list is drawn, whoever is on
-- that of the month and no longer a recipient has ended, on the first such day and for what
-- the ledger says of the ground listed; whoever is one again has not. Rows of other months
-- pass on as they are.
with listed as (
    select
        listed_before.*,
        listed_before.list_month = run_context.list_month
        and run_context.list_drawn as is_judged,
        run_context.as_of
    from {{ ref('listed_before') }} as listed_before
    cross join {{ ref('run_context') }} as run_context
    where {{ in_force('p26_lists') }}
),

judged as (
    select
        listed.*,
        recipients.iin is not null as is_entitled,
        ledger.reason,
        recipients.person_row,
        recipients.kato_row
    from listed
    left join {{ ref('p26_list') }} as recipients
        on
            listed.iin = recipients.iin
            and listed.list_month = recipients.list_month
            and recipients.is_primary
    left join {{ ref('p25_ledger') }} as ledger
        on
            listed.iin = ledger.iin
            and listed.list_month = ledger.list_month
            and listed.primary_ground = ledger.ground
),

final as (
    select
        list_month,
        iin,
        list_no,
        listed_on,
        region_kato,
        district_kato,
        primary_ground,
        grounds,
        case
            when not is_judged then ended_on
            when not is_entitled then coalesce(ended_on, as_of)
        end as ended_on,
        case
            when not is_judged then ended_reason
            when not is_entitled then coalesce(ended_reason, reason, 'no_record')
        end as ended_reason,
        list_row,
        person_row,
        kato_row
    from judged
)

select * from final
