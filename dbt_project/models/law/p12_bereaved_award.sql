-- p12: awards of which every member is in the register and has died by as_of: nobody is
-- left to whom assistance could be extended. One member whom the register does not know
-- may be alive.
with final as (
    select members.award_id
    from {{ ref('asp_members') }} as members
    left join {{ ref('people') }} as people on members.iin = people.iin
    group by members.award_id
    having count(*) = count(people.death_date)
)

select * from final
