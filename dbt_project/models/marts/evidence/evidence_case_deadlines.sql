{%- set steps = ['p5_forward', 'p6_check', 'p20_match', 'p21_draft', 'p22_sign'] -%}

-- A step of a case rests on the row of the case.
{%- for step in steps %}
select
    concat(case_kind, '|', case_id, '|', step) as row_key,
    case_row as source_row,
    paragraph
from {{ ref(step) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
