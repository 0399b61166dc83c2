-- What a run (attached as `run`) says, a row per table and key. Where it is of nobody's
-- region, it is told under that of the person it is about. A person's sets (policy
-- one_per_ground) are told together, ground by ground.
insert into told
with by_key as (
    select
        said.table_name,
        said.what,
        said.key,
        min(said.iin) as iin,
        min(
            coalesce(said.own_region_kato, people.region_kato, 'unassigned')
        ) as region_kato,
        sum(said.amount) as amount,
        list(said.columns order by said.set_of) as sets
    from said
    left join run.facts.people as people on said.iin = people.iin
    group by said.table_name, said.what, said.key
)

select
    $state as state,
    table_name,
    what,
    key,
    iin,
    region_kato,
    amount,
    case
        when len(sets) = 1 then sets[1]
        else map_from_entries(list_transform(
            map_keys(sets[1]),
            lambda name: {
                'key': name,
                'value': array_to_string(
                    list_transform(sets, lambda one: coalesce(one[name], '')), ' + '
                )
            }
        ))
    end as columns
from by_key
