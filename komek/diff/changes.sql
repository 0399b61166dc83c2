-- What differs between the two ends, with its one cause: the last step of the chain in
-- which the row appeared, if it was added, or got what it has. In two queries: one that
-- joins a whole nation's rows, and goes on with few of them, leaves room for the next.
create table differing as
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
where before.columns is distinct from after.columns;

create table changes as
with steps as (
    select
        after.step,
        after.cause,
        before.state as state_before,
        after.state
    from chain as after
    inner join chain as before on after.step = before.step + 1
),

-- Each of them in every step, beside the step before.
stepped as (
    select
        differing.table_name,
        differing.key,
        steps.step,
        steps.cause,
        before.columns is null and after.columns is not null as has_appeared,
        before.columns is distinct from after.columns as has_changed
    from differing
    cross join steps
    left join told as before
        on
            differing.table_name = before.table_name
            and differing.key = before.key
            and steps.state_before = before.state
    left join told as after
        on
            differing.table_name = after.table_name
            and differing.key = after.key
            and steps.state = after.state
),

causes as (
    select
        table_name,
        key,
        max_by(cause, step) filter (where has_appeared) as appeared_by,
        max_by(cause, step) filter (where has_changed) as settled_by
    from stepped
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
