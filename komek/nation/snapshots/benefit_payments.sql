with months as (
    select (getvariable('payments_from') + to_months(range::integer))::date as month,
        range as n
    from range(24)
)
select
    a.o * 100 + m.n as o, null::varchar as ghost,
    'P' || lpad((a.o * 100 + m.n)::varchar, 12, '0') as payment_id, a.award_id, m.month,
    a.monthly_amount as amount,
    if(draw(a.o * 100 + m.n, 'returned') < 0.004, 'returned', 'paid') as status,
    on_workday(m.month + 4 + pick(a.o, 'pay day', 19)) as paid_on
from awards as a
inner join months as m
    on m.month >= date_trunc('month', a.start_on)
    and (a.stop_on is null or m.month <= a.stop_on)
    and (a.stopped_by_death_on is null or m.month < a.stopped_by_death_on)
where on_workday(m.month + 4 + pick(a.o, 'pay day', 19)) <= getvariable('t')
    and on_workday(m.month + 4 + pick(a.o, 'pay day', 19)) >= a.start_on
    and draw(a.o * 100 + m.n, 'missed') >= 0.01
