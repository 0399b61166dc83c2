select
    'asp_extensions' as table_name,
    'award' as what,
    extensions.award_id as key,
    awards.applicant_iin as iin,
    null as own_region_kato,
    null as amount,
    null as set_of,
    cast({
        'family_id': extensions.family_id,
        'outcome': extensions.outcome,
        'reason': extensions.reason,
        'review_reasons': extensions.review_reasons,
        'old_period_start': extensions.old_period_start,
        'old_period_end': extensions.old_period_end,
        'new_period_start': extensions.new_period_start,
        'new_period_end': extensions.new_period_end,
        'monthly_amount': extensions.monthly_amount
    } as map(varchar, varchar)) as columns
from run.marts.asp_extensions as extensions
left join run.law.p12_asp_extension as awards
    on extensions.award_id = awards.award_id
