{%- set steps = ['p5_forward', 'p6_check', 'p20_match', 'p21_draft', 'p22_sign'] -%}

{%- for step in steps %}
select
    case_kind,
    case_id,
    step,
    paragraph,
    started_on,
    due_on,
    done_on,
    status
from {{ ref(step) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
