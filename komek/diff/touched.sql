-- The rows of a run (attached as `run`) behind the changes that one thing caused. A
-- person's place on the lists has behind it what each ground was judged by.
insert into touched
with evidence as (
    select
        table_name,
        row_key as key,
        entity,
        file,
        row_number
    from run.marts.lineage
    where table_name in (select told.table_name from told)
    union
    select
        'food_set_recipients' as table_name,
        split_part(row_key, '|', 1) as key,
        entity,
        file,
        row_number
    from run.marts.lineage
    where table_name in ('food_set_recipients', 'food_set_decisions')
    union
    select
        'food_set_lists' as table_name,
        concat(split_part(lineage.row_key, '|', 1), '|', context.list_month) as key,
        lineage.entity,
        lineage.file,
        lineage.row_number
    from run.marts.lineage as lineage
    cross join run.facts.run_context as context
    where lineage.table_name = 'food_set_decisions'
)

select
    $cause as cause,
    evidence.table_name,
    evidence.key,
    evidence.entity,
    $is_after as is_after,
    evidence.file,
    evidence.row_number
from evidence
semi join (select * from changes where cause = $cause) as changes
    on evidence.table_name = changes.table_name and evidence.key = changes.key
