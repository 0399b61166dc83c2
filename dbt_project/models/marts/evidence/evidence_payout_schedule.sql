-- A month's payout rests on the award, the extended term, the person, and what was paid
-- for that month.
with payouts as {{ inlined() }} (
    select
        award_id,
        month,
        concat(award_id, '|', month) as row_key,
        award_row,
        term_row,
        person_row
    from {{ ref('p24_payout') }}
),

final as (
    select
        row_key,
        award_row as source_row,
        'p24' as paragraph
    from payouts
    union all
    select
        row_key,
        term_row as source_row,
        'p24' as paragraph
    from payouts
    union all
    select
        row_key,
        person_row as source_row,
        'p24' as paragraph
    from payouts
    union all
    select
        payouts.row_key,
        payments.payment_row as source_row,
        'p24' as paragraph
    from payouts
    inner join {{ ref('benefit_payments') }} as payments
        on payouts.award_id = payments.award_id and payouts.month = payments.month
)

select * from final
