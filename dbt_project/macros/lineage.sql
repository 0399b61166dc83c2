{# A source row is its file's number in the run and its place in that file, in one number. #}
{% macro rows_per_file() -%}
    10000000000
{%- endmacro %}


{#
    One lineage row per mart row and source row that decided it. `rows` are the columns of
    the relation that hold source rows; a paragraph that is none stands in the relation.
    `distinct` where the relation may name a source row twice for one mart row.
#}
{% macro evidence(
    table, paragraph, key, relation, rows, condition='true', distinct=false
) -%}
    {%- for row in rows %}
    select {%- if distinct %} distinct {%- endif %}
        '{{ table }}' as table_name,
        {{ key }} as row_key,
        {{ row }} as source_row,
        {% if paragraph is none %}paragraph{% else %}'{{ paragraph }}'{% endif %} as paragraph
    from {{ relation }}
    where {{ row }} is not null and {{ condition }}
    {%- if not loop.last %}
    union {%- if not distinct %} all {%- endif %}
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{# The rows of one column that a relation has beside the ledger's own (p25). #}
{% macro beside_row(model, row) -%}
    select
        iin,
        ground,
        {{ row }} as source_row
    from {{ ref(model) }}
{%- endmacro %}
