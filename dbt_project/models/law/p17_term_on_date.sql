-- p17: the disability terms in force on as_of: established by then and not ended, the end
-- being the extended one where there is one; no end means for good.
with final as (
    select
        terms.term_id,
        terms.iin,
        terms.disability_category,
        terms.established_on <= run_context.as_of
        and (
            terms.valid_until is null
            or coalesce(extensions.new_valid_until, terms.valid_until)
            >= run_context.as_of
        ) as is_in_force,
        terms.term_row,
        extensions.newer_row
    from {{ ref('disability_terms') }} as terms
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('p17_disability_extension') }} as extensions
        on terms.term_id = extensions.term_id
    where terms.kind = 'disability'
)

select * from final
