-- p5: an application is forwarded to the office of the applicant's place of residence: the
-- district of the office is that of their registered KATO code. Judged where both codes are
-- in the classifier on as_of.
with final as (
    select
        applications.application_id,
        'wrong_office' as finding,
        'p5' as paragraph,
        applications.application_row,
        people.person_row,
        people.kato_row,
        offices.kato_row as office_row
    from {{ ref('governed_applications') }} as applications
    inner join {{ ref('people') }} as people on applications.iin = people.iin
    inner join {{ ref('territories') }} as offices
        on applications.forwarded_to_kato = offices.kato
    where
        applications.forwarded_on is not null
        and people.district_kato <> offices.district_kato
        and {{ in_force('p5_office', 'applications.submitted_on') }}
)

select * from final
