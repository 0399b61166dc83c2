-- p17: terms of all four kinds that ran out not more than a month before the emergency or
-- during it are extended automatically to its last day, each by its own date. A child
-- who turns 16, or a person established as a minor who turns 18, is examined instead. An
-- extension never shortens a term.
with running_out as (
    select
        terms.*,
        people.birth_date,
        people.death_date,
        people.person_row,
        run_context.covered_until,
        {{ birthday('people.birth_date', 'run_context.child_category_age') }}
            as turns_16_on,
        {{ birthday('people.birth_date', 'run_context.group_category_age') }}
            as turns_18_on,
        case run_context.disability__until
            when 'plus_months' then {{ add_months(
                'terms.valid_until', 'run_context.disability__plus_months'
            ) }}
            else run_context.covered_until
        end as computed_until
    from {{ ref('disability_terms') }} as terms
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('people') }} as people on terms.iin = people.iin
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
                "running_out.disability_category = 'child'"
                " and running_out.turns_16_on <= running_out.covered_until",
                'turns_16',
            ),
            (
                "running_out.disability_category in ('group_1', 'group_2', 'group_3')"
                " and running_out.established_on < running_out.turns_18_on"
                " and running_out.turns_18_on <= running_out.covered_until",
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
        term_row,
        person_row,
        case when reason = 'superseded' then newer_row end as newer_row
    from judged
)

select * from final
