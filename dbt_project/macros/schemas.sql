{# A model's schema is the room it stands in (staging, facts, law, marts), nothing else. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
