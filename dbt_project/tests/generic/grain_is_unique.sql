{#- A model's grain stands with it (meta.grain): no two rows of one, and none without. -#}
{% test grain_is_unique(model) %}
    {%- set grain = [] -%}
    {%- if execute -%}
        {%- set found = graph.nodes.values()
            | selectattr('resource_type', 'equalto', 'model')
            | selectattr('name', 'equalto', model.identifier) | list -%}
        {%- do grain.extend(found[0].config.meta.grain) -%}
    {%- endif %}
    select {{ grain | join(', ') }}
    from {{ model }}
    group by {{ grain | join(', ') }}
    having
        count(*) > 1
        {%- for column in grain %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
