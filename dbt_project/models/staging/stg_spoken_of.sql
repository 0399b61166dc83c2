{{ config(materialized='table') }}

{%- set about = [
    ('asp_awards', 'applicant_iin'), ('asp_members', 'iin'), ('disability_terms', 'iin'),
    ('institution_stays', 'iin'), ('jobseekers', 'iin'), ('benefit_awards', 'iin'),
    ('benefit_awards', 'dependant_iin'), ('applications', 'iin'), ('deliveries', 'iin'),
    ('lists', 'iin'),
] -%}

-- Everyone whom a registry other than that of the population speaks of, each once.
with named as (
    {%- for entity, column in about %}
    select {{ column }} as iin from {{ ref('stg_' ~ entity) }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

final as (
    select iin
    from named
    where iin is not null
)

select * from final
