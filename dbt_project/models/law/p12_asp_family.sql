-- p12: everyone an award was looked over for: the applicant and the members of each
-- extended one, in the register or not, and the members of one that none of them lived to
-- see extended.
with extended as (
    select
        award_id,
        case when outcome = 'extended' then applicant_iin end as applicant_iin
    from {{ ref('p12_asp_extension') }}
    where outcome = 'extended' or reason = 'no_living_member'
),

final as (
    select
        extended.award_id,
        cast(null as bigint) as member_row,
        applicants.person_row
    from extended
    inner join {{ ref('people') }} as applicants
        on extended.applicant_iin = applicants.iin
    where
        not exists (
            select 1
            from {{ ref('asp_members') }} as members
            where
                members.award_id = extended.award_id
                and members.iin = extended.applicant_iin
        )
    union all
    select
        extended.award_id,
        members.member_row,
        people.person_row
    from extended
    inner join {{ ref('asp_members') }} as members
        on extended.award_id = members.award_id
    left join {{ ref('people') }} as people on members.iin = people.iin
)

select * from final
