-- What happened between the two days, of each change that time caused.
create table because as
with known as (
    select distinct
        table_name,
        key,
        entity,
        event,
        age,
        cast(happened_on as varchar) as happened_on
    from moments
)

select
    table_name,
    key,
    list({
        'event': event,
        'on': happened_on,
        'age': age,
        'entity': entity
    } order by happened_on, event, age, entity) as found
from known
group by table_name, key
