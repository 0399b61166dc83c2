-- p12: who receives targeted social assistance is extended automatically and need not
-- apply for it.
with final as (
    select
        applications.application_id,
        'extended_automatically' as finding,
        'p12' as paragraph,
        applications.application_row,
        covered.award_row,
        covered.member_row
    from {{ ref('governed_applications') }} as applications
    inner join {{ ref('p12_covered_application') }} as covered
        on applications.application_id = covered.application_id
    where {{ in_force('p12_needless_application', 'applications.submitted_on') }}
)

select * from final
