select
    o, null::varchar as ghost, norm_id, kato, mode,
    set_cost::decimal(18, 2) as set_cost,
    valid_from, valid_to, decided_on,
    'постановление акимата от ' || strftime(decided_on, '%d.%m.%Y') || ' № '
        || (100 + o) as act_ref
from norms
where decided_on <= getvariable('t')
