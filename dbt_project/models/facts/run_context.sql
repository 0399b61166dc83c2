{{ config(materialized='table') }}

{#-
    What the run decides for and knows: dates, the emergency, the values of law in force
    and the policies read, as one row. Only here do the run's vars enter the models.
-#}
{%- set policies = [
    'food_set.age_upper', 'food_set.carer', 'food_set.carer_child_age_limit',
    'food_set.carer_child_in_institution', 'food_set.institution_scope',
    'food_set.sets_per_person', 'disability.window', 'disability.until',
    'disability.plus_months', 'payout.end_month', 'payout.day', 'asp.base',
] -%}
{%- set terms = [
    'forward_working_days', 'check_working_days', 'asp_new_period_months',
    'asp_review_age', 'in_absentia_term_months', 'control_exam_months',
    'look_back_months', 'look_back_days', 'child_category_age', 'group_category_age',
    'match_working_days', 'draft_working_days', 'sign_working_days',
    'asp_child_age_from', 'asp_child_age_to',
] -%}

with dates as (
    select
        '{{ var("run_id") }}' as run_id,
        cast('{{ var("as_of") }}' as date) as as_of,
        cast('{{ var("known_at") }}' as date) as known_at,
        {{ month_start("cast('" ~ var("as_of") ~ "' as date)") }} as list_month
),

periods as (
    select
        emergency_periods.*,
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

values_known as (
    select
        parameters.name,
        parameters.value,
        row_number() over (
            partition by parameters.name
            order by
                parameters.valid_from desc nulls last,
                parameters.recorded_on desc nulls last
        ) as nth
    from {{ ref('parameters') }} as parameters
    cross join dates
    where
        parameters.recorded_on <= dates.known_at
        -- p27: the index is that of the first day of the list month
        and parameters.valid_from <= case
            when parameters.name = 'monthly_calculation_index' then dates.list_month
            else dates.as_of
        end
),

parameter_row as (
    select
        max(case when name = 'monthly_calculation_index' then value end)
            as monthly_calculation_index,
        max(case when name = 'food_set_floor' then value end) as food_set_floor,
        {%- for term in terms %}
        cast(max(case when name = '{{ term }}' then value end) as integer)
            as {{ term }},
        {%- endfor %}
        cast(max(case when name = 'disabled_child_age_to' then value end) as integer)
            as disabled_child_age_to
    from values_known
    where nth = 1
),

policy_row as (
    select
        {%- for policy in policies %}
        max(case when policy = '{{ policy }}' then value end)
            as {{ policy | replace('.', '__') }},
        {%- endfor %}
        max(case when policy = 'sla.start' then value end) as sla__start
    from {{ ref('run_policies') }}
),

final as (
    select
        dates.*,
        emergency.*,
        parameter_row.*,
        policy_row.*,
        case policy_row.disability__window
            when 'thirty_days' then {{ add_days(
                'emergency.emergency_starts_on', '-parameter_row.look_back_days'
            ) }}
            else {{ add_months(
                'emergency.emergency_starts_on', '-parameter_row.look_back_months'
            ) }}
        end as window_starts_on,
        case policy_row.payout__end_month
            when 'last_full_day' then emergency.last_full_day_month
            else emergency.end_instant_month
        end as payout_end_month
    from dates
    cross join parameter_row
    cross join policy_row
    left join emergency on true
)

select * from final
