select
    o, null::varchar as ghost, contract_id, region as kato, supplier_bin, signed_on,
    valid_from, valid_to,
    if(redecided_on <= getvariable('t'), coalesce(later_cost, first_cost), first_cost)
        ::decimal(18, 2) as set_cost, sets_total
from contracts
where signed_on <= getvariable('t')
