{%- set entities = registry_names() -%}

with rejected as (
    {%- for entity in entities %}
    select * from {{ ref('rejected_' ~ entity) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        files.entity,
        files.snapshot_date,
        files.file,
        rejected.source_row % {{ rows_per_file() }} as row_number,
        rejected.reason,
        rejected.key
    from rejected
    inner join {{ source('landing', 'landed_files') }} as files
        on {{ quotient('rejected.source_row', rows_per_file()) }} = files.file_no
)

select * from final
