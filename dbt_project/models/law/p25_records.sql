{{ config(materialized='view') }}

{%- set grounds = [
    'p25_1_asp_child', 'p25_2_disabled_child', 'p25_3_disability_group', 'p25_4_carer',
    'p25_5_unemployed',
] -%}

-- p25: every record that makes someone a candidate for a ground, and how it was judged.
{%- for ground in grounds %}
select * from {{ ref(ground) }}
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
