{# The rows of a registry with nothing wrong, typed, each with the source row it is. #}
{% macro accepted_rows(entity) -%}
{%- do reads_landing(entity) -%}
{%- set rejections = ref('rejected_' ~ entity) -%}
{%- if execute -%}
with landed as (
    {{- declared_rows(entity) }}
),

rejected as (
    select source_row from {{ rejections }}
),

final as (
    select
        landed.source_row,
        {%- for name in registry(entity).columns %}
        landed.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from landed
    where not exists (
        select 1 from rejected where rejected.source_row = landed.source_row
    )
)

select * from final
{%- endif -%}
{%- endmacro %}
