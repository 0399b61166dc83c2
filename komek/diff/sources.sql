-- The changed rows behind each change that data caused: those among its lineage that are
-- not in both snapshots as they are; where there is none, those about the same person.
create table sources as
with changed_rows as (
    select
        entity,
        coalesce(after.iin, before.iin) as iin,
        case
            when before.key is null then 'added'
            when after.key is null then 'removed'
            else 'changed'
        end as change,
        before.file as file_before,
        before.row_number as row_before,
        after.file as file_after,
        after.row_number as row_after
    from (select * from source_rows where not is_after) as before
    full join (select * from source_rows where is_after) as after
        using (entity, key)
    where before.hashed is distinct from after.hashed
),

by_lineage as (
    select
        touched.table_name,
        touched.key,
        changed_rows.*
    from (select * from touched where cause = 'data') as touched
    inner join changed_rows
        on
            touched.entity = changed_rows.entity
            and touched.file = case
                when touched.is_after then changed_rows.file_after
                else changed_rows.file_before
            end
            and touched.row_number = case
                when touched.is_after then changed_rows.row_after
                else changed_rows.row_before
            end
),

by_person as (
    select
        changes.table_name,
        changes.key,
        changed_rows.*
    from changes
    inner join changed_rows on changes.iin = changed_rows.iin
    anti join by_lineage
        on changes.table_name = by_lineage.table_name and changes.key = by_lineage.key
    where changes.cause = 'data'
),

found as (
    select *, 'lineage' as found_by from by_lineage
    union
    select *, 'person' as found_by from by_person
)

select
    table_name,
    key,
    list({
        'entity': entity,
        'change': change,
        'file_before': file_before,
        'row_before': row_before,
        'file_after': file_after,
        'row_after': row_after,
        'found_by': found_by
    } order by entity, file_after, row_after, file_before, row_before) as found
from found
group by table_name, key
