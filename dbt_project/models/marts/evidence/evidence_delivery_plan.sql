{%- set rows = [
    ('list_row', 'p26'), ('person_row', 'p26'), ('kato_row', 'p26'), ('norm_row', 'p27'),
    ('contract_row', 'p28'), ('account_row', 'p29'), ('minor_row', 'p29'),
    ('link_row', 'p29'), ('representative_row', 'p29'), ('delivery_row', 'p30'),
] -%}

-- A person's planned sets rest on their row of the list, or on the person and territory it
-- was drawn from (p26), the norm of the region (p27), the contracts (p28) or account (p29)
-- and whose it is, and the deliveries that handed sets over (p30).
with plan as (
    select
        plan.*,
        lists.list_row,
        lists.person_row,
        lists.kato_row
    from {{ ref('p28_plan') }} as plan
    inner join {{ ref('p26_lists') }} as lists
        on plan.iin = lists.iin and plan.list_month = lists.list_month
),

final as (
    select
        iin as row_key,
        source_row,
        min(paragraph) as paragraph
    from (
        {%- for row, paragraph in rows %}
        select
            iin,
            {{ row }} as source_row,
            '{{ paragraph }}' as paragraph
        from plan
        where {{ row }} is not null
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as named
    group by iin, source_row
)

select * from final
