-- Who on the lists, or whose child, came of an age between the two days that the grounds
-- of p25 ask for.
insert into moments
with ages as (
    select distinct unnest([
        context.asp_child_age_from,
        context.asp_child_age_to
        + case context.food_set__age_upper when 'through_age_18' then 1 else 0 end,
        context.disabled_child_age_to,
        cast(context.food_set__carer_child_age_limit as integer)
    ]) as age
    from run.facts.run_context as context
),

born as (
    select
        files.file,
        source_row % {rows_per_file} as row_number,
        birth_date
    from run.staging.stg_persons
    inner join run.landing.landed_files as files
        on source_row // {rows_per_file} = files.file_no
    where (files.file, source_row % {rows_per_file}) in (
        select (touched.file, touched.row_number)
        from touched
        where
            touched.cause = 'time'
            and touched.is_after = $is_after
            and touched.entity = 'persons'
            and touched.table_name like 'food_set_%'
    )
)

select distinct
    touched.table_name,
    touched.key,
    touched.entity,
    'birthday' as event,
    ages.age,
    cast(born.birth_date + to_years(ages.age) as date) as happened_on
from born
cross join ages
inner join touched
    on
        touched.cause = 'time'
        and touched.is_after = $is_after
        and touched.entity = 'persons'
        and touched.table_name like 'food_set_%'
        and born.file = touched.file
        and born.row_number = touched.row_number
where
    born.birth_date + to_years(ages.age) > cast($earlier as date)
    and born.birth_date + to_years(ages.age) <= cast($later as date)
