-- What a run (attached as `run`) says, a row per table and key. Where it is of nobody's
-- region, it is told under that of the person it is about. A person's sets (policy
-- one_per_ground) are told together, ground by ground.
insert into told
with repeated as (
    select
        table_name,
        key
    from said
    group by table_name, key
    having count(*) > 1
),

-- Lists are kept in memory whole: only of the few that need them.
together as (
    select
        said.table_name,
        said.what,
        said.key,
        min(said.iin) as iin,
        min(said.own_region_kato) as own_region_kato,
        sum(said.amount) as amount,
        list(said.columns order by said.set_of) as sets
    from said
    semi join repeated
        on said.table_name = repeated.table_name and said.key = repeated.key
    group by said.table_name, said.what, said.key
),

by_key as (
    select
        said.table_name,
        said.what,
        said.key,
        said.iin,
        said.own_region_kato,
        said.amount,
        said.columns
    from said
    anti join repeated
        on said.table_name = repeated.table_name and said.key = repeated.key
    union all
    select
        table_name,
        what,
        key,
        iin,
        own_region_kato,
        amount,
        map_from_entries(list_transform(
            map_keys(sets[1]),
            lambda name: {
                'key': name,
                'value': array_to_string(
                    list_transform(sets, lambda one: coalesce(one[name], '')), ' + '
                )
            }
        )) as columns
    from together
)

select
    $state as state,
    by_key.table_name,
    by_key.what,
    by_key.key,
    by_key.iin,
    coalesce(by_key.own_region_kato, people.region_kato, 'unassigned') as region_kato,
    by_key.amount,
    by_key.columns
from by_key
left join run.facts.people as people on by_key.iin = people.iin
