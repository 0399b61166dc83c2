-- Who was added, removed or changed between a region's previous pack and this one: a row
-- per person. Both sides are laid out long, a row per person, set and column; $columns are
-- those that both have. Policy one_per_ground gives a person several sets, one after
-- another by ground; with fewer or more of them than before, every column has changed.
with now_sets as (
    select
        iin,
        row_number() over (partition by iin order by primary_ground) as set_no,
        cast(columns($columns) as varchar)
    from pack_rows
    where region_kato = $region
),

now_values as (
    from now_sets
    unpivot include nulls (value for column_name in (* exclude (iin, set_no)))
),

previous_sets as (
    select
        iin,
        row_number() over (partition by iin order by primary_ground) as set_no,
        cast(columns($columns) as varchar)
    from previous_pack
),

previous_values as (
    from previous_sets
    unpivot include nulls (value for column_name in (* exclude (iin, set_no)))
),

compared as (
    select
        iin,
        bool_or(now_values.set_no is not null) as is_there,
        bool_or(previous_values.set_no is not null) as was_there,
        list(column_name) filter (
            where
            now_values.value is distinct from previous_values.value
            or now_values.set_no is null
            or previous_values.set_no is null
        ) as differing
    from now_values
    full join previous_values using (iin, set_no, column_name)
    group by iin
)

select
    iin,
    case
        when not was_there then 'added'
        when not is_there then 'removed'
        else 'changed'
    end as change,
    case
        when was_there and is_there then array_to_string(
            list_filter($columns, lambda name: list_contains(differing, name)), '|'
        )
    end as columns
from compared
where differing is not null
order by iin
