-- What one computed state says, mart by mart: a row per table, key and set, with the
-- columns that make a difference as a map, and the tenge that are added up.
create table said (
    table_name varchar,
    what varchar,
    key varchar,
    iin varchar,
    own_region_kato varchar,
    amount decimal(38, 2),
    set_of varchar,
    columns map(varchar, varchar)
);

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

-- The rows behind each change that data or time caused, before and after.
create table touched (
    cause varchar,
    table_name varchar,
    key varchar,
    entity varchar,
    is_after boolean,
    file varchar,
    row_number bigint
);

-- What happened between the two days to each change that time caused.
create table moments (
    table_name varchar,
    key varchar,
    entity varchar,
    event varchar,
    age integer,
    happened_on date
);
