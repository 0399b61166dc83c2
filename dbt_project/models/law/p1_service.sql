-- p1: 25 services may be asked for through Electronic Appeal.
with final as (
    select
        applications.application_id,
        'service_not_covered' as finding,
        'p1' as paragraph,
        applications.application_row
    from {{ ref('governed_applications') }} as applications
    left join {{ ref('services') }} as services
        on applications.service_code = services.service_code
    where
        services.service_code is null
        and {{ in_force('p1_service', 'applications.submitted_on') }}
)

select * from final
