-- p8: the electronic case is formed once the documents were checked, the same day at the
-- earliest.
with final as (
    select
        application_id,
        'case_before_check' as finding,
        'p8' as paragraph,
        application_row
    from {{ ref('governed_applications') }}
    where
        case_formed_on is not null
        and (checked_on is null or case_formed_on < checked_on)
        and {{ in_force('p8_case_formed', 'submitted_on') }}
)

select * from final
