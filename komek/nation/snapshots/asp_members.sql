select
    m.i * 10 + a.award as o, m.ghost,
    a.award_id, m.iin
from asp_people as m
inner join asp_awards as a on a.hh = m.hh
where a.made_on <= getvariable('t') and m.birth_date < a.made_on
