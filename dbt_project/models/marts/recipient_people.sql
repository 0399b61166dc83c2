-- Names, addresses and places of the people on the lists, for the packs: read from the
-- register only when they are asked for, so that no copy of them lies in the warehouse.
select
    persons.iin,
    persons.last_name,
    persons.first_name,
    persons.middle_name,
    persons.address,
    persons.kato
from {{ ref('stg_persons') }} as persons
where persons.iin in (select lists.iin from {{ ref('p26_lists') }} as lists)
