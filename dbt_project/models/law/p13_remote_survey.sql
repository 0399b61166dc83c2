-- p13: on a first application for targeted social assistance, one that no award covers,
-- the family is surveyed by means of communication; judged once it is decided.
with final as (
    select
        applications.application_id,
        'survey_not_remote' as finding,
        'p13' as paragraph,
        applications.application_row
    from {{ ref('governed_applications') }} as applications
    left join {{ ref('p12_covered_application') }} as covered
        on applications.application_id = covered.application_id
    where
        applications.service_code = {{ asp_service() }}
        and covered.application_id is null
        and applications.decided_on is not null
        and coalesce(applications.survey_mode, '') <> 'remote'
        and {{ in_force('p13_remote_survey', 'applications.submitted_on') }}
)

select * from final
