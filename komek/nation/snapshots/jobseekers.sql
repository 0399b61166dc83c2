select
    o, ghost, case_id, iin, centre_id, kato, registered_on,
    case when work_offered_on <= getvariable('t') then work_offered_on end
        as work_offered_on,
    case when draft_decision_on <= getvariable('t') then draft_decision_on end
        as draft_decision_on,
    case when unemployed_decided_on <= getvariable('t') then unemployed_decided_on end
        as unemployed_decided_on,
    case when deregistered_on <= getvariable('t') then deregistered_on end
        as deregistered_on,
    case when deregistered_on <= getvariable('t') then deregistration_reason end
        as deregistration_reason
from cases
where registered_on <= getvariable('t')
