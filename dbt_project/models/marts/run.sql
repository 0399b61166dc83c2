-- started_at and finished_at come from the clock of the machine, not from the result.
with context as (
    select * from {{ ref('run_context') }}
),

editions as (
    select count(*) as paragraphs
    from {{ ref('paragraphs_in_force') }}
),

-- The order restated Rules that were there before it: what is not loaded may have been.
loaded as (
    select
        min(valid_from) as first_on,
        min(recorded_on) as known_on
    from {{ ref('paragraphs') }}
),

final as (
    select
        context.run_id,
        context.as_of,
        context.known_at,
        '{{ var("code_version", "") }}' as code_version,
        '{{ var("law_sha256", "") }}' as law_sha256,
        '{{ var("policies", "") }}' as policies,
        cast('{{ var("started_at", "1970-01-01 00:00:00") }}' as timestamp)
            as started_at,
        cast(null as timestamp) as finished_at,
        context.emergency_starts_at,
        context.emergency_ends_at,
        context.list_drawn,
        case
            when editions.paragraphs = 0
                then concat(
                    'The edition of the rules that applied on ',
                    cast(context.as_of as string),
                    ', as known on ', cast(context.known_at as string),
                    ', is not loaded (the first that is applies from ',
                    cast(loaded.first_on as string),
                    ' and is known from ', cast(loaded.known_on as string),
                    '): nothing is decided.'
                )
            when context.list_drawn then ''
            else concat(
                'No list is drawn for ', cast(context.as_of as string),
                ': the emergency known on ', cast(context.known_at as string),
                ' covers ', cast(context.emergency_starts_on as string),
                ' to ', cast(context.covered_until as string), '.'
            )
        end as note,
        cast('' as string) as override_reason,
        cast('' as string) as overridden_checks
    from context
    cross join editions
    cross join loaded
)

select * from final
