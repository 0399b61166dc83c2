{%- set marts = [
    'food_set_decisions', 'food_set_recipients', 'asp_extensions', 'disability_extensions',
    'mse_queue', 'mse_findings', 'payout_schedule', 'case_deadlines',
    'jobseeker_findings', 'application_findings', 'food_set_lists',
    'list_reconciliation', 'delivery_plan', 'delivery_findings', 'contract_findings',
    'region_status',
] -%}

-- Which source rows decided each row of the marts, and where each was received: what the
-- evidence of every mart names, found in the landed files. Nothing is copied: a view.
with evidence as (
    {%- for mart in marts %}
    select
        '{{ mart }}' as table_name,
        row_key,
        source_row,
        paragraph
    from {{ ref('evidence_' ~ mart) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        evidence.table_name,
        evidence.row_key,
        files.entity,
        files.file,
        evidence.source_row % {{ rows_per_file() }} as row_number,
        evidence.paragraph,
        files.revision,
        files.landed_path
    from evidence
    inner join {{ source('landing', 'landed_files') }} as files
        on {{ quotient('evidence.source_row', rows_per_file()) }} = files.file_no
)

select * from final
