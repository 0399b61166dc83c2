{# A day that the run was given: as_of or known_at. #}
{% macro run_day(name) -%}
    cast('{{ var(name) }}' as date)
{%- endmacro %}


{# The column that a parameter or policy has in run_context: a point is no letter. #}
{% macro column_for(name) -%}
    {{ return(name | replace('.', '__')) }}
{%- endmacro %}


{# Rows of a name and its value as one row, with a column for each of the names. #}
{% macro in_columns(names, name, type) -%}
    {%- for listed in names %}
        cast(max(case when {{ name }} = '{{ listed }}' then value end) as {{ type }})
            as {{ column_for(listed) }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# Whether a name is one of those; the run ends with one that is not. #}
{% macro is_listed(names, name, kind) -%}
    case
        when {{ name }} in ('{{ names | join("', '") }}') then true
        else {{ fail(
            "concat('no model computes by the " ~ kind ~ " ', " ~ name
            ~ ", ': run_context does not list it')"
        ) }}
    end
{%- endmacro %}


{#
    The names of a law table that an amending act brings which is not in force yet: nothing
    is computed by them, and they need no value.
#}
{% macro not_yet(table, name, acts) -%}
    select
        named.{{ name }},
        1 as value
    from {{ ref(table) }} as named
    left join {{ acts }} on named.act_id = {{ acts }}.act_id
    group by named.{{ name }}
    having max(coalesce({{ acts }}.is_in_force, 1)) = 0
{%- endmacro %}


{#
    Columns of which none may be null while the Rules are in force, but for those to come:
    there is no default.
#}
{% macro covered_columns(names, relation, to_come) -%}
    {%- for listed in names %}
        case
            when
                rules.are_in_force
                and {{ to_come }}.{{ column_for(listed) }} is null
                and {{ relation }}.{{ column_for(listed) }} is null
                then {{ fail("'no value of law covers the date: " ~ listed ~ "'") }}
            else {{ relation }}.{{ column_for(listed) }}
        end as {{ column_for(listed) }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
