-- p25: the ledger of the list: one row per person and ground. Of several records for one
-- ground the best counts: one that meets it, else the one that failed last. The list is
-- for a month of the emergency; outside it the ledger is empty.
with ranked as (
    select
        records.*,
        run_context.list_month,
        row_number() over (
            partition by records.iin, records.ground
            order by records.stage desc nulls last, records.record_row asc nulls last
        ) as nth
    from {{ ref('p25_records') }} as records
    cross join {{ ref('run_context') }} as run_context
    where run_context.list_drawn
),

final as (
    select
        ranked.list_month,
        ranked.iin,
        ranked.ground,
        case
            when ranked.reason is null then 'met'
            when ranked.reason = 'not_in_population_register' then 'undetermined'
            else 'not_met'
        end as outcome,
        ranked.reason,
        coalesce(people.region_kato, 'unassigned') as region_kato,
        people.district_kato,
        people.person_row,
        people.kato_row,
        ranked.record_row
    from ranked
    left join {{ ref('people') }} as people on ranked.iin = people.iin
    where ranked.nth = 1
)

select * from final
