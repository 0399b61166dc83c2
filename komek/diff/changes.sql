-- What differs between the two ends, with its one cause: the last step of the chain in
-- which the row appeared, if it was added, or got what it has.
create table changes as
with differing as (
    select
        table_name,
        key,
        coalesce(after.what, before.what) as what,
        coalesce(after.iin, before.iin) as iin,
        coalesce(after.region_kato, before.region_kato) as region_kato,
        case
            when before.columns is null then 'added'
            when after.columns is null then 'removed'
            else 'changed'
        end as change,
        before.columns as old_columns,
        after.columns as new_columns,
        case
            when before.amount is not null or after.amount is not null
                then coalesce(after.amount, 0) - coalesce(before.amount, 0)
        end as amount_change
    from (select * from told where state = 'first') as before
    full join (select * from told where state = 'second') as after
        using (table_name, key)
    where before.columns is distinct from after.columns
),

-- Each of them in every step, beside the step before.
stepped as (
    select
        differing.table_name,
        differing.key,
        chain.step,
        chain.cause,
        told.columns,
        lag(told.columns) over (
            partition by differing.table_name, differing.key order by chain.step
        ) as columns_before
    from differing
    cross join chain
    left join told
        on
            differing.table_name = told.table_name
            and differing.key = told.key
            and chain.state = told.state
),

causes as (
    select
        table_name,
        key,
        max_by(cause, step) filter (
            where columns is not null and columns_before is null
        ) as appeared_by,
        max_by(cause, step) filter (
            where columns is distinct from columns_before
        ) as settled_by
    from stepped
    where step > 0
    group by table_name, key
)

select
    differing.table_name,
    differing.what,
    differing.key,
    differing.iin,
    differing.region_kato,
    differing.change,
    case differing.change
        when 'added' then causes.appeared_by
        else causes.settled_by
    end as cause,
    case when differing.change = 'changed' then list_filter(
        list_transform(
            map_keys(differing.new_columns),
            lambda name: {
                'column': name,
                'before': differing.old_columns[name],
                'after': differing.new_columns[name]
            }
        ),
        lambda one: one.before is distinct from one.after
    ) else [] end as columns,
    differing.amount_change
from differing
left join causes
    on differing.table_name = causes.table_name and differing.key = causes.key
