-- Chapter 3 of the Rules: who is on a list of food sets, and where.

-- ## p25
-- One row per person and ground; `failed` is the first condition that the person's best
-- record fails, null if a record meets them all. What depends on the person alone is
-- judged further down, in the same order.
create temp table candidate as
with carer_record as (
    select
        iin,
        dependant_iin as child_iin,
        within(as_of(), start_on, stop_on) as award_covers
    from benefit_award
    where
        benefit = 'child_carer_allowance'
        and policy('food_set.carer') = 'allowance_recipient'
    union all
    select parent_iin, child_iin, true
    from parent_link
    where policy('food_set.carer') = 'both_parents'
    union all
    select min(parent_iin), child_iin, true
    from parent_link
    join person on person.iin = parent_iin and person.death_date is null
    where policy('food_set.carer') = 'one_parent'
    group by child_iin
),
carer_judged as (
    select
        carer_record.iin,
        case
            when not award_covers then 1
            when child.iin is null or child.death_date is not null then 2
            when
                birthday(
                    child.birth_date,
                    policy('food_set.carer_child_age_limit')::integer
                ) <= as_of()
                then 3
            when child_iin not in (select iin from disability where in_force) then 4
            when
                policy('food_set.carer_child_in_institution') = 'exclude'
                and child_iin in (from resident)
                then 5
            else 6
        end as reached
    from carer_record
    left join person as child on child.iin = child_iin
),
best as (
    select
        iin, 'p25_1' as ground,
        if(bool_or(in_payment), null, 'award_not_active') as failed
    from asp_cover
    join asp_member using (award_id)
    where
        covers(as_of(), period_start, period_end, new_period_start, new_period_end)
    group by iin
    union all
    select
        iin, if(category = 'child', 'p25_2', 'p25_3'),
        if(bool_or(in_force), null, 'term_not_in_force')
    from disability
    where category is not null
    group by iin, category = 'child'
    union all
    select
        iin, 'p25_4',
        [
            'award_not_active', 'child_deceased', 'child_age_over_limit',
            'child_not_disabled', 'child_in_institution'
        ][max(reached)]
    from carer_judged
    group by iin
    union all
    select
        iin, 'p25_5',
        [
            'not_registered_unemployed', 'deregistered'
        ][max(
            case
                when unemployed_decided_on is null then 1
                when deregistered_on is not null then 2
                else 3
            end
        )]
    from jobseeker
    group by iin
)
select *
from best
where list_drawn();

-- ## p26
create temp table ledger as
with known as (
    select
        candidate.iin, candidate.ground, failed,
        person.iin is not null as is_registered,
        death_date is not null as is_dead,
        birth_date,
        coalesce(region_kato, 'unassigned') as region_kato,
        district_kato,
        resident.iin is not null as is_resident
    from candidate
    left join person using (iin)
    left join kato_on_day using (kato)
    left join resident using (iin)
)
select
    iin, ground, region_kato, district_kato,
    case
        when not is_registered then 'not_in_population_register'
        when is_dead then 'deceased'
        when failed is not null then failed
        when ground = 'p25_1' and as_of() < birthday(birth_date, 6) then 'under_6'
        when
            ground = 'p25_1'
            and as_of() >= birthday(
                birth_date,
                if(policy('food_set.age_upper') = 'through_age_18', 19, 18)
            )
            then 'age_18_or_over'
        when
            ground = 'p25_2' and as_of() >= birthday(birth_date, 16)
            then 'age_16_or_over'
        when
            is_resident
            and (
                ground in ('p25_2', 'p25_3')
                or policy('food_set.institution_scope') = 'all_grounds'
            )
            then 'resident_in_institution'
    end as reason
from known;

create table floor.food_set_decisions as
select
    list_month() as list_month, iin, ground,
    case reason
        when 'not_in_population_register' then 'undetermined'
        else if(reason is null, 'met', 'not_met')
    end as outcome,
    reason,
    'p25' as paragraph,
    region_kato
from ledger;

-- ## p27
create temp table norm as
select kato as region_kato, mode, set_cost
from stg_food_set_norms
where
    list_drawn()
    and within(as_of(), valid_from, valid_to)
    and decided_on <= as_of()
    -- Where no register says is no region: nobody decides on a set for it.
    and kato <> 'unassigned'
