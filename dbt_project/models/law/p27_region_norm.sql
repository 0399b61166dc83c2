-- p27: a region's set costs at least two monthly calculation indices; a region with no
-- norm, or with a set below that, is not published, and neither is one whose own checks
-- failed. One row per region of the classifier on as_of, any other region on the list, and
-- `unassigned` if it has anyone.
with listed as (
    select
        region_kato,
        count(*) as recipients
    from {{ ref('p26_list') }}
    group by region_kato
),

regions as (
    select
        kato as region_kato,
        kato_row
    from {{ ref('territories') }}
    where kato like '%0000000'
),

costed as (
    select
        coalesce(regions.region_kato, listed.region_kato) as region_kato,
        coalesce(listed.recipients, 0) as recipients,
        norms.mode,
        norms.set_cost,
        {{ floor_cost() }} as floor_cost,
        regions.kato_row,
        norms.norm_row
    from regions
    full outer join listed on regions.region_kato = listed.region_kato
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('region_norms') }} as norms
        on coalesce(regions.region_kato, listed.region_kato) = norms.region_kato
    where
        run_context.list_drawn
        and {{ in_force('p27_region_norm') }}
),

final as (
    select
        *,
        case
            when set_cost is null then 'no_norm'
            when set_cost < floor_cost then 'below_floor'
            {%- for region, check in var('blocked_regions').items() %}
            when region_kato = '{{ region }}' then 'check:{{ check }}'
            {%- endfor %}
        end as blocked_by
    from costed
)

select * from final
