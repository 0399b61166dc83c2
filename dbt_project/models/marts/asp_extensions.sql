with reasons as (
    select
        award_id,
        max(case when review_reason = 'applicant_deceased' then review_reason end)
            as applicant_deceased,
        max(case when review_reason = 'member_deceased' then review_reason end)
            as member_deceased,
        max(case when review_reason = 'member_turns_18' then review_reason end)
            as member_turns_18
    from {{ ref('p12_asp_review') }}
    group by award_id
),

final as (
    select
        extensions.award_id,
        extensions.family_id,
        extensions.outcome,
        extensions.reason,
        concat_ws(
            '|',
            reasons.applicant_deceased,
            reasons.member_deceased,
            reasons.member_turns_18
        ) as review_reasons,
        extensions.old_period_start,
        extensions.old_period_end,
        extensions.new_period_start,
        extensions.new_period_end,
        extensions.monthly_amount,
        'p12' as paragraph
    from {{ ref('p12_asp_extension') }} as extensions
    left join reasons on extensions.award_id = reasons.award_id
)

select * from final
