select
    o, ghost, 'S' || lpad(o::varchar, 8, '0') as stay_id, iin, institution_id,
    stay_kind,
    admitted_on,
    case when discharged_on <= getvariable('t') then discharged_on end as discharged_on
from stays
where admitted_on <= getvariable('t')
