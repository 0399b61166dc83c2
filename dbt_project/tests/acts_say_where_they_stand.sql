-- Every act has its official address, or says that it was not found.
select act_id from {{ ref('acts') }}
where address is null and (note is null or note not like '%address was%found%')
