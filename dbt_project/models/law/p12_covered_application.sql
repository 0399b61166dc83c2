-- p12: applications for targeted social assistance (service 15) from a person who is on an
-- award that covers the day of submission, by its own or its new period. Of several
-- awards the first row stands for all.
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
        cover.award_row,
        members.member_row
    from cover
    inner join {{ ref('asp_members') }} as members on cover.award_id = members.award_id
    union all
    select
        applicant_iin as iin,
        period_start,
        period_end,
        new_period_start,
        new_period_end,
        award_row,
        cast(null as bigint) as member_row
    from cover
),

covered as (
    select
        applications.application_id,
        on_award.award_row,
        on_award.member_row,
        row_number() over (
            partition by applications.application_id
            order by
                on_award.award_row asc nulls last,
                on_award.member_row asc nulls last
        ) as nth
    from {{ ref('governed_applications') }} as applications
    inner join on_award on applications.iin = on_award.iin
    where
        applications.service_code = {{ asp_service() }}
        and (
            applications.submitted_on
            between on_award.period_start and on_award.period_end
            or applications.submitted_on
            between on_award.new_period_start and on_award.new_period_end
        )
),

final as (
    select
        application_id,
        award_row,
        member_row
    from covered
    where nth = 1
)

select * from final
