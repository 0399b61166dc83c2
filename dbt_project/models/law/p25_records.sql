{{ config(materialized='view') }}

-- p25: every record that makes someone a candidate for a ground, and how it was judged.
{%- for ground, rows in grounds().items() %}
select
    iin,
    ground,
    stage,
    reason,
    {{ rows[0] }} as record_row
from {{ ref(ground) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
