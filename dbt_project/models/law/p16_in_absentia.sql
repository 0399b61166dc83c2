-- p16: what is decided while the Rules hold in the emergency, of any kind, is decided in
-- absentia, for a year at the longest, with a control examination within six months. A
-- check is pending while its day has not passed, even if the examination was already held;
-- one held before the term was established is not of this term.
with decided as (
    select
        terms.*,
        run_context.as_of,
        {{ add_months('terms.established_on', 'run_context.in_absentia_term_months') }}
            as longest_until,
        {{ add_months('terms.established_on', 'run_context.control_exam_months') }}
            as exam_due_on
    from {{ ref('disability_terms') }} as terms
    cross join {{ ref('run_context') }} as run_context
    where
        terms.decided_on between run_context.governed_from
        and run_context.covered_until
        and {{ in_force('p16_in_absentia', 'terms.decided_on') }}
),

checks as (
    select
        term_id,
        iin,
        term_row,
        'mode' as check_name,
        case when decision_mode <> 'in_absentia' then 'wrong_mode' end as finding,
        false as is_pending,
        cast(null as date) as due_on
    from decided
    union all
    select
        term_id,
        iin,
        term_row,
        'term' as check_name,
        case
            when valid_until is null or valid_until > longest_until
                then 'term_over_one_year'
        end as finding,
        false as is_pending,
        cast(null as date) as due_on
    from decided
    union all
    select
        term_id,
        iin,
        term_row,
        'control_exam' as check_name,
        case
            when exam_due_on >= as_of then null
            when control_exam_on > established_on and control_exam_on <= exam_due_on
                then null
            else 'control_exam_overdue'
        end as finding,
        exam_due_on >= as_of as is_pending,
        exam_due_on as due_on
    from decided
),

final as (
    select
        term_id,
        iin,
        check_name,
        case
            when finding is not null then 'finding'
            when is_pending then 'pending'
            else 'ok'
        end as outcome,
        finding,
        due_on,
        term_row
    from checks
)

select * from final
