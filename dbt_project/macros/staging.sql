{#
    The two halves of staging, the same for every registry and driven by the registry
    table (registries.yml): what is wrong with a row (rejected_rows), and the rows with
    nothing wrong, typed (accepted_rows). A landed column is text, from a CSV, or typed,
    from Parquet; `landed_types` asks the landing which, so that typed columns are not
    turned to text and parsed back.
#}

{# Every registry; the registry table itself cannot be read while dbt parses. #}
{% macro registry_names() -%}
    {{ return([
        'persons', 'family_links', 'asp_awards', 'asp_members', 'disability_terms',
        'institution_stays', 'jobseekers', 'benefit_awards', 'benefit_payments',
        'applications', 'food_set_norms', 'supply_contracts', 'deliveries',
        'bank_accounts', 'kato',
    ]) }}
{%- endmacro %}

{% macro registry(entity) -%}
    {%- set tables = graph.sources.values()
        | selectattr('source_name', 'equalto', 'landing')
        | selectattr('name', 'equalto', entity) | list -%}
    {{ return(tables[0]) }}
{%- endmacro %}

{% macro landed_types(entity) -%}
    {%- set types = {} -%}
    {%- for column in adapter.get_columns_in_relation(source('landing', entity)) -%}
        {%- do types.update({column.name: column.dtype | upper}) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}


{# Whether a landed column holds numbers. #}
{% macro is_numeric(landed_type) -%}
    {{ return(landed_type.split('(')[0] in (
        'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT',
        'UINTEGER', 'UBIGINT', 'UHUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL',
        'BYTE', 'SHORT', 'INT', 'LONG',
    )) }}
{%- endmacro %}

{# A landed column as text; only the empty field is null, and a midnight is its day. #}
{% macro as_text(column, landed_type) -%}
    {%- if landed_type is none -%} cast(null as varchar)
    {%- elif landed_type in ('VARCHAR', 'STRING') -%} nullif({{ column }}, '')
    {%- elif landed_type.startswith('TIMESTAMP') -%}
        case
            when {{ column }} = date_trunc('day', {{ column }})
                then cast(cast({{ column }} as date) as varchar)
            else cast({{ column }} as varchar)
        end
    {%- else -%} cast({{ column }} as varchar)
    {%- endif -%}
{%- endmacro %}

{#
    A landed column as its declared type; null where it does not parse. What is typed as
    something else is read as its text. A day lies in the years 0001 to 9999: what is
    written with four digits, and no year is 0000.
#}
{% macro as_declared(column, type, landed_type) -%}
    {%- set text = as_text(column, landed_type) -%}
    {%- if landed_type is none and type == 'date' -%} cast(null as date)
    {%- elif landed_type is none and type == 'amount' -%} cast(null as decimal(18, 2))
    {%- elif landed_type is none and type == 'integer' -%} cast(null as bigint)
    {%- elif type == 'date' and landed_type == 'DATE' -%}
        case
            when {{ column }} between date '0001-01-01' and date '9999-12-31'
                then {{ column }}
        end
    {%- elif type == 'date' and landed_type.startswith('TIMESTAMP') -%}
        case
            when
                {{ column }} = date_trunc('day', {{ column }})
                and cast({{ column }} as date)
                between date '0001-01-01' and date '9999-12-31'
                then cast({{ column }} as date)
        end
    {%- elif type == 'date' -%}
        case
            when
                {{ matches(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') }}
                and {{ text }} >= '0001'
                then {{ tried_cast(text, 'date') }}
        end
    {%- elif type == 'amount' and is_numeric(landed_type) -%}
        case
            when {{ tried_cast(column, 'decimal(18, 2)') }} = {{ column }}
                then {{ tried_cast(column, 'decimal(18, 2)') }}
        end
    {%- elif type == 'amount' -%}
        case
            when {{ matches(text, '^-?[0-9]{1,16}([.][0-9]{1,2})?$') }}
                then {{ tried_cast(text, 'decimal(18, 2)') }}
        end
    {%- elif type == 'integer' and is_numeric(landed_type) -%}
        case
            when
                {{ tried_cast(column, 'bigint') }} = {{ column }} and {{ column }} >= 0
                then {{ tried_cast(column, 'bigint') }}
        end
    {%- elif type == 'integer' -%}
        case
            when {{ matches(text, '^[0-9]+$') }}
                then {{ tried_cast(text, 'bigint') }}
        end
    {%- else -%} {{ text }}
    {%- endif -%}
{%- endmacro %}


{#
    One row per rejected row and reason: source_row, reason, key. A malformed line has
    that reason alone. Repeated keys are judged over all well-formed rows with a complete
    key, on the text of the declared columns: copies of an earlier row are
    `duplicate_row` and nothing else, different rows with one key are all `duplicate_key`.
    Only rows whose key hash repeats are looked at twice.
#}
{% macro rejected_rows(entity) -%}
{%- set landing = source('landing', entity) -%}
{%- if execute -%}
    {%- set table = registry(entity) -%}
    {%- set meta = table.config.meta -%}
    {%- set landed = landed_types(entity) -%}
    {%- set columns = table.columns.values() | list -%}
    {%- set key_is_complete -%}
        not malformed
        {%- for column in meta.key %} and {{ column }} is not null{% endfor -%}
    {%- endset -%}
with landed as {{ inlined() }} (
    select
        source_row,
        malformed,
        {%- for column in columns %}
        {{ as_text(column.name, landed.get(column.name)) }} as {{ column.name }},
        {%- if column.config.meta.type in ('date', 'amount', 'integer') %}
        {{ as_declared(column.name, column.config.meta.type, landed.get(column.name)) }}
            as parsed_{{ column.name }},
        {%- elif column.config.meta.type == 'iin' %}
        {{ packed_digits(as_text(column.name, landed.get(column.name))) }}
            as packed_{{ column.name }},
        {%- endif %}
        {%- endfor %}
    from {{ landing }}
),

repeated_keys as (
    select key_hash
    from (
        select {{ row_hash(meta.key) }} as key_hash
        from landed
        where {{ key_is_complete }}
    )
    group by key_hash
    having count(*) > 1
),

suspects as (
    select *
    from landed
    where
        {{ key_is_complete }}
        and {{ row_hash(meta.key) }} in (select key_hash from repeated_keys)
),

numbered as (
    select
        *,
        row_number() over (
            partition by {{ columns | map(attribute='name') | join(', ') }}
            order by source_row asc nulls last
        ) as nth_equal
    from suspects
),

copies as (
    select
        source_row,
        'duplicate_row' as reason,
        {{ raw_key(meta.key) }} as key
    from numbered
    where nth_equal > 1
),

conflicts as (
    select
        source_row,
        'duplicate_key' as reason,
        {{ raw_key(meta.key) }} as key
    from (
        select
            *,
            count(*) over (partition by {{ meta.key | join(', ') }}) as contents
        from numbered
        where nth_equal = 1
    )
    where contents > 1
),

flagged as (
    select
        source_row,
        case when not malformed then {{ raw_key(meta.key) }} else '' end as key,
        case
            when malformed then 'malformed_row'
            else concat_ws(
                '|',
                {%- for reason, condition in row_faults(columns, meta) %}
                case when {{ condition }} then '{{ reason }}' end
                {%- if not loop.last %},{% endif %}
                {%- endfor %}
            )
        end as reasons
    from landed
    where
        malformed
        {%- for reason, condition in row_faults(columns, meta) %}
        or {{ condition }}
        {%- endfor %}
),

faults as (
    select
        source_row,
        {{ elements('reasons') }} as reason,
        key
    from flagged
    where source_row not in (select source_row from copies)
),

final as (
    select source_row, reason, key from copies
    union all
    select source_row, reason, key from conflicts
    union all
    select source_row, reason, key from faults
)

select * from final
{%- endif -%}
{%- endmacro %}

{# The raw key values, joined by `|`; a missing part is empty. #}
{% macro raw_key(key) -%}
    concat(
        {%- for column in key -%}
            {%- if not loop.first %}, '|', {% endif -%}
            coalesce({{ column }}, '')
        {%- endfor -%}
    )
{%- endmacro %}

{# What can be wrong with a row by itself: pairs of reason and condition. #}
{% macro row_faults(columns, meta) -%}
    {%- set faults = [] -%}
    {%- for column in columns -%}
        {%- set name = column.name -%}
        {%- set type = column.config.meta.type -%}
        {%- if column.config.meta.required -%}
            {%- do faults.append(('missing:' ~ name, name ~ ' is null')) -%}
        {%- endif -%}
        {%- if type in ('date', 'amount', 'integer') -%}
            {%- do faults.append((
                'unparsable:' ~ name,
                '(' ~ name ~ ' is not null and parsed_' ~ name ~ ' is null)',
            )) -%}
        {%- elif type == 'code' -%}
            {%- set codes = "'" ~ column.config.meta.codes | join("', '") ~ "'" -%}
            {%- do faults.append(('unknown_code:' ~ name, name ~ ' not in (' ~ codes ~ ')')) -%}
        {%- elif type == 'iin' -%}
            {%- do faults.append((
                'invalid_iin:' ~ name,
                '(' ~ name ~ ' is not null and not coalesce('
                ~ iin_is_valid(name, 'packed_' ~ name) ~ ', false))',
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for start, end in meta.intervals -%}
        {%- do faults.append((
            'inverted_interval:' ~ end, 'parsed_' ~ end ~ ' < parsed_' ~ start
        )) -%}
    {%- endfor -%}
    {{ return(faults) }}
{%- endmacro %}


{# The rows with nothing wrong, typed, each with the source row it is. #}
{% macro accepted_rows(entity) -%}
{%- set landing = source('landing', entity) -%}
{%- set rejections = ref('rejected_' ~ entity) -%}
{%- if execute -%}
    {%- set landed = landed_types(entity) -%}
with landed as (
    select * from {{ landing }}
),

rejected as (
    select source_row from {{ rejections }}
),

final as (
    select
        landed.source_row,
        {%- for column in registry(entity).columns.values() %}
        {{ as_declared('landed.' ~ column.name, column.config.meta.type,
            landed.get(column.name)) }} as {{ column.name }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from landed
    where not exists (
        select 1 from rejected where rejected.source_row = landed.source_row
    )
)

select * from final
{%- endif -%}
{%- endmacro %}


{#
    Counts of one entity: rows received, accepted rows about someone the population
    register does not know, and rows with an event dated after the snapshot.
#}
{% macro received_counts(entity) -%}
{%- set landing = source('landing', entity) -%}
{%- set accepted = ref('stg_' ~ entity) -%}
{%- set persons = ref('stg_referenced_persons') -%}
{%- set snapshots = source('landing', 'landed_snapshots') -%}
{%- if execute -%}
    {%- set table = registry(entity) -%}
    {%- set landed = landed_types(entity) -%}
    {%- set iin_column = table.config.meta.iin_column -%}
    {%- set ahead = [] -%}
    {%- for column in table.columns.values() -%}
        {%- set is_event = column.name in ('birth_date', 'death_date')
            or (column.name.endswith('_on') and column.name not in ('start_on', 'stop_on')) -%}
        {%- if column.config.meta.type == 'date' and is_event -%}
            {%- do ahead.append(
                as_declared('landed.' ~ column.name, 'date', landed.get(column.name))
                ~ ' > snapshots.snapshot_date'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    select
        '{{ entity }}' as entity,
        (select count(*) from {{ landing }}) as rows_received,
        {%- if iin_column %}
        (
            select count(*)
            from {{ accepted }}
            where
                {{ iin_column }} is not null
                and {{ iin_column }} not in (select iin from {{ persons }})
        ) as rows_without_person,
        {%- else %}
        cast(null as bigint) as rows_without_person,
        {%- endif %}
        {%- if ahead %}
        (
            select count(*)
            from {{ landing }} as landed
            inner join {{ snapshots }} as snapshots on snapshots.entity = '{{ entity }}'
            where {{ ahead | join(' or ') }}
        ) as rows_in_future
        {%- else %}
        cast(0 as bigint) as rows_in_future
        {%- endif %}
{%- endif -%}
{%- endmacro %}
