-- p17: who turns 16 or 18 is examined in absentia: where the term was extended, by its new
-- end, else by the later of its end and the start of the emergency; one row per person and
-- cause: the earliest due, then the lowest term.
with due as (
    select
        extensions.iin,
        extensions.term_id,
        extensions.examined_for as cause,
        coalesce(
            extensions.new_valid_until,
            greatest(extensions.old_valid_until, run_context.emergency_starts_on)
        ) as due_on
    from {{ ref('p17_disability_extension') }} as extensions
    cross join {{ ref('run_context') }} as run_context
    where extensions.examined_for is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by iin, cause
            order by due_on asc nulls last, term_id asc nulls last
        ) as nth
    from due
),

final as (
    select
        iin,
        term_id,
        cause,
        due_on
    from ranked
    where nth = 1
)

select * from final
