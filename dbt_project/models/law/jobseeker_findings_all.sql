{{ config(materialized='view') }}

-- What p19 and p21 find in the cases of jobseekers, with the row of each.
{%- for paragraph in ['p19_centre', 'p21_signing'] %}
select
    case_id,
    iin,
    finding,
    paragraph,
    case_row
from {{ ref(paragraph) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
