select
    child.i * 100 + parent.member as o, null::varchar as ghost,
    child.iin as child_iin, parent.iin as parent_iin,
    case
        when draw(child.i, 'link') < 0.006 then 'adoption'
        when draw(child.i, 'link') < 0.015 then 'guardianship'
        else 'birth'
    end as link_kind,
    case when draw(child.i, 'link') between getvariable('links_ended_share') and 0.015
        then child.birth_date + (draw(child.i, 'link from')
            * greatest(0, getvariable('reference_date') - child.birth_date))::integer
        else child.birth_date end as valid_from,
    case
        when draw(child.i, 'link') < getvariable('links_ended_share')
            then greatest(child.birth_date, getvariable('reference_date')
                - 1 - pick(child.i, 'link ended', 300))
        when draw(child.i, 'link') between 0.006 and 0.015
            then (child.birth_date + to_years(18))::date - 1
    end as valid_to
from people as child
inner join people as parent on parent.hh = child.hh
where child.role in ('child', 'teen', 'newborn') and parent.role = 'adult'
    and child.birth_date <= getvariable('t')
