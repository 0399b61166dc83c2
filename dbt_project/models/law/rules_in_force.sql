-- The models that decide for the run: those of the editions in force. A model whose
-- edition is not in force, or that no edition names, decides nothing.
with final as (
    select
        rules.model,
        rules.paragraph,
        rules.edition
    from {{ ref('rules') }} as rules
    inner join {{ ref('paragraphs_in_force') }} as paragraphs_in_force
        on
            rules.paragraph = paragraphs_in_force.paragraph
            and rules.edition = paragraphs_in_force.edition
)

select * from final
