{#
    What DuckDB and Spark say differently, each in one dispatched macro.
    Everything else in the project is SQL that both run.
#}

{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'komek')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike '{{ pattern }}'
{%- endmacro %}


{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'komek')(columns)) }}
{%- endmacro %}

{% macro default__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__row_hash(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}


{# Month arithmetic clamps to the last day of the month in both engines. #}
{% macro add_months(date, months) -%}
    {{ return(adapter.dispatch('add_months', 'komek')(date, months)) }}
{%- endmacro %}

{% macro default__add_months(date, months) -%}
    cast({{ date }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(date, months) -%}
    add_months({{ date }}, cast({{ months }} as integer))
{%- endmacro %}


{% macro add_days(date, days) -%}
    {{ return(adapter.dispatch('add_days', 'komek')(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    ({{ date }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(date, days) -%}
    date_add({{ date }}, cast({{ days }} as integer))
{%- endmacro %}


{# The n-th birthday: 29 February is celebrated on the 28th where there is no 29th. #}
{% macro birthday(birth_date, years) -%}
    {{ add_months(birth_date, '12 * cast(' ~ years ~ ' as integer)') }}
{%- endmacro %}


{% macro month_start(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}


{# One row per element of a `|`-joined text, as column `element`. #}
{% macro elements(text) -%}
    {{ return(adapter.dispatch('elements', 'komek')(text)) }}
{%- endmacro %}

{% macro default__elements(text) -%}
    unnest(string_split({{ text }}, '|'))
{%- endmacro %}

{% macro spark__elements(text) -%}
    explode(split({{ text }}, '[|]'))
{%- endmacro %}


{# The texts of a group, ascending, joined by `|`. #}
{% macro joined(text) -%}
    {{ return(adapter.dispatch('joined', 'komek')(text)) }}
{%- endmacro %}

{% macro default__joined(text) -%}
    string_agg({{ text }}, '|' order by {{ text }} asc nulls last)
{%- endmacro %}

{% macro spark__joined(text) -%}
    array_join(array_sort(collect_list({{ text }})), '|')
{%- endmacro %}


{# Whole part and remainder of a division of whole numbers. #}
{% macro quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('quotient', 'komek')(dividend, divisor)) }}
{%- endmacro %}

{% macro default__quotient(dividend, divisor) -%}
    ({{ dividend }} // {{ divisor }})
{%- endmacro %}

{% macro spark__quotient(dividend, divisor) -%}
    ({{ dividend }} div {{ divisor }})
{%- endmacro %}


{#
    Ends the run with a message: for what must never be answered by a default. By what
    stands before it komek.base.messages tells it from an error of the engine's own.
#}
{% macro fail(message) -%}
    {{ return(adapter.dispatch('fail', 'komek')("concat('komek: ', " ~ message ~ ")")) }}
{%- endmacro %}

{% macro default__fail(message) -%}
    error({{ message }})
{%- endmacro %}

{% macro spark__fail(message) -%}
    raise_error({{ message }})
{%- endmacro %}


{# A CTE over a whole registry that is read more than once must not be copied first. #}
{% macro inlined() -%}
    {{ return(adapter.dispatch('inlined', 'komek')()) }}
{%- endmacro %}

{% macro default__inlined() -%}
    not materialized
{%- endmacro %}

{% macro spark__inlined() -%}
{%- endmacro %}


{# A cast that gives null where the value does not parse. #}
{% macro tried_cast(value, type) -%}
    {{ return(adapter.dispatch('tried_cast', 'komek')(value, type)) }}
{%- endmacro %}

{% macro default__tried_cast(value, type) -%}
    try_cast({{ value }} as {{ type }})
{%- endmacro %}


{# Digits read as hexadecimal behind a leading 1; null where they are none. #}
{% macro packed_digits(text) -%}
    {{ return(adapter.dispatch('packed_digits', 'komek')(text)) }}
{%- endmacro %}

{% macro default__packed_digits(text) -%}
    try_cast('0x1' || {{ text }} as bigint)
{%- endmacro %}

{% macro spark__packed_digits(text) -%}
    cast(conv(concat('1', {{ text }}), 16, 10) as bigint)
{%- endmacro %}


{% macro shifted_right(number, bits) -%}
    {{ return(adapter.dispatch('shifted_right', 'komek')(number, bits)) }}
{%- endmacro %}

{% macro default__shifted_right(number, bits) -%}
    ({{ number }} >> {{ bits }})
{%- endmacro %}

{% macro spark__shifted_right(number, bits) -%}
    shiftright({{ number }}, {{ bits }})
{%- endmacro %}
