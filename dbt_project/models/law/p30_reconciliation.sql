-- p30: every month of the lists settled on as_of, by region as listed: the rows with a
-- number, and the sets of those by what came of them. What was delivered less what came
-- back of it is the plain sum of their deliveries.
with listed as (
    select
        lists.list_month,
        lists.region_kato,
        case when lists.standing = 'ended' then 1 else 0 end as ended,
        settled.sets,
        settled.delivered,
        settled.sets - settled.delivered as others,
        settled.other_status,
        settled.amount
    from {{ ref('p26_lists') }} as lists
    inner join {{ ref('p30_settled') }} as settled
        on lists.iin = settled.iin and lists.list_month = settled.list_month
    where
        lists.list_no is not null
        and {{ in_force('p30_reconciliation') }}
),

final as (
    select
        list_month,
        region_kato,
        count(*) as listed,
        cast(sum(ended) as bigint) as ended,
        cast(sum(sets) as bigint) as sets,
        cast(sum(delivered) as bigint) as delivered,
        cast(sum(case other_status when 'failed' then others else 0 end) as bigint)
            as failed,
        cast(sum(case other_status when 'returned' then others else 0 end) as bigint)
            as returned,
        cast(sum(case other_status when 'outstanding' then others else 0 end) as bigint)
            as outstanding,
        cast(sum(ended * others) as bigint) as withdrawn,
        cast(sum(amount) as decimal(18, 2)) as amount_delivered
    from listed
    group by list_month, region_kato
)

select * from final
