{#
    The first condition that fails decides. Takes pairs (what fails, reason) in the order
    of the law; gives `stage` (the number of the failing condition, or one past the last)
    and `reason` (null where all hold). The reasons become the model's metadata, in their
    order: the table law.conditions, and through it `komek explain`, has them from there.
#}
{% macro first_failure(failures) -%}
    {%- do config(meta={'reasons': failures | map(attribute=1) | list}) -%}
    case
        {%- for failure, reason in failures %}
        when {{ failure }} then {{ loop.index }}
        {%- endfor %}
        else {{ failures | length + 1 }}
    end as stage,
    case
        {%- for failure, reason in failures %}
        when {{ failure }} then '{{ reason }}'
        {%- endfor %}
    end as reason
{%- endmacro %}


{# An event dated after the day the run decides for has not happened. #}
{% macro event(column, as_of='run_context.as_of') -%}
    case when {{ column }} <= {{ as_of }} then {{ column }} end
{%- endmacro %}


{#
    A model decides only while an edition that names it (rules.csv) is in force; and where
    it judges what people or offices did, only what began (`begun_on`) since the first
    edition that names it: nobody could follow a rule before there was one.
#}
{% macro in_force(rule, begun_on=none) -%}
    exists (
        select 1
        from {{ ref('rules_in_force') }} as rules_in_force
        where
            rules_in_force.model = '{{ rule }}'
            {%- if begun_on %}
            and {{ begun_on }} >= rules_in_force.governs_from
            {%- endif %}
    )
{%- endmacro %}


{#
    Working-day terms (p5, p6, p20-p22) of the rows of a relation with case_id,
    started_on, done_on and case_row: due(started_on, term), the starting day not
    counted, or counted as day 1 if it is a working day (policy sla.start); and how the
    step stands on the day: met, late, open or overdue (what that is called is the
    paragraph's). The term is that in force when the step started, or on the first day of
    the Rules where that is later. The due day is the working day whose number in the
    calendar is that many further on. A day outside the calendar ends the run, and so
    does one that no term covers.
#}
{% macro deadline(
    steps, term, case_kind, step, paragraph, not_applicable='false', overdue='overdue'
) -%}
    select
        '{{ case_kind }}' as case_kind,
        steps.case_id,
        '{{ step }}' as step,
        '{{ paragraph }}' as paragraph,
        steps.started_on,
        due_days.calendar_on as due_on,
        steps.done_on,
        case
            when steps.started_on is not null and start_days.calendar_on is null
                then {{ fail(
                    "cast(sum(case when steps.started_on is not null"
                    ~ " and start_days.calendar_on is null then 1 else 0 end) over ()"
                    ~ " as string), ' rows begin outside the working-day calendar'"
                ) }}
            when steps.started_on is not null and terms.working_days is null
                then {{ fail("'no value of law covers the day: " ~ term ~ "'") }}
            when {{ not_applicable }} then 'not_applicable'
            when steps.done_on <= due_days.calendar_on then 'met'
            when steps.done_on > due_days.calendar_on then 'late'
            when due_days.calendar_on >= run_context.as_of then 'open'
            when due_days.calendar_on < run_context.as_of then '{{ overdue }}'
        end as status,
        steps.case_row
    from {{ steps }} as steps
    cross join {{ ref('run_context') }} as run_context
    left join {{ ref('working_days') }} as start_days
        on steps.started_on = start_days.calendar_on
    left join {{ ref('step_terms') }} as terms
        on
            terms.name = '{{ term }}'
            and greatest(steps.started_on, run_context.rules_first_on)
            >= terms.valid_from
            and (
                terms.valid_before is null
                or greatest(steps.started_on, run_context.rules_first_on)
                < terms.valid_before
            )
    left join {{ ref('working_days') }} as due_days
        on
            due_days.is_working
            and start_days.working_number
            + terms.working_days
            - case
                when run_context.sla__start = 'same_day' and start_days.is_working then 1
                else 0
            end = due_days.working_number
{%- endmacro %}


{# p27: what a set costs at least, of run_context. #}
{% macro floor_cost() -%}
    run_context.food_set_floor * run_context.monthly_calculation_index
{%- endmacro %}


{# The code of the service of targeted social assistance, from the table of services. #}
{% macro asp_service() -%}
    (select service_code from {{ ref('services') }} where is_asp)
{%- endmacro %}
