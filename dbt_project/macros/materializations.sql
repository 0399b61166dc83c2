{#
    A run's file is built from nothing: no reader sees a table before it is whole, and a
    step that is repeated starts from its own tables. So models are written under their
    own names at once; dbt's way, a copy beside the old table and two renames, takes
    longer than most of our models do. A table that was taken from a run before is there.
    One that people are looked up in lies in their order: all but the part that can have a
    person is passed over then, which makes a look-up in millions of rows five times as
    fast, and costs a third of a second a million rows.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set person = model.config.meta.get('looked_up_by') -%}
    {%- set elsewhere = var('elsewhere').get(model.name) -%}
    {%- set built = decided_elsewhere(elsewhere) if elsewhere else compiled_code -%}
    {%- set ordered -%}
        select * from ({{ built }}) as built order by {{ person }} asc nulls last
    {%- endset -%}
    {%- call statement('main') -%}
        {%- if model.name in var('taken') -%}
        select 'taken'
        {%- else -%}
        drop table if exists {{ target }};
        {{ create_table_as(False, target, ordered if person else built) }}
        {%- endif -%}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='view') -%}
    {%- call statement('main') -%}
        drop view if exists {{ target }};
        {{ create_view_as(target, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#
    What another engine has decided, read: the same columns, as the contract has them. Some
    engines widen amounts as they add them up.
#}
{% macro decided_elsewhere(relation) -%}
    select
        {%- for column in model.columns.values() %}
        {%- set name = adapter.quote(column.name) %}
        cast({{ name }} as {{ column.data_type }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}


{# On Spark tables are Parquet; the contracts are kept where DuckDB reads them. #}
{% materialization table, adapter='spark', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- call statement('before') -%} drop table if exists {{ target }} {%- endcall -%}
    {%- call statement('main') -%}
        create table {{ target }} using parquet as {{ compiled_code }}
    {%- endcall -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='spark', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='view') -%}
    {%- call statement('main') -%}
        create or replace view {{ target }} as {{ compiled_code }}
    {%- endcall -%}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
