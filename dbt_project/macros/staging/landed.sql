{#
    What landed, read: the registries, the relations their rows stand in, and a landed
    column as text or as what is declared of it. The rules of text, days and numbers stand
    here and nowhere else.
#}

{#
    Every registry that a source delivers; the registry table itself cannot be read while
    dbt parses.
#}
{% macro registry_names() -%}
    {{ return([
        'persons', 'family_links', 'asp_awards', 'asp_members', 'disability_terms',
        'institution_stays', 'jobseekers', 'benefit_awards', 'benefit_payments',
        'applications', 'food_set_norms', 'supply_contracts', 'deliveries',
        'bank_accounts', 'kato',
    ]) }}
{%- endmacro %}

{# What a model reads of the landing, said where dbt looks for it: while it parses. #}
{% macro reads_landing(entity) -%}
    {%- do source('landing', entity) -%}
    {%- do source('landing', 'landed_columns') -%}
    {%- do source('landing', 'landed_snapshots') -%}
{%- endmacro %}

{# A registry's entry in the registry table (registries.yml). #}
{% macro registry(entity) -%}
    {%- set tables = graph.sources.values()
        | selectattr('source_name', 'equalto', 'landing')
        | selectattr('name', 'equalto', entity) | list -%}
    {{ return(tables[0]) }}
{%- endmacro %}

{#
    The relations a registry's rows stand in, each with the types of its columns by name:
    one, or one per shape where files of a snapshot differ in columns or types. Where
    nothing has landed (lint reads the models so) all is text.
#}
{% macro landed_relations(entity) -%}
    {%- set landing = source('landing', entity) -%}
    {%- set landed_columns = source('landing', 'landed_columns') -%}
    {%- set types = {} -%}
    {%- if load_relation(landed_columns) is none -%}
        {%- for name in registry(entity).columns -%}
            {%- do types.setdefault(landing.identifier, {}).update({name: 'VARCHAR'}) -%}
        {%- endfor -%}
    {%- else -%}
        {%- for name, column, type in run_query(
            "select relation, name, type from " ~ landed_columns
            ~ " where entity = '" ~ entity ~ "' order by relation asc nulls last"
        ).rows -%}
            {%- do types.setdefault(name, {}).update({column: type}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set relations = [] -%}
    {%- for name in types -%}
        {%- do relations.append({
            'name': landing.incorporate(path={'identifier': name}), 'types': types[name]
        }) -%}
    {%- endfor -%}
    {{ return(relations) }}
{%- endmacro %}

{# The date of the snapshot a registry is read from, as a literal; null before any. #}
{% macro snapshot_day(entity) -%}
    {%- set snapshots = source('landing', 'landed_snapshots') -%}
    {%- set found = [] if load_relation(snapshots) is none else run_query(
        "select snapshot_date from " ~ snapshots ~ " where entity = '" ~ entity ~ "'"
    ).rows -%}
    {{ "date '" ~ found[0][0] ~ "'" if found else 'cast(null as date)' }}
{%- endmacro %}

{#
    All landed rows of a registry, from the relations they stand in: every column as
    declared (null where it does not parse), with `source_row`. What reads only some
    columns parses only those.
#}
{% macro declared_rows(entity, relations) -%}
    {%- for landed in relations %}
    select
        {%- for column in registry(entity).columns.values() %}
        {{ as_declared(column, landed.types) }} as {{ column.name }},
        {%- endfor %}
        source_row
    from {{ landed.name }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{# Whether a landed column holds numbers. #}
{% macro is_numeric(landed_type) -%}
    {{ return(landed_type.split('(')[0] in (
        'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT',
        'UINTEGER', 'UBIGINT', 'UHUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL',
    )) }}
{%- endmacro %}

{# A landed column as text; only the empty field is null, and a midnight is its day. #}
{% macro as_text(column, types) -%}
    {%- set landed_type = types.get(column.name) -%}
    {%- if landed_type is none -%} cast(null as string)
    {%- elif landed_type == 'VARCHAR' -%} nullif({{ column.name }}, '')
    {%- elif landed_type.startswith('TIMESTAMP') -%}
        case
            when {{ is_midnight(column.name) }}
                then cast(cast({{ column.name }} as date) as string)
            else cast({{ column.name }} as string)
        end
    {%- else -%} cast({{ column.name }} as string)
    {%- endif -%}
{%- endmacro %}

{#
    A landed column as its declared type; null where it does not parse. What is typed as
    that already is taken as it is, all else is read as its text.
#}
{% macro as_declared(column, types) -%}
    {%- set type = column.config.meta.type -%}
    {%- if type == 'date' -%} {{ as_date(column, types) }}
    {%- elif type == 'amount' -%} {{ as_amount(column, types) }}
    {%- elif type == 'integer' -%} {{ as_integer(column, types) }}
    {%- else -%} {{ as_text(column, types) }}
    {%- endif -%}
{%- endmacro %}

{#
    A day lies in the years 0001 to 9999: what is written with four digits, and no year is
    0000.
#}
{% macro as_date(column, types) -%}
    {%- set landed_type = types.get(column.name, '') -%}
    {%- set text = as_text(column, types) -%}
    case
    {%- if landed_type == 'DATE' %}
        when {{ has_four_digits(column.name) }} then {{ column.name }}
    {%- elif landed_type.startswith('TIMESTAMP') %}
        when
            {{ is_midnight(column.name) }}
            and {{ has_four_digits("cast(" ~ column.name ~ " as date)") }}
            then cast({{ column.name }} as date)
    {%- else %}
        when
            {{ matches(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') }} and {{ text }} >= '0001'
            then {{ tried_cast(text, 'date') }}
    {%- endif %}
    end
{%- endmacro %}

{# An amount has at most 16 digits before the point and two after it. #}
{% macro as_amount(column, types) -%}
    {%- if is_numeric(types.get(column.name, '')) -%}
        {{ unchanged(column.name, 'decimal(18, 2)') }}
    {%- else -%}
        {{ parsed(as_text(column, types), '^-?[0-9]{1,16}([.][0-9]{1,2})?$',
            'decimal(18, 2)') }}
    {%- endif -%}
{%- endmacro %}

{# A whole number has no sign. #}
{% macro as_integer(column, types) -%}
    {%- if is_numeric(types.get(column.name, '')) -%}
        {{ unchanged(column.name, 'bigint', 'and ' ~ column.name ~ ' >= 0') }}
    {%- else -%}
        {{ parsed(as_text(column, types), '^[0-9]+$', 'bigint') }}
    {%- endif -%}
{%- endmacro %}

{# A text as a number, where it is written as one. #}
{% macro parsed(text, pattern, type) -%}
    case when {{ matches(text, pattern) }} then {{ tried_cast(text, type) }} end
{%- endmacro %}

{# A number as another type, where that is the same number. #}
{% macro unchanged(column, type, condition='') -%}
    case
        when {{ tried_cast(column, type) }} = {{ column }} {{ condition }}
            then {{ tried_cast(column, type) }}
    end
{%- endmacro %}

{% macro is_midnight(instant) -%}
    {{ instant }} = date_trunc('day', {{ instant }})
{%- endmacro %}

{% macro has_four_digits(day) -%}
    {{ day }} between date '0001-01-01' and date '9999-12-31'
{%- endmacro %}
