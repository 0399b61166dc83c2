-- A finding rests on the contract; that its price differs, on the region's norm, and that too
-- much was delivered, on the deliveries as well.
with final as (
    select
        concat(contract_id, '|', finding) as row_key,
        contract_row as source_row,
        paragraph
    from {{ ref('p28_contract_findings') }}
    union all
    select
        concat(contract_id, '|', finding) as row_key,
        norm_row as source_row,
        paragraph
    from {{ ref('p28_contract_findings') }}
    where norm_row is not null
    union all
    select
        concat(findings.contract_id, '|', findings.finding) as row_key,
        deliveries.delivery_row as source_row,
        findings.paragraph
    from {{ ref('p28_contract_findings') }} as findings
    inner join {{ ref('deliveries') }} as deliveries
        on findings.contract_id = deliveries.contract_id
    where findings.finding = 'over_delivered' and deliveries.status = 'delivered'
)

select * from final
