-- p3: the addressee is the one the service belongs to; judged where both are known.
with final as (
    select
        applications.application_id,
        'wrong_addressee' as finding,
        'p3' as paragraph,
        applications.application_row
    from {{ ref('governed_applications') }} as applications
    inner join {{ ref('services') }} as services
        on applications.service_code = services.service_code
    where
        applications.addressee <> services.addressee
        and {{ in_force('p3_addressee', 'applications.submitted_on') }}
)

select * from final
