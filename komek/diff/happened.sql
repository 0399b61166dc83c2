-- What the rows of one registry say happened between the two days: a date that was
-- reached, or the last day of a term or period that is over.
insert into moments
with dated as (
    select
        files.file,
        source_row % {rows_per_file} as row_number,
        {columns}
    from run.staging.stg_{entity}
    inner join run.landing.landed_files as files
        on source_row // {rows_per_file} = files.file_no
    where (files.file, source_row % {rows_per_file}) in (
        select (touched.file, touched.row_number)
        from touched
        where
            touched.cause = 'time'
            and touched.is_after = $is_after
            and touched.entity = $entity
    )
),

days as (
    unpivot dated on {columns} into name event value happened_on
)

select distinct
    touched.table_name,
    touched.key,
    touched.entity,
    days.event,
    cast(null as integer) as age,
    days.happened_on
from days
inner join touched
    on
        touched.cause = 'time'
        and touched.is_after = $is_after
        and touched.entity = $entity
        and days.file = touched.file
        and days.row_number = touched.row_number
where
    (
        days.event in ('valid_until', 'valid_to', 'period_end', 'stop_on')
        and days.happened_on >= cast($earlier as date)
        and days.happened_on < cast($later as date)
    )
    or (
        days.event not in ('valid_until', 'valid_to', 'period_end', 'stop_on')
        and days.happened_on > cast($earlier as date)
        and days.happened_on <= cast($later as date)
    )
    -- notified by the day after the decision (p10)
    or (
        touched.entity = 'applications'
        and days.event = 'decided_on'
        and days.happened_on = cast($earlier as date)
    )
