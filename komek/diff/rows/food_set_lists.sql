select
    'food_set_lists' as table_name,
    'person' as what,
    concat(iin, '|', list_month) as key,
    iin as iin,
    region_kato as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'list_no': list_no,
        'listed_on': listed_on,
        'region_kato': region_kato,
        'district_kato': district_kato,
        'primary_ground': primary_ground,
        'grounds': grounds,
        'standing': standing,
        'ended_on': ended_on,
        'ended_reason': ended_reason,
        'delivery_status': delivery_status
    } as map(varchar, varchar)) as columns
from run.marts.food_set_lists
