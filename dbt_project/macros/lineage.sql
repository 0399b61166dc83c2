{# A source row is its file's number in the run and its place in that file, in one number. #}
{% macro rows_per_file() -%}
    10000000000
{%- endmacro %}


{#
    One lineage row per mart row and source row that decided it. `rows` are the columns of
    the relation that hold source rows; a paragraph that is none stands in the relation.
#}
{% macro evidence(table, paragraph, key, relation, rows, condition='true') -%}
    {%- for row in rows %}
    select
        '{{ table }}' as table_name,
        {{ key }} as row_key,
        {{ row }} as source_row,
        {% if paragraph is none %}paragraph
        {%- elif paragraph.startswith('case') %}{{ paragraph }}
        {%- else %}'{{ paragraph }}'
        {%- endif %} as paragraph
    from {{ relation }}
    where {{ row }} is not null and {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
