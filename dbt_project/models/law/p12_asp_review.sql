-- p12: what rides along with an extension for a person to look at, without stopping it:
-- the applicant or a member has died, or a member comes of age in the new period.
with extended as (
    select
        extensions.*,
        run_context.asp_review_age
    from {{ ref('p12_asp_extension') }} as extensions
    cross join {{ ref('run_context') }} as run_context
    where extensions.outcome = 'extended'
),

people as (
    select
        iin,
        birth_date,
        death_date,
        person_row
    from {{ ref('people') }}
),

final as (
    select
        extended.award_id,
        'applicant_deceased' as review_reason,
        people.person_row,
        cast(null as bigint) as member_row
    from extended
    inner join people on extended.applicant_iin = people.iin
    where people.death_date is not null
    union all
    select
        extended.award_id,
        'member_deceased' as review_reason,
        people.person_row,
        members.member_row
    from extended
    inner join {{ ref('asp_members') }} as members
        on extended.award_id = members.award_id
    inner join people on members.iin = people.iin
    where people.death_date is not null
    union all
    select
        extended.award_id,
        'member_turns_18' as review_reason,
        people.person_row,
        members.member_row
    from extended
    inner join {{ ref('asp_members') }} as members
        on extended.award_id = members.award_id
    inner join people on members.iin = people.iin
    where
        {{ birthday('people.birth_date', 'extended.asp_review_age') }}
        between extended.new_period_start and extended.new_period_end
)

select * from final
