-- p24: the months that are paid, from the one in which the emergency starts to the last
-- (policy payout.end_month), each with its day of payment: payout.day, or the nearest
-- working day before it.
with months as (
    select
        working_days.calendar_on as month_starts_on,
        {{ add_days(add_months('working_days.calendar_on', 1), -1) }} as month_ends_on,
        {{ add_days('working_days.calendar_on', 'run_context.payout__day') }}
            as after_pay_day
    from {{ ref('working_days') }} as working_days
    cross join {{ ref('run_context') }} as run_context
    where
        working_days.calendar_on = {{ month_start('working_days.calendar_on') }}
        and working_days.calendar_on
        between {{ month_start('run_context.emergency_starts_on') }}
        and run_context.payout_end_month
),

final as (
    select
        months.month_starts_on,
        months.month_ends_on,
        pay_days.calendar_on as pay_on
    from months
    left join {{ ref('working_days') }} as due_days
        on months.after_pay_day = {{ add_days('due_days.calendar_on', 1) }}
    -- a day off has the number of the last working day before it
    left join {{ ref('working_days') }} as pay_days
        on due_days.working_number = pay_days.working_number and pay_days.is_working
)

select * from final
