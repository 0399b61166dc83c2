{#
    One row per rejected row and reason: source_row, reason, key, and whom the row is about
    where no part of the key says so. A malformed line has that reason alone. Repeated keys are judged over all well-formed rows with a complete
    key, on the text of the declared columns: copies of an earlier row are
    `duplicate_row` and nothing else, different rows with one key are all `duplicate_key`.
    Only rows whose key hash repeats are looked at twice.
#}
{% macro rejected_rows(entity) -%}
{%- do reads_landing(entity) -%}
{%- if execute -%}
    {%- set meta = registry(entity).config.meta -%}
    {%- set columns = registry(entity).columns.values() | list -%}
    {%- set faults = row_faults(entity) -%}
    {%- set person = meta.iin_column -%}
    {%- set about = 'cast(null as string)' if person is none or person in meta.key
        else person -%}
    {%- set key_is_complete -%}
        not malformed
        {%- for column in meta.key %} and {{ column }} is not null{% endfor -%}
    {%- endset -%}
with landed as {{ inlined() }} (
    {{- judged_rows(entity) }}
),

repeated_keys as (
    select key_hash
    from (
        select {{ row_hash(meta.key) }} as key_hash
        from landed
        where {{ key_is_complete }}
    ) as keys
    group by key_hash
    having count(*) > 1
),

suspects as (
    select *
    from landed
    where
        {{ key_is_complete }}
        and {{ row_hash(meta.key) }} in (
            select repeated_keys.key_hash from repeated_keys
        )
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
        {{ raw_key(meta.key) }} as key,
        {{ about }} as about
    from numbered
    where nth_equal > 1
),

conflicts as (
    select
        source_row,
        'duplicate_key' as reason,
        {{ raw_key(meta.key) }} as key,
        {{ about }} as about
    from (
        select
            *,
            count(*) over (partition by {{ meta.key | join(', ') }}) as contents
        from numbered
        where nth_equal = 1
    ) as counted
    where contents > 1
),

flagged as (
    select
        source_row,
        case when not malformed then {{ raw_key(meta.key) }} else '' end as key,
        {{ about }} as about,
        case
            when malformed then 'malformed_row'
            else concat_ws(
                '|',
                {%- for reason, condition in faults %}
                case when {{ condition }} then '{{ reason }}' end
                {{- ',' if not loop.last }}
                {%- endfor %}
            )
        end as reasons
    from landed
    where
        malformed
        {%- for reason, condition in faults %}
        or {{ condition }}
        {%- endfor %}
),

faults as (
    select
        source_row,
        {{ elements('reasons') }} as reason,
        key,
        about
    from flagged
    where source_row not in (select copies.source_row from copies)
),

final as (
    select source_row, reason, key, about from copies
    union all
    select source_row, reason, key, about from conflicts
    union all
    select source_row, reason, key, about from faults
)

select * from final
{%- endif -%}
{%- endmacro %}


{#
    All landed rows of a registry as they are judged: every column as text, a day or a
    number as `parsed_` too, and an IIN's digits as `packed_`.
#}
{% macro judged_rows(entity) -%}
    {%- for landed in landed_relations(entity) %}
    select
        {%- for column in registry(entity).columns.values() %}
        {{ as_text(column, landed.types) }} as {{ column.name }},
        {%- if is_parsed(column) %}
        {{ as_declared(column, landed.types) }} as parsed_{{ column.name }},
        {%- elif column.config.meta.type == 'iin' %}
        {{ packed_digits(as_text(column, landed.types)) }} as packed_{{ column.name }},
        {%- endif %}
        {%- endfor %}
        malformed,
        source_row
    from {{ landed.name }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{# Whether a column is more than its text: a day or a number. #}
{% macro is_parsed(column) -%}
    {{ return(column.config.meta.type in ('date', 'amount', 'integer')) }}
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
{% macro row_faults(entity) -%}
    {%- set faults = [] -%}
    {%- set registry = registry(entity) -%}
    {%- for column in registry.columns.values() -%}
        {%- set name = column.name -%}
        {%- set meta = column.config.meta -%}
        {%- if meta.required -%}
            {%- do faults.append(('missing:' ~ name, name ~ ' is null')) -%}
        {%- endif -%}
        {%- if is_parsed(column) -%}
            {%- do faults.append((
                'unparsable:' ~ name,
                '(' ~ name ~ ' is not null and parsed_' ~ name ~ ' is null)',
            )) -%}
            {%- if meta.type == 'date' -%}
                {%- do faults.append(
                    ('impossible_date:' ~ name, is_impossible(column, entity))
                ) -%}
            {%- endif -%}
        {%- elif meta.type == 'code' -%}
            {%- set codes = "'" ~ meta.codes | join("', '") ~ "'" -%}
            {%- do faults.append(
                ('unknown_code:' ~ name, name ~ ' not in (' ~ codes ~ ')')
            ) -%}
        {%- elif meta.type == 'iin' -%}
            {%- do faults.append((
                'invalid_iin:' ~ name,
                '(' ~ name ~ ' is not null and not coalesce('
                ~ iin_is_valid(name, 'packed_' ~ name) ~ ', false))',
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for start, end in registry.config.meta.intervals -%}
        {%- do faults.append((
            'inverted_interval:' ~ end, 'parsed_' ~ end ~ ' < parsed_' ~ start
        )) -%}
    {%- endfor -%}
    {{ return(faults) }}
{%- endmacro %}


{#
    Whether a day cannot be: before the earliest of its column, or a birth after the
    snapshot was taken. Days far ahead (9999-12-31) are how "no end" is written.
#}
{% macro is_impossible(column, entity) -%}
    {%- set defaults = registry(entity).source_meta -%}
    {%- set earliest = column.config.meta.earliest or defaults.earliest -%}
    (
        parsed_{{ column.name }} < date '{{ earliest }}'
        {%- if column.name == 'birth_date' %}
        or parsed_birth_date > {{ snapshot_day(entity) }}
        {%- endif %}
    )
{%- endmacro %}
