-- The norm of each region on as_of: of those decided and in force the latest valid_from,
-- then the latest decision, then the greatest norm_id.
with norms as (
    select
        norms.*,
        row_number() over (
            partition by norms.kato
            order by
                norms.valid_from desc nulls last,
                norms.decided_on desc nulls last,
                norms.norm_id desc nulls last
        ) as nth
    from {{ ref('stg_food_set_norms') }} as norms
    cross join {{ ref('run_context') }} as run_context
    where
        -- that is nobody's code: who is there has no norm
        norms.kato <> 'unassigned'
        and norms.decided_on <= run_context.as_of
        and norms.valid_from <= run_context.as_of
        and (norms.valid_to is null or norms.valid_to >= run_context.as_of)
),

final as (
    select
        kato as region_kato,
        norm_id,
        mode,
        set_cost,
        source_row as norm_row
    from norms
    where nth = 1
)

select * from final
