-- The rows of a run (attached as `run`) behind the changes that data caused. A person's
-- place on the list has behind it what each ground was judged by.
insert into touched
with evidence as (
    select
        case table_name
            when 'food_set_decisions' then 'food_set_recipients'
            else table_name
        end as table_name,
        case
            when table_name in ('food_set_recipients', 'food_set_decisions')
                then split_part(row_key, '|', 1)
            else row_key
        end as key,
        entity,
        file,
        row_number
    from run.marts.lineage
    where
        table_name in (
            'food_set_recipients',
            'food_set_decisions',
            'asp_extensions',
            'payout_schedule',
            'disability_extensions'
        )
)

select
    evidence.table_name,
    evidence.key,
    evidence.entity,
    $is_after as is_after,
    evidence.file,
    evidence.row_number
from evidence
semi join (select * from changes where cause = 'data') as changes
    on evidence.table_name = changes.table_name and evidence.key = changes.key
