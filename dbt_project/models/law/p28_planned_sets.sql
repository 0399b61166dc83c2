-- p28: the sets of the list's month, numbered per person in the order of their grounds (one
-- each, policy food_set.sets_per_person, of the primary ground), with the norm of the region
-- as listed and the delivery that handed them over. A set of someone whose right has ended
-- is withdrawn, unless it was handed over.
with grounds as (
    select
        lists.list_month,
        lists.iin,
        {{ elements(
            "case run_context.food_set__sets_per_person"
            ~ " when 'one' then lists.primary_ground else lists.grounds end"
        ) }} as ground
    from {{ ref('p26_lists') }} as lists
    inner join {{ ref('run_context') }} as run_context
        on lists.list_month = run_context.list_month
    where
        run_context.list_drawn
        and {{ in_force('p28_planned_sets') }}
),

numbered as (
    select
        *,
        row_number() over (partition by iin order by ground asc nulls last) as set_no
    from grounds
),

final as (
    select
        numbered.list_month,
        numbered.iin,
        numbered.ground,
        numbered.set_no,
        lists.list_no,
        lists.standing,
        lists.region_kato,
        lists.district_kato,
        norms.mode,
        norms.set_cost,
        case
            when numbered.set_no <= settled.delivered then 'delivered'
            else settled.other_status
        end as delivery_status,
        lists.standing = 'ended' and numbered.set_no > settled.delivered
            as is_withdrawn,
        handed_over.contract_id as delivered_contract_id,
        norms.norm_row,
        handed_over.delivery_row
    from numbered
    inner join {{ ref('p26_lists') }} as lists
        on numbered.iin = lists.iin and numbered.list_month = lists.list_month
    inner join {{ ref('p30_settled') }} as settled
        on numbered.iin = settled.iin and numbered.list_month = settled.list_month
    left join {{ ref('region_norms') }} as norms
        on lists.region_kato = norms.region_kato
    left join {{ ref('p30_deliveries') }} as handed_over
        on
            numbered.iin = handed_over.iin
            and numbered.list_month = handed_over.list_month
            and case when numbered.set_no <= settled.delivered then numbered.set_no end
            = handed_over.nth_delivered
)

select * from final
