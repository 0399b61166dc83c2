{{ config(materialized='view') }}

-- p25: the source rows each record was judged by, one per role: the record itself, and
-- what its ground looks at beside it.
{%- for listed in var('grounds') %}
{%- set last_ground = loop.last %}
{%- for row in listed.rows %}
select
    iin,
    ground,
    {{ listed.rows[0] }} as record_row,
    '{{ row.removesuffix("_row") }}' as role,
    {{ row }} as source_row
from {{ ref(listed.model) }}
where {{ row }} is not null
{%- if not (last_ground and loop.last) %}
union all
{%- endif %}
{%- endfor %}
{%- endfor %}
