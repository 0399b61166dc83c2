-- Terms decided by as_of; a category counts on a term of kind disability only. An
-- examination dated later has not been held.
with terms as (
    select * from {{ ref('stg_disability_terms') }}
),

final as (
    select
        terms.term_id,
        terms.iin,
        terms.kind,
        terms.category,
        case when terms.kind = 'disability' then terms.category end
            as disability_category,
        terms.established_on,
        terms.valid_until,
        terms.decided_on,
        terms.decision_mode,
        {{ event('terms.control_exam_on') }} as control_exam_on,
        terms.source_row as term_row
    from terms
    cross join {{ ref('run_context') }} as run_context
    where terms.decided_on <= run_context.as_of
)

select * from final
