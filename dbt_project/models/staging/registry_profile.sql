{{ config(materialized='table') }}

{#- What became of each registry's snapshot: one row per entity, for the door to judge. -#}
{%- set entities = registry_names() -%}

with received as (
    {%- for entity in entities %}
    {{ received_counts(entity) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

rejected as (
    {%- for entity in entities %}
    select
        '{{ entity }}' as entity,
        count(distinct case when reason <> 'duplicate_row' then source_row end)
            as rows_quarantined,
        count(distinct case when reason = 'duplicate_row' then source_row end)
            as rows_duplicate
    from {{ ref('rejected_' ~ entity) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        snapshots.entity,
        snapshots.snapshot_date,
        snapshots.revision,
        snapshots.sha256,
        snapshots.age_days,
        received.rows_received,
        received.rows_received - rejected.rows_quarantined - rejected.rows_duplicate
            as rows_accepted,
        rejected.rows_quarantined,
        rejected.rows_duplicate,
        snapshots.previous_rows,
        snapshots.missing_columns,
        snapshots.extra_columns,
        received.numeric_identifiers,
        received.rows_without_person,
        received.rows_in_future
    from {{ source('landing', 'landed_snapshots') }} as snapshots
    inner join received on snapshots.entity = received.entity
    inner join rejected on snapshots.entity = rejected.entity
)

select * from final
