-- The list month is the run's, not a person's, and not told.
select
    'food_set_recipients' as table_name,
    'person' as what,
    iin as key,
    iin as iin,
    region_kato as own_region_kato,
    coalesce(set_cost, 0) as amount,
    primary_ground as set_of,
    cast({
        'region_kato': region_kato,
        'district_kato': district_kato,
        'primary_ground': primary_ground,
        'grounds': grounds,
        'mode': mode,
        'set_cost': set_cost
    } as map(varchar, varchar)) as columns
from run.marts.food_set_recipients
