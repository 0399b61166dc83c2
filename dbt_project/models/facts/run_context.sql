{#- Every parameter and policy has a column: one that is not listed ends the run. -#}
{%- set amounts = [
    'monthly_calculation_index', 'subsistence_minimum', 'food_set_floor',
] -%}
{%- set terms = [
    'asp_new_period_months', 'asp_review_age', 'in_absentia_term_months',
    'control_exam_months', 'look_back_months', 'look_back_days', 'child_category_age',
    'group_category_age', 'asp_child_age_from', 'asp_child_age_to',
    'disabled_child_age_to', 'account_age',
] -%}
{#- Of the day a step starts, not of the run's: facts.step_terms has them. -#}
{%- set step_terms = [
    'forward_working_days', 'check_working_days', 'match_working_days',
    'draft_working_days', 'sign_working_days',
] -%}
{%- set policies = [
    'food_set.age_upper', 'food_set.carer', 'food_set.carer_child_age_limit',
    'food_set.carer_child_in_institution', 'food_set.institution_scope',
    'food_set.sets_per_person', 'food_set.account_of', 'disability.window',
    'disability.until', 'disability.plus_months', 'disability.age_transition',
    'payout.end_month', 'payout.day', 'asp.base', 'procedure.from', 'sla.start',
] -%}

-- What the run decides for and knows, as one row: its dates, the emergency, the values of
-- law in force and the policies read.
with dates as (
    select
        '{{ var("run_id") }}' as run_id,
        {{ run_day('as_of') }} as as_of,
        {{ run_day('known_at') }} as known_at,
        {{ month_start(run_day('as_of')) }} as list_month
),

rules as (
    select
        coalesce(
            max(
                paragraphs.valid_to is null or paragraphs.valid_to >= dates.as_of
            ), false
        ) as are_in_force,
        min(paragraphs.valid_from) as first_on
    from {{ ref('paragraphs') }} as paragraphs
    cross join dates
    where
        paragraphs.recorded_on <= dates.known_at
        and paragraphs.valid_from <= dates.as_of
),

periods as (
    select
        emergency_periods.starts_at,
        emergency_periods.ends_at,
        row_number() over (
            order by emergency_periods.recorded_on desc nulls last
        ) as nth
    from {{ ref('emergency_periods') }} as emergency_periods
    cross join dates
    where emergency_periods.recorded_on <= dates.known_at
),

emergency as (
    select
        starts_at as emergency_starts_at,
        ends_at as emergency_ends_at,
        cast(starts_at as date) as emergency_starts_on,
        cast(ends_at - interval '1' second as date) as covered_until,
        {{ month_start('ends_at') }} as end_instant_month,
        {{ month_start(add_days('cast(ends_at as date)', -1)) }} as last_full_day_month
    from periods
    where nth = 1
),

acts as (
    select
        paragraphs.act_id,
        max(
            case
                when
                    paragraphs.recorded_on <= dates.known_at
                    and paragraphs.valid_from <= dates.as_of
                    then 1
                else 0
            end
        ) as is_in_force
    from {{ ref('paragraphs') }} as paragraphs
    cross join dates
    group by paragraphs.act_id
),

amounts_to_come as (
    select {{ in_columns(amounts + terms, 'name', 'integer') }}
    from ({{ not_yet('parameters', 'name', 'acts') }}) as to_come
),

readings_to_come as (
    select {{ in_columns(policies, 'policy', 'integer') }}
    from ({{ not_yet('policies', 'policy', 'acts') }}) as to_come
),

law as (
    select
        {{ in_columns(amounts, 'name', 'decimal(18, 2)') }},
        {{ in_columns(terms, 'name', 'integer') }}
    from {{ ref('run_values') }}
    where {{ is_listed(amounts + terms + step_terms, 'name', 'parameter') }}
),

readings as (
    select {{ in_columns(policies, 'policy', 'string') }}
    from {{ ref('run_policies') }}
    where {{ is_listed(policies, 'policy', 'policy') }}
),

final as (
    select
        dates.run_id,
        dates.as_of,
        dates.known_at,
        dates.list_month,
        emergency.emergency_starts_at,
        emergency.emergency_ends_at,
        emergency.emergency_starts_on,
        emergency.covered_until,
        emergency.end_instant_month,
        emergency.last_full_day_month,
        rules.first_on as rules_first_on,
        rules.are_in_force
        and coalesce(
            dates.as_of between emergency.emergency_starts_on
            and emergency.covered_until,
            false
        ) as list_drawn,
        {{ covered_columns(amounts + terms, 'law', 'amounts_to_come') }},
        {{ covered_columns(policies, 'readings', 'readings_to_come') }},
        case readings.disability__window
            when 'thirty_days' then {{ add_days(
                'emergency.emergency_starts_on', '-law.look_back_days'
            ) }}
            else {{ add_months(
                'emergency.emergency_starts_on', '-law.look_back_months'
            ) }}
        end as window_starts_on,
        case readings.payout__end_month
            when 'last_full_day' then emergency.last_full_day_month
            else emergency.end_instant_month
        end as payout_end_month,
        case readings.procedure__from
            when 'emergency' then emergency.emergency_starts_on
            else greatest(emergency.emergency_starts_on, rules.first_on)
        end as governed_from
    from dates
    cross join rules
    cross join law
    cross join readings
    cross join amounts_to_come
    cross join readings_to_come
    left join emergency on true
)

select * from final
