{#- What each model is judged by: its own metadata say so, where first_failure put it. -#}
{%- set conditions = [] -%}
{%- for node in (graph.nodes.values() if execute else []) | sort(attribute='name') -%}
{%- for reason in node.config.meta.get('reasons', []) -%}
{%- if 'decides' not in node.config.meta -%}
{{ exceptions.raise_compiler_error(node.name ~ ": meta does not say what it decides") }}
{%- endif -%}
{%- do conditions.append((node.config.meta.decides, node.name, loop.index, reason)) -%}
{%- endfor -%}
{%- endfor -%}

-- The conditions by which the law's models decide, in the order in which they are asked:
-- the first that fails decides. They stand in the run, so that it is explained by them
-- and not by those of a later version.
with final as (
    {%- for decides, model, stage, reason in conditions %}
    select
        '{{ decides }}' as decides,
        '{{ model }}' as model,
        {{ stage }} as stage,
        '{{ reason }}' as reason
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
