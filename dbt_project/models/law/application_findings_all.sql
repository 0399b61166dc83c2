{{ config(materialized='view') }}

-- What p1 to p14 find in the applications, with the row of each.
{%- for model in var('findings').applications %}
select
    application_id,
    finding,
    paragraph,
    application_row
from {{ ref(model) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
