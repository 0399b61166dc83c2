{{ config(materialized='view') }}

-- p25: every record that makes someone a candidate for a ground, and how it was judged.
{%- for listed in var('grounds') %}
select
    iin,
    ground,
    stage,
    reason,
    {{ listed.rows[0] }} as record_row
from {{ ref(listed.model) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
