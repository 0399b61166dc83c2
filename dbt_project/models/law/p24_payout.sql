-- p24: people of p17 who are on the benefit that goes with their term are paid through
-- the month in which the emergency ends, at the amount established before. One row per
-- award and month, from the month the emergency starts, not before the award starts and
-- while the person is alive on the first of the month.
with entitled as (
    select
        extensions.iin,
        case extensions.kind
            when 'disability' then 'disability_allowance'
            when 'general_capacity_loss' then 'capacity_loss_payment'
        end as benefit,
        min(extensions.term_row) as term_row
    from {{ ref('p17_disability_extension') }} as extensions
    where
        extensions.outcome = 'extended'
        and extensions.kind in ('disability', 'general_capacity_loss')
        and {{ in_force('p24_payout') }}
    group by extensions.iin, extensions.kind
),

payable as (
    select
        awards.award_id,
        awards.iin,
        awards.benefit,
        months.month_starts_on as month,
        months.pay_on,
        awards.monthly_amount as amount,
        case
            when awards.stop_on is null or awards.stop_on >= months.month_ends_on
                then 'award'
            else 'extension'
        end as basis,
        awards.award_row,
        entitled.term_row,
        people.person_row
    from {{ ref('benefit_awards') }} as awards
    inner join entitled
        on awards.iin = entitled.iin and awards.benefit = entitled.benefit
    inner join {{ ref('people') }} as people on awards.iin = people.iin
    cross join {{ ref('run_context') }} as run_context
    cross join {{ ref('p24_pay_months') }} as months
    where
        awards.start_on <= run_context.covered_until
        and (awards.stop_on is null or awards.stop_on >= run_context.window_starts_on)
        and months.month_starts_on >= {{ month_start('awards.start_on') }}
        and (
            people.registered_death_date is null
            or people.registered_death_date > months.month_starts_on
        )
),

paid as (
    select
        award_id,
        month,
        sum(amount) as paid_amount
    from {{ ref('benefit_payments') }}
    group by award_id, month
),

final as (
    select
        payable.award_id,
        payable.iin,
        payable.benefit,
        payable.month,
        payable.basis,
        payable.amount,
        coalesce(paid.paid_amount, 0) as paid_amount,
        payable.pay_on,
        payable.award_row,
        payable.term_row,
        payable.person_row
    from payable
    left join paid
        on payable.award_id = paid.award_id and payable.month = paid.month
)

select * from final