qualify row_number() over (
    partition by kato order by valid_from desc, decided_on desc, norm_id desc
) = 1;

create table floor.food_set_recipients as
with met as (
    select
        iin, region_kato, district_kato,
        bool_or(ground = 'p25_1') as p25_1,
        bool_or(ground = 'p25_2') as p25_2,
        bool_or(ground = 'p25_3') as p25_3,
        bool_or(ground = 'p25_4') as p25_4,
        bool_or(ground = 'p25_5') as p25_5
    from ledger
    where reason is null
    group by iin, region_kato, district_kato
),
listed as (
    select
        *,
        concat_ws(
            '|',
            if(p25_1, 'p25_1', null), if(p25_2, 'p25_2', null),
            if(p25_3, 'p25_3', null), if(p25_4, 'p25_4', null),
            if(p25_5, 'p25_5', null)
        ) as grounds
    from met
),
sets as (
    select
        iin, region_kato, district_kato, grounds,
        unnest(
            if(
                policy('food_set.sets_per_person') = 'one',
                [grounds[:5]],
                string_split(grounds, '|')
            )
        ) as primary_ground
    from listed
)
select
    list_month() as list_month, iin, region_kato, district_kato, primary_ground,
    grounds, mode, set_cost
from sets
left join norm using (region_kato);

create table floor.region_status as
with counted as (
    select
        region_kato, count(*) as recipients,
        coalesce(sum(set_cost), 0)::decimal(18, 2) as amount_total
    from floor.food_set_recipients
    group by region_kato
),
region as (
    select kato as region_kato
    from kato_on_day
    where list_drawn() and kato like '%0000000'
    union
    select region_kato from counted
),
judged as (
    select
        region_kato,
        coalesce(recipients, 0) as recipients,
        coalesce(amount_total, 0)::decimal(18, 2) as amount_total,
        set_cost as norm_cost,
        floor_cost() as floor_cost,
        case
            when set_cost is null then 'no_norm'
            when set_cost < floor_cost() then 'below_floor'
            when expectation is not null then 'check:' || expectation
        end as blocked_by
    from region
    left join counted using (region_kato)
    left join norm using (region_kato)
    left join blocked_by_check using (region_kato)
)
select
    region_kato, recipients, amount_total, norm_cost, floor_cost,
    if(blocked_by is null, 'published', 'blocked') as publication,
    blocked_by
from judged;

-- ## p26 lists
-- The rows of the lists published before, of every month, as they stand on the day. Only
-- a run that draws a list judges them anew, and only its own month's.
create temp table listed as
with recipient as (
    select distinct iin, region_kato, district_kato, grounds
    from floor.food_set_recipients
),
carried as (
    select
        earlier.*,
        list_drawn() and earlier.list_month = list_month() as is_judged,
        recipient.iin is not null as is_recipient,
        coalesce(ledger.reason, 'no_record') as reason
    from earlier
    left join recipient using (iin)
    left join ledger
        on ledger.iin = earlier.iin and ledger.ground = earlier.primary_ground
    where applies()
),
settled as (
    select
        list_month, iin, list_no, listed_on, region_kato, district_kato,
        primary_ground, grounds,
        case
            when not is_judged then ended_on
            when not is_recipient then coalesce(ended_on, as_of())
        end as ended_on,
        case
            when not is_judged then ended_reason
            when not is_recipient then coalesce(ended_reason, reason)
        end as ended_reason
    from carried
),
newcomer as (
    select recipient.*, publication = 'published' as is_published
    from recipient
    join floor.region_status using (region_kato)
    where
        iin not in (
            select earlier.iin from earlier where earlier.list_month = list_month()
        )
),
next as (
    select 1 + coalesce(max(list_no), 0) as list_no
    from earlier
    where list_month = list_month()
)
select *, if(ended_on is null, 'entitled', 'ended') as standing
from settled
union all
select
    list_month(), iin,
    if(is_published, next.list_no, null),
    if(is_published, as_of(), null),
    region_kato, district_kato, grounds[:5], grounds, null, null,
    if(is_published, 'entitled', 'held')
from newcomer
cross join next;
