{{ config(materialized='view') }}

-- What p19 and p21 find in the cases of jobseekers, with the row of each.
{%- for model in var('findings').jobseekers %}
select
    case_id,
    iin,
    finding,
    paragraph,
    case_row
from {{ ref(model) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
