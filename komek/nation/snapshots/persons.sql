select
    i as o, null::varchar as ghost, iin,
    last_name_of(hh, sex) as last_name, first_name_of(i, sex) as first_name,
    middle_name_of(i, if(role in ('adult', 'elder'), i, hh), sex) as middle_name,
    birth_date, sex,
    case when death_on <= getvariable('t') then death_on end as death_date,
    case
        when draw(hh, 'no home') < 0.001 then null
        when moved_on <= getvariable('t') then moved_to
        else kato
    end as kato,
    case when draw(hh, 'no home') >= 0.001
        then address_of(if(moved_on <= getvariable('t'), hh + 1, hh)) end as address
from people
where birth_date <= getvariable('t')
