{% test rule_of_an_edition(model) %}
    select model.model
    from {{ model }} as model
    left join {{ ref('paragraphs') }} as paragraphs
        on
            model.paragraph = paragraphs.paragraph
            and model.edition = paragraphs.edition
            and paragraphs.status = 'computed'
    where paragraphs.paragraph is null
{% endtest %}
