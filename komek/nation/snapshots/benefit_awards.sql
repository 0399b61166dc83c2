select
    o, ghost, award_id, iin, benefit, dependant_iin, monthly_amount, start_on,
    case when stopped_by_death_on <= getvariable('t')
        then least(stop_on, greatest(start_on, last_day(death_on))) else stop_on end
        as stop_on, iban
from awards
where start_on <= getvariable('t')
