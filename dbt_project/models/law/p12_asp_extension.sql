-- p12: targeted social assistance that ends during the emergency is extended for a new
-- period, without an application and at the same amount. The new period starts the day
-- after the old one ends. A suspended award pays nothing to extend (policy asp.base); a
-- family already awarded for the first day of the new period needs no extension, and one
-- of which nobody lives has nobody to extend it to.
with ending as (
    select
        awards.*,
        {{ add_days('awards.period_end', 1) }} as next_start,
        run_context.asp__base as asp_base,
        run_context.asp_new_period_months as new_period_months
    from {{ ref('asp_awards') }} as awards
    cross join {{ ref('run_context') }} as run_context
    where
        awards.period_end between run_context.emergency_starts_on
        and run_context.covered_until
        and {{ in_force('p12_asp_extension') }}
),

renewals as (
    select
        ending.award_id,
        min(other.award_row) as renewal_row
    from ending
    inner join {{ ref('asp_awards') }} as other
        on
            ending.family_id = other.family_id
            and ending.award_id <> other.award_id
            and other.status = 'active'
            and ending.next_start between other.period_start and other.period_end
    group by ending.award_id
),

judged as (
    select
        ending.*,
        renewals.renewal_row,
        {{ first_failure([
            ("ending.status = 'terminated'", 'terminated'),
            ("ending.status = 'suspended' and ending.asp_base <> 'any_status'", 'suspended'),
            ("renewals.renewal_row is not null", 'already_renewed'),
            ("bereaved.award_id is not null", 'no_living_member'),
        ]) }}
    from ending
    left join renewals on ending.award_id = renewals.award_id
    left join {{ ref('p12_bereaved_award') }} as bereaved
        on ending.award_id = bereaved.award_id
),

final as (
    select
        award_id,
        family_id,
        applicant_iin,
        status,
        monthly_amount,
        case when reason is null then 'extended' else 'not_extended' end as outcome,
        reason,
        period_start as old_period_start,
        period_end as old_period_end,
        case when reason is null then next_start end as new_period_start,
        case
            when reason is null
                then {{ add_days(add_months('next_start', 'new_period_months'), -1) }}
        end as new_period_end,
        award_row,
        case when reason = 'already_renewed' then renewal_row end as renewal_row
    from judged
)

select * from final
