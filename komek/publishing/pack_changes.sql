-- Who was added or removed, whose right ended or came back, who moved and of whom else
-- something changed between a region's previous pack and this one: a row per person, who
-- is named. Both sides are laid out long, a row per person, set and column; $columns are
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
),

now_people as (
    select distinct on (iin)
        iin,
        list_no,
        last_name,
        first_name,
        middle_name,
        grounds,
        standing,
        ended_reason,
        moved_to,
        moved_to_name
    from pack_rows
    where
        region_kato = $region
        and iin in (select compared.iin from compared where differing is not null)
    order by iin, primary_ground
),

previous_people as (
    select distinct on (iin)
        iin,
        last_name,
        first_name,
        middle_name,
        coalesce(standing, 'entitled') as standing,
        moved_to
    from previous_pack
    where iin in (select compared.iin from compared where differing is not null)
    order by iin, primary_ground
),

named as (
    select
        iin,
        was_there and is_there as is_on_both,
        now_people.list_no,
        coalesce(now_people.last_name, previous_people.last_name) as last_name,
        coalesce(now_people.first_name, previous_people.first_name) as first_name,
        coalesce(now_people.middle_name, previous_people.middle_name) as middle_name,
        now_people.grounds,
        now_people.ended_reason,
        now_people.moved_to,
        now_people.moved_to_name,
        case
            when not was_there then 'added'
            when not is_there then 'removed'
            when now_people.standing = 'ended' and previous_people.standing <> 'ended'
                then 'ended'
            when now_people.standing <> 'ended' and previous_people.standing = 'ended'
                then 'resumed'
            when
                now_people.moved_to is not null
                and now_people.moved_to is distinct from previous_people.moved_to
                then 'moved'
            else 'changed'
        end as change,
        -- A handed-over set, and what it came from, is news of the list itself.
        len(list_filter(
            differing,
            lambda name: name not in ('delivery_status', 'allocation', 'contract_id')
        )) > 0 as is_of_the_list,
        differing
    from compared
    left join now_people using (iin)
    left join previous_people using (iin)
    where differing is not null
)

select
    iin,
    last_name,
    first_name,
    middle_name,
    change,
    list_no,
    case change
        when 'added' then grounds
        when 'ended' then ended_reason
        when 'moved' then moved_to
    end as cause,
    moved_to_name,
    case
        when is_on_both then array_to_string(
            list_filter($columns, lambda name: list_contains(differing, name)), '|'
        )
    end as columns,
    case
        when is_of_the_list then row_number() over (
            partition by is_of_the_list
            order by
                list_position(
                    ['added', 'ended', 'resumed', 'moved', 'removed', 'changed'], change
                ),
                list_no,
                iin
        ) - 1
    end as place
from named
