{#- What each model may find: its own metadata say so (meta.finds, by mart). -#}
{%- set codes = [] -%}
{%- for node in (graph.nodes.values() if execute else []) | sort(attribute='name') -%}
{%- for mart, found in node.config.meta.get('finds', {}).items() -%}
{%- for code in found -%}
{%- do codes.append((mart, code, node.name)) -%}
{%- endfor -%}
{%- endfor -%}
{%- endfor -%}

-- What the law's models may find, by the mart that shows it. It stands in the run, so that
-- its result is checked by the codes it had and not by those of a later version.
with final as (
    {%- for mart, code, model in codes %}
    select
        '{{ mart }}' as mart,
        '{{ code }}' as finding,
        '{{ model }}' as model
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        cast(null as string) as mart,
        cast(null as string) as finding,
        cast(null as string) as model
    {%- endfor %}
)

select * from final
