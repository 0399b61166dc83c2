{{ config(materialized='table') }}

{#-
    The one scan of the population register: everyone another registry speaks of, and the
    parents and guardians of those.
-#}
{%- set about = [
    ('asp_awards', 'applicant_iin'), ('asp_members', 'iin'), ('disability_terms', 'iin'),
    ('institution_stays', 'iin'), ('jobseekers', 'iin'), ('benefit_awards', 'iin'),
    ('benefit_awards', 'dependant_iin'), ('applications', 'iin'), ('deliveries', 'iin'),
    ('lists', 'iin'),
] -%}

with spoken_of as (
    {%- for entity, column in about %}
    select {{ column }} as iin from {{ ref('stg_' ~ entity) }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

parents as (
    select links.parent_iin as iin
    from {{ ref('stg_family_links') }} as links
    where links.child_iin in (select spoken_of.iin from spoken_of)
),

final as (
    select
        persons.iin,
        persons.birth_date,
        persons.death_date,
        persons.kato,
        persons.source_row
    from {{ ref('stg_persons') }} as persons
    where
        persons.iin in (select spoken_of.iin from spoken_of)
        or persons.iin in (select parents.iin from parents)
)

select * from final
