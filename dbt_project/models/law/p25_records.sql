{{ config(materialized='view') }}

-- p25: every record that makes someone a candidate for a ground, and how it was judged.
{%- for ground in var('grounds') %}
select * from {{ ref(ground.model) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
