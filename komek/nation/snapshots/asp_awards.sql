select
    o, ghost, award_id, family_id, iin as applicant_iin, aid_kind, period_start,
    period_end, monthly_amount,
    case
        when terminated_on <= getvariable('t') then 'terminated'
        when suspended_on <= getvariable('t') then 'suspended'
        else 'active'
    end as status, kato
from asp_awards
where made_on <= getvariable('t')
