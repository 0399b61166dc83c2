{{ config(materialized='table') }}

{#- The one scan of the population register: everyone another registry speaks of. -#}
{%- set about = [
    ('asp_awards', 'applicant_iin'), ('asp_members', 'iin'), ('disability_terms', 'iin'),
    ('institution_stays', 'iin'), ('jobseekers', 'iin'), ('benefit_awards', 'iin'),
    ('benefit_awards', 'dependant_iin'), ('applications', 'iin'), ('deliveries', 'iin'),
] -%}

with spoken_of as (
    {%- for entity, column in about %}
    select {{ column }} as iin from {{ ref('stg_' ~ entity) }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        persons.iin,
        persons.birth_date,
        persons.death_date,
        persons.kato,
        persons.source_row
    from {{ ref('stg_persons') }} as persons
    where persons.iin in (select spoken_of.iin from spoken_of)
)

select * from final
