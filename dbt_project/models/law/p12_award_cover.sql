-- p12: what each award covers: its own period, and its new one when it is extended. A
-- person is on an award that is active or extended.
with final as (
    select
        awards.award_id,
        awards.applicant_iin,
        awards.period_start,
        awards.period_end,
        extensions.new_period_start,
        extensions.new_period_end,
        awards.status = 'active' or coalesce(extensions.outcome = 'extended', false)
            as is_on,
        awards.award_row,
        extensions.renewal_row
    from {{ ref('asp_awards') }} as awards
    left join {{ ref('p12_asp_extension') }} as extensions
        on awards.award_id = extensions.award_id
)

select * from final
