select
    lists.list_month,
    lists.iin,
    lists.list_no,
    lists.listed_on,
    lists.region_kato,
    lists.district_kato,
    lists.primary_ground,
    lists.grounds,
    lists.standing,
    lists.ended_on,
    lists.ended_reason,
    case when settled.delivered > 0 then 'delivered' else settled.other_status end
        as delivery_status,
    'p26' as paragraph
from {{ ref('p26_lists') }} as lists
inner join {{ ref('p30_settled') }} as settled
    on lists.iin = settled.iin and lists.list_month = settled.list_month
