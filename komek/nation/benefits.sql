-- Awards of benefits, and bank accounts.

create table awards as
with allowances as (
    select
        i * 10 + 1 as o, i, iin, ghost, 'disability_allowance' as benefit,
        null::bigint as dependant,
        case category
            when 'group_1' then getvariable('amount_group_1')
            when 'group_2' then getvariable('amount_group_2')
            when 'group_3' then getvariable('amount_group_3')
            else getvariable('amount_child')
        end::decimal(18, 2) as monthly_amount,
        on_workday(established_on) as start_on, valid_until as stop_on,
        row_number() over (
            partition by is_new order by is_lapsed, benefit_rank) as n,
        is_new
    from main_terms
),
losses as (
    select
        i * 10 + 2 as o, i, iin, ghost, 'capacity_loss_payment' as benefit,
        null::bigint as dependant,
        (15000 + pick(i, 'loss', 60000) + pick(i, 'loss tiyn', 100) / 100)
            ::decimal(18, 2) as monthly_amount,
        on_workday(established_on) as start_on, valid_until as stop_on
    from main_terms
    where not is_new and age = 'adult'
        and loss_rank <= scaled(getvariable('capacity_loss_payments'))
),
carers as (
    select
        d.i * 10 + 3 as o, m.i, m.iin, m.ghost,
        'child_carer_allowance' as benefit, d.i as dependant,
        getvariable('amount_carer')::decimal(18, 2) as monthly_amount,
        on_workday(d.established_on + 10 + pick(d.i, 'carer from', 40)) as start_on,
        case when draw(d.i, 'carer until') < 0.8
            then (d.birth_date + to_years(18))::date - 1 end as stop_on,
        row_number() over (order by d.is_lapsed, draw(d.i, 'carer'), d.i) as n
    from main_terms as d
    inner join people as m on m.i = d.hh and m.role = 'adult'
    where not d.is_new and d.birth_date + to_years(18) > getvariable('reference_date')
        and d.established_on < getvariable('reference_date')
),
all_awards as (
    select * exclude (n, is_new) from allowances
    where n <= scaled(getvariable('disability_allowances')) * if(is_new, 0.015, 1)
    union all by name select * from losses
    union all by name select * exclude (n) from carers
    where n <= scaled(getvariable('child_carer_allowances'))
)
select
    a.* replace (case when a.stop_on >= a.start_on then a.stop_on
        when a.stop_on is not null then a.start_on end as stop_on),
    child.iin as dependant_iin, p.death_on,
    case when draw(a.o, 'death seen') < 0.8
        then p.death_on + 10 + pick(a.o, 'death seen', 30) end as stopped_by_death_on,
    'B' || lpad(a.o::varchar, 10, '0') as award_id,
    person_iban(a.i, '1') as iban
from all_awards as a
inner join people as p on p.i = a.i
left join people as child on child.i = a.dependant
where p.death_on is null or p.death_on > a.start_on
order by a.o;

create table accounts as
with on_rolls as (
    select i from disabled
    union select i from asp_people
    union select i from cases
    union select i from awards
),
minors as (
    select p.i, p.hh
    from on_rolls as r
    inner join people as p on p.i = r.i
    where p.birth_date > getvariable('reference_date') - to_years(18)
),
parents as (
    -- Whoever is on no roll and has a child on one: the child's set goes to them.
    select p.i
    from people as p
    where p.role = 'adult' and p.hh in (select hh from minors)
        and draw(p.i, 'parent account') < getvariable('account_parent_share')
),
others as (
    select p.i from people as p
    where p.role in ('adult', 'elder')
        and draw(p.i, 'other account') < getvariable('account_other_share')
),
holders as (
    -- Few minors have one; of parents on a roll as many as of any on it.
    select i from on_rolls
    where draw(i, 'account') < if(i in (select i from minors),
        getvariable('account_minor_share'), getvariable('account_share'))
    union select i from parents
    union select i from others
),
numbered as (
    select i, '1' as which from holders
    union all
    select i, '2' from holders where draw(i, 'second account') < 0.1
)
select
    p.i * 10 + which::integer as o, p.iin,
    person_iban(p.i, which) as iban,
    getvariable('reference_date') - pick(p.i, 'confirmed' || which, 700)
        as confirmed_on,
    case when draw(p.i, 'confirmed again' || which) < 0.1
        then getvariable('reference_date') + pick(p.i, 'confirmed again' || which, 92)
    end as confirmed_again_on
from numbered as n
inner join people as p on p.i = n.i
order by o;
