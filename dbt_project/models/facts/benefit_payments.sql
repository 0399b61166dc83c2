-- Payments made by as_of for the months of the emergency. Months are compared as
-- written: a day other than the first matches no month.
with payments as (
    select * from {{ ref('stg_benefit_payments') }}
),

final as (
    select
        payments.payment_id,
        payments.award_id,
        payments.month,
        payments.amount,
        payments.source_row as payment_row
    from payments
    cross join {{ ref('run_context') }} as run_context
    where
        payments.status = 'paid'
        and payments.paid_on <= run_context.as_of
        and payments.month
        between {{ month_start('run_context.emergency_starts_on') }}
        and run_context.payout_end_month
)

select * from final
