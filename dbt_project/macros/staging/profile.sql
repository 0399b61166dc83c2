{#
    Counts of one registry: rows received, accepted rows about someone the population
    register does not know, and rows with an event dated after the snapshot; and which
    identifiers came as numbers.
#}
{% macro received_counts(entity) -%}
{%- do reads_landing(entity) -%}
{%- set accepted = ref('stg_' ~ entity) -%}
{%- set persons = ref('stg_referenced_persons') -%}
{%- set snapshots = source('landing', 'landed_snapshots') -%}
{%- if execute -%}
    {%- set iin_column = registry(entity).config.meta.iin_column -%}
    {%- set events = [] -%}
    {%- for column in registry(entity).columns.values() if is_event(column) -%}
        {%- do events.append('landed.' ~ column.name ~ ' > snapshots.snapshot_date') -%}
    {%- endfor -%}
    select
        '{{ entity }}' as entity,
        (select count(*) from {{ source('landing', entity) }}) as rows_received,
        {%- if iin_column %}
        (
            select count(*)
            from {{ accepted }} as accepted
            where
                accepted.{{ iin_column }} is not null
                and accepted.{{ iin_column }} not in (
                    select persons.iin from {{ persons }} as persons
                )
        ) as rows_without_person,
        {%- else %}
        cast(null as bigint) as rows_without_person,
        {%- endif %}
        {%- if events %}
        (
            select count(*)
            from ({{ declared_rows(entity) }}) as landed
            inner join {{ snapshots }} as snapshots on snapshots.entity = '{{ entity }}'
            where {{ events | join(' or ') }}
        ) as rows_in_future,
        {%- else %}
        cast(0 as bigint) as rows_in_future,
        {%- endif %}
        {{ numeric_identifiers(entity) }} as numeric_identifiers
{%- endif -%}
{%- endmacro %}

{# Whether a day is one on which something happened: it may lie ahead. #}
{% macro is_event(column) -%}
    {{ return(
        column.config.meta.type == 'date'
        and (
            column.name in ('birth_date', 'death_date')
            or (
                column.name.endswith('_on')
                and column.name not in ('start_on', 'stop_on')
            )
        )
    ) }}
{%- endmacro %}

{#
    The identifiers that came as numbers, by name, joined by `|`: their leading zeros are
    lost. A column of nulls is neither number nor text.
#}
{% macro numeric_identifiers(entity) -%}
    {%- set relations = landed_relations(entity) -%}
    {%- set found = [] -%}
    {%- for name, column in registry(entity).columns | dictsort -%}
        {%- set counts = [] -%}
        {%- for landed in relations if is_numeric(landed.types.get(name, '')) -%}
            {%- do counts.append(
                '(select count(' ~ name ~ ') from ' ~ landed.name ~ ')'
            ) -%}
        {%- endfor -%}
        {%- if counts and column.config.meta.type in ('iin', 'identifier') -%}
            {%- do found.append(
                'case when ' ~ counts | join(' + ') ~ " > 0 then '" ~ name ~ "' end"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ "concat_ws('|', " ~ found | join(', ') ~ ')' if found else "''" }}
{%- endmacro %}
