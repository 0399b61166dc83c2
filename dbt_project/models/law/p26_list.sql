{#- In the order of the law, each ground or null where it is not met. -#}
{%- set met_grounds = [] -%}
{%- for listed in var('grounds') -%}
    {%- do met_grounds.append(
        "max(case when ground = '" ~ listed.ground ~ "' then ground end)"
    ) -%}
{%- endfor -%}

-- p26: the recipients of each local executive body on as_of: everyone who meets a ground of
-- p25, in the region and district of their registered KATO code, each once with the grounds
-- met (or once per ground, policy food_set.sets_per_person).
with met as (
    select * from {{ ref('p25_ledger') }}
    where
        outcome = 'met'
        and {{ in_force('p26_list') }}
),

persons as (
    select
        iin,
        coalesce({{ met_grounds | join(', ') }}) as first_ground,
        concat_ws('|', {{ met_grounds | join(', ') }}) as grounds
    from met
    group by iin
),

final as (
    select
        met.list_month,
        met.iin,
        met.region_kato,
        met.district_kato,
        met.ground as primary_ground,
        persons.grounds,
        met.ground = persons.first_ground as is_primary,
        met.person_row,
        met.kato_row
    from met
    inner join persons on met.iin = persons.iin
    cross join {{ ref('run_context') }} as run_context
    where
        met.ground = persons.first_ground
        or run_context.food_set__sets_per_person = 'one_per_ground'
)

select * from final
