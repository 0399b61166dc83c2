{#
    Relations are named without the database: a run's file is called otherwise once it is
    published, and its views must still find what they read.
#}
{% macro ref() -%}
    {{ return(builtins.ref(*varargs).include(database=false)) }}
{%- endmacro %}

{% macro source(name, table) -%}
    {{ return(builtins.source(name, table).include(database=false)) }}
{%- endmacro %}
