-- What passed between the two days, beside what the source rows say: the day by which a
-- step or an examination was due, the day and the month of the list, the emergency.
insert into moments
with ends as (
    select
        changes.table_name,
        changes.key,
        coalesce(second.columns['due_on'], first.columns['due_on']) as due_on,
        case
            when first.columns['listed_on'] <> second.columns['listed_on']
                then second.columns['listed_on']
        end as listed_on
    from changes
    left join told as first
        on
            first.state = $before
            and changes.table_name = first.table_name
            and changes.key = first.key
    left join told as second
        on
            second.state = $after
            and changes.table_name = second.table_name
            and changes.key = second.key
    where changes.cause = 'time'
),

listed as (
    select
        table_name,
        key
    from changes
    where cause = 'time' and table_name like 'food_set_%'
)

select
    table_name,
    key,
    null as entity,
    'due_on' as event,
    null as age,
    cast(due_on as date) as happened_on
from ends
where
    table_name in ('case_deadlines', 'mse_findings')
    and cast(due_on as date) >= cast($earlier as date)
    and cast(due_on as date) < cast($later as date)
union all
select
    table_name,
    key,
    null as entity,
    'listed_on' as event,
    null as age,
    cast(listed_on as date) as happened_on
from ends
where table_name = 'food_set_lists' and listed_on is not null
union all
select
    table_name,
    key,
    null as entity,
    'list_month' as event,
    null as age,
    date_trunc('month', cast($later as date)) as happened_on
from listed
where date_trunc('month', cast($earlier as date)) <> date_trunc('month', cast($later as date))
union all
select
    listed.table_name,
    listed.key,
    null as entity,
    'covered_until' as event,
    null as age,
    context.covered_until as happened_on
from listed
cross join run.facts.run_context as context
where
    context.covered_until >= cast($earlier as date)
    and context.covered_until < cast($later as date)
