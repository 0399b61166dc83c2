-- The rows of a run (attached as `run`) behind the changes of one table that one thing
-- caused: those of the lineage of one mart, by the key that its rows give the change.
insert into touched
with behind as (
    select
        {key} as key,
        lineage.entity,
        lineage.file,
        lineage.row_number
    from run.marts.lineage as lineage
    cross join run.facts.run_context as context
    where lineage.table_name = '{mart}'
)

select distinct
    $cause as cause,
    $table_name as table_name,
    behind.key,
    behind.entity,
    $is_after as is_after,
    behind.file,
    behind.row_number
from behind
semi join (
    select key from changes where table_name = $table_name and cause = $cause
) as changed on behind.key = changed.key
