-- p29: the account on which each recipient in cash, and each parent or guardian of one, can
-- be paid on as_of: of those with a valid IBAN that were confirmed by then the one confirmed
-- last, then the lowest IBAN.
with recipients as (
    select distinct iin
    from {{ ref('p28_planned_sets') }}
    where
        mode = 'cash'
        and not is_withdrawn
),

holders as (
    select iin from recipients
    union
    select links.parent_iin as iin
    from recipients
    inner join {{ ref('stg_referenced_links') }} as links
        on recipients.iin = links.child_iin
),

-- What is not valid comes last, and is not left out at once: so that validity is looked at
-- among the accounts of these, not of the nation.
ranked as (
    select
        accounts.iin,
        accounts.iban,
        accounts.confirmed_on,
        accounts.source_row as account_row,
        {{ iban_is_valid('accounts.iban') }} as is_valid,
        row_number() over (
            partition by accounts.iin
            order by
                {{ iban_is_valid('accounts.iban') }} desc nulls last,
                accounts.confirmed_on desc nulls last,
                accounts.iban asc nulls last
        ) as nth
    from holders
    cross join {{ ref('run_context') }} as run_context
    inner join {{ ref('stg_bank_accounts') }} as accounts on holders.iin = accounts.iin
    where accounts.confirmed_on <= run_context.as_of
),

final as (
    select
        iin,
        iban,
        confirmed_on,
        account_row
    from ranked
    where nth = 1 and is_valid
)

select * from final
