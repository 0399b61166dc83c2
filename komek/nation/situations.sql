-- What was planted in the rows of each entity, by their number, and from when to when
-- an export shows it (`seen_until` excluded). Such a row gets no defect, so that what is
-- counted here can be counted again in what is written; nor does a row without a
-- situation ('' at first), which belongs to the story of another.

create table contract_facts as
-- The first day on which more is delivered than was bought.
with by_day as (
    select contract_id, delivered_on, count(*) as sets
    from delivered
    where status = 'delivered' and contract_id is not null
    group by contract_id, delivered_on
),
upto as (
    select
        *, sum(sets) over (partition by contract_id order by delivered_on) as upto
    from by_day
),
exceeded as (
    select u.contract_id, min(u.delivered_on) as exceeded_on
    from upto as u
    inner join contracts as k on k.contract_id = u.contract_id and u.upto > k.sets_total
    group by u.contract_id
)
select
    k.*, e.exceeded_on,
    greatest(k.signed_on, getvariable('floor_known_from')) as floor_known_on
from contracts as k
left join exceeded as e on e.contract_id = k.contract_id;

create table told as
with deliveries as (
    select
        o, delivered_on,
        case
            when flaw = 'failed' and status = 'delivered' then 'failed_then_delivered'
            when status = 'failed' then 'failed'
            when flaw = 'returned' and status = 'returned' then 'returned'
            when flaw = 'returned' and o % 8 = 2 then 'returned_then_delivered'
            when flaw = 'repeated' and o % 8 = 0 then null
            when flaw in ('returned_only', 'repeated', 'not_on_list') then flaw
        end as history,
        case when status = 'delivered' and delivered_on > ends_on
            then 'late_for_the_month' end as lateness,
        case
            when mode = 'in_kind' and contract_id is null then 'no_contract'
            when substr(contract_id, 2, 2) <> left(region, 2) then 'foreign_contract'
        end as contract,
        case when status = 'delivered' and death_on < delivered_on
            then 'after_death' end as death,
        flaw is not null as is_flawed
    from delivered
),
all_told as (
    select 'persons' as entity, i as o, 'died' as situation, death_on as seen_from,
        null::date as seen_until
    from people where death_on > getvariable('first')
    union all
    select 'persons', i, 'moved_to_another_region', moved_on, null
    from people
    where moved_on > getvariable('first') and birth_date <= getvariable('first')
        and left(moved_to, 2) <> left(kato, 2) and draw(hh, 'no home') >= 0.001
    union all
    select 'family_links', child.i * 100 + parent.member, 'link_ended',
        child.birth_date, null
    from people as child
    inner join people as parent on parent.hh = child.hh
    where child.role in ('child', 'teen', 'newborn') and parent.role = 'adult'
        and draw(child.i, 'link') < getvariable('links_ended_share')
        and child.birth_date < getvariable('reference_date')
    union all
    select 'bank_accounts', a.o, 'of_a_minor', p.birth_date, null
    from accounts as a
    inner join people as p on p.iin = a.iin
    where p.birth_date > getvariable('reference_date') - to_years(18)
    union all
    select 'asp_awards', a.o, 'no_living_member', greatest(a.made_on, m.last_death_on),
        null
    from asp_awards as a
    inner join (
        select a.o, max(p.death_on) as last_death_on
        from asp_awards as a
        inner join asp_people as m on m.hh = a.hh and m.birth_date < a.made_on
        inner join people as p on p.i = m.i
        group by a.o
        having bool_and(p.death_on is not null)
    ) as m on m.o = a.o
    where a.period_end >= getvariable('emergency_from')
    union all
    select 'disability_terms', o,
        if(category = 'child', 'turns_16_', 'turns_18_') || case
            when turns_on < window_from then 'before'
            when turns_on > getvariable('emergency_until') then 'after'
            else 'in' end || '_window', decided_on, null
    from (
        select
            t.*,
            (p.birth_date + to_years(if(t.category = 'child', 16, 18)))::date
                as turns_on,
            (getvariable('emergency_from') - to_months(1))::date as window_from
        from terms as t
        inner join people as p on p.i = t.i
    )
    where kind = 'disability' and established_on < turns_on
        and valid_until between window_from and getvariable('emergency_until')
        and turns_on between window_from - 31 and getvariable('emergency_until') + 31
    union all
    select 'disability_terms', o, 'exam_before_term', decided_on, null
    from terms where control_exam_on < established_on
    union all
    select 'disability_terms', o, 'decided_half_a_year_later', decided_on, null
    from terms where decided_on - established_on > 150
    union all
    select 'institution_stays', o, 'admitted', admitted_on, null
    from stays
    where stay_kind = 'permanent' and admitted_on > getvariable('first')
    union all
    select 'institution_stays', o, 'discharged', discharged_on, null
    from stays
    where stay_kind = 'permanent' and discharged_on > getvariable('first')
    union all
    select 'jobseekers', o, flaw,
        if(flaw = 'left_waiting', registered_on + 14, unemployed_decided_on), null
    from cases where flaw is not null
    union all
    select 'jobseekers', o, if(o % 2 = 1, 'came_back', ''), registered_on, null
    from cases
    where i in (select i from cases where o % 2 = 1)
    union all
    select 'supply_contracts', o, flaw, signed_on, null
    from contracts where flaw = 'invalid_bin'
    union all
    select 'supply_contracts', o, 'price_differs', greatest(signed_on, redecided_on),
        null
    from contracts where flaw in ('price_kept', 'price_above') and n > 1
    union all
    select 'supply_contracts', o, 'below_floor', floor_known_on,
        if(flaw = 'price_kept', null, redecided_on)
    from contract_facts
    where n > 1
    union all
    select 'supply_contracts', o, 'over_delivered', greatest(signed_on, exceeded_on),
        null
    from contract_facts where exceeded_on is not null
    union all
    select
        'applications', o,
        if(flaw = 'survey_not_remote' and day < getvariable('emergency_from'), '',
            flaw),
        case
            when flaw = 'wrong_office' then forwarded_on
            when flaw = 'case_before_check' then case_formed_on
            when flaw = 'survey_not_remote' then decided_on
            -- Not told at once is no finding yet.
            when flaw = 'not_notified' then decided_on + 8
            when flaw in ('duplicate_notification', 'no_channel',
                'result_not_electronic') then notified_on
            else day
        end, null
    from submitted where flaw is not null
    union all
    select 'applications', o, 'no_channel', notified_on, null
    from submitted where flaw = 'result_not_electronic'
    union all
    select 'applications', o, 'result_not_electronic', notified_on, null
    from submitted where flaw = 'no_channel' and service_code = 15
    union all
    select 'deliveries', o, unnest(if(is_flawed and history is null,
            [lateness, contract, death, ''], [history, lateness, contract, death])),
        delivered_on, null
    from deliveries
    where is_flawed or lateness is not null or contract is not null
        or death is not null
)
select entity, o, nullif(situation, '') as situation, seen_from, seen_until
from all_told
where situation is not null;
