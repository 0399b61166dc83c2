-- The regions that one of two runs, `before` and `after`, does not publish.
select
    coalesce(earlier.region_kato, later.region_kato) as region_kato,
    earlier.blocked_by as blocked_before,
    later.blocked_by as blocked_after
from before.marts.region_status as earlier
full join after.marts.region_status as later
    on earlier.region_kato = later.region_kato
where earlier.blocked_by is not null or later.blocked_by is not null
order by 1
