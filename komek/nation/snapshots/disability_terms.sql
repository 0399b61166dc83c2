select
    o, ghost, 'T' || lpad(o::varchar, 10, '0') as term_id, iin, kind, category,
    degree_pct, established_on, valid_until, decided_on, decision_mode,
    case when control_exam_on <= getvariable('t') then control_exam_on end
        as control_exam_on, mse_unit
from terms
where decided_on <= getvariable('t')
