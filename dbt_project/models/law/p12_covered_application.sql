-- p12: applications for targeted social assistance (service 15) from a person who is on an
-- award that covers the day of submission, by its own or its new period.
with cover as (
    select * from {{ ref('p12_award_cover') }}
    where is_on
),

on_award as (
    select
        members.iin,
        cover.period_start,
        cover.period_end,
        cover.new_period_start,
        cover.new_period_end,
        cover.award_row
    from cover
    inner join {{ ref('asp_members') }} as members on cover.award_id = members.award_id
    union all
    select
        applicant_iin as iin,
        period_start,
        period_end,
        new_period_start,
        new_period_end,
        award_row
    from cover
),

final as (
    select
        applications.application_id,
        min(on_award.award_row) as award_row
    from {{ ref('applications') }} as applications
    inner join on_award on applications.iin = on_award.iin
    where
        applications.service_code = {{ asp_service() }}
        and (
            applications.submitted_on
            between on_award.period_start and on_award.period_end
            or applications.submitted_on
            between on_award.new_period_start and on_award.new_period_end
        )
    group by applications.application_id
)

select * from final
