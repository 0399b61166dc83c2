{{ config(materialized='view') }}

{%- set grounds = [] -%}
{%- for listed in var('grounds') -%}
    {%- do grounds.append(
        "case when grounds like '%" ~ listed.ground ~ "%' then 1 else 0 end"
    ) -%}
{%- endfor -%}

-- p26: how many sets each row of the lists has: one, or one per ground as first listed
-- (policy food_set.sets_per_person).
with final as (
    select
        lists.list_month,
        lists.iin,
        case run_context.food_set__sets_per_person
            when 'one' then 1
            else {{ grounds | join(' + ') }}
        end as sets
    from {{ ref('p26_lists') }} as lists
    cross join {{ ref('run_context') }} as run_context
)

select * from final
