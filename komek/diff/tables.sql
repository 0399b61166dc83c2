-- What each computed state says: a row per state, table and key.
create table told (
    state varchar,
    table_name varchar,
    what varchar,
    key varchar,
    iin varchar,
    region_kato varchar,
    amount decimal(38, 2),
    columns map(varchar, varchar)
);

-- The states in their order, each with what it took from the second run.
create table chain (step integer, state varchar, cause varchar);

-- The accepted rows of the registries in which the runs differ, before and after.
create table source_rows (
    is_after boolean,
    entity varchar,
    key varchar,
    iin varchar,
    file varchar,
    row_number bigint,
    hashed ubigint
);

-- The rows behind each change that data caused, before and after.
create table touched (
    table_name varchar,
    key varchar,
    entity varchar,
    is_after boolean,
    file varchar,
    row_number bigint
);
