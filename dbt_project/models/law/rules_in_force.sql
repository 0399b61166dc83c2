-- The models that decide for the run: those of the editions in force. A model whose
-- edition is not in force, or that no edition names, decides nothing. What a model judges
-- began on the day from which the Rules govern, or on that of the first edition that names
-- it, where that is a later one than the Rules' first.
with since as (
    select
        rules.model,
        rules.paragraph,
        min(paragraphs.valid_from) as first_on
    from {{ ref('rules') }} as rules
    inner join {{ ref('paragraphs') }} as paragraphs
        on
            rules.paragraph = paragraphs.paragraph
            and rules.edition = paragraphs.edition
    group by rules.model, rules.paragraph
),

final as (
    select
        rules.model,
        rules.paragraph,
        rules.edition,
        case
            when since.first_on > run_context.rules_first_on then since.first_on
            else run_context.governed_from
        end as governs_from
    from {{ ref('rules') }} as rules
    inner join {{ ref('paragraphs_in_force') }} as paragraphs_in_force
        on
            rules.paragraph = paragraphs_in_force.paragraph
            and rules.edition = paragraphs_in_force.edition
    inner join since
        on rules.model = since.model and rules.paragraph = since.paragraph
    cross join {{ ref('run_context') }} as run_context
)

select * from final
