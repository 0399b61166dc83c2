-- p17: terms of all four kinds that ran out not more than a month before the emergency or
-- during it are extended automatically to its last day, each by its own date. A child
-- who turns 16 in that time, or a person established as a minor who turns 18, is examined
-- (policy disability.age_transition: and extended all the same, or not). An extension
-- never shortens a term.
with running_out as (
    select
        terms.*,
        people.death_date,
        people.person_row,
        turning.cause,
        run_context.disability__age_transition as age_transition,
        case run_context.disability__until
            when 'plus_months' then {{ add_months(
                'terms.valid_until', 'run_context.disability__plus_months'
            ) }}
            else run_context.covered_until
        end as computed_until
    from {{ ref('disability_terms') }} as terms
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on terms.iin = people.iin
    left join {{ ref('p17_coming_of_age') }} as turning
        on terms.term_id = turning.term_id
    where
        terms.valid_until between run_context.window_starts_on
        and run_context.covered_until
        and {{ in_force('p17_disability_extension') }}
),

newer_terms as (
    select
        running_out.term_id,
        min(newer.term_row) as newer_row
    from running_out
    inner join {{ ref('disability_terms') }} as newer
        on
            running_out.iin = newer.iin
            and running_out.kind = newer.kind
            and running_out.decided_on < newer.decided_on
    group by running_out.term_id
),

judged as (
    select
        running_out.*,
        newer_terms.newer_row,
        {{ first_failure([
            ("running_out.person_row is null", 'not_in_population_register'),
            ("running_out.death_date is not null", 'deceased'),
            ("newer_terms.newer_row is not null", 'superseded'),
            (
                "running_out.age_transition = 'examine'"
                " and running_out.cause = 'turns_16'",
                'turns_16',
            ),
            (
                "running_out.age_transition = 'examine'"
                " and running_out.cause = 'turns_18'",
                'turns_18',
            ),
        ]) }}
    from running_out
    left join newer_terms on running_out.term_id = newer_terms.term_id
),

final as (
    select
        term_id,
        iin,
        kind,
        category,
        case when reason is null then 'extended' else 'not_extended' end as outcome,
        reason,
        valid_until as old_valid_until,
        case when reason is null then greatest(valid_until, computed_until) end
            as new_valid_until,
        case when reason is null or reason = cause then cause end as examined_for,
        term_row,
        person_row,
        case when reason = 'superseded' then newer_row end as newer_row
    from judged
)

select * from final
