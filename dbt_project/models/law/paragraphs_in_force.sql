-- The edition of each paragraph that applies on as_of, as known on known_at: the one that
-- came into force last, and of several the one recorded last.
with editions as (
    select
        paragraphs.*,
        row_number() over (
            partition by paragraphs.paragraph
            order by
                paragraphs.valid_from desc nulls last,
                paragraphs.recorded_on desc nulls last,
                paragraphs.edition desc nulls last
        ) as nth
    from {{ ref('paragraphs') }} as paragraphs
    cross join {{ ref('run_context') }} as run_context
    where
        paragraphs.recorded_on <= run_context.known_at
        and paragraphs.valid_from <= run_context.as_of
        and (
            paragraphs.valid_to is null or paragraphs.valid_to >= run_context.as_of
        )
),

final as (
    select
        paragraph,
        edition,
        valid_from,
        valid_to,
        recorded_on,
        act_id,
        status
    from editions
    where nth = 1
)

select * from final
